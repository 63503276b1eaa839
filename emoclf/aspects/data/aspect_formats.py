"""The table of file formats of sentences with terms, and reading and writing by it.

A new format is one row here and one file with its reader and its writer. The table
loads nothing: functions are named, and imported when they are used.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from pkgutil import resolve_name
from typing import BinaryIO, NamedTuple, cast

from emoclf.aspects.data.sentences import AspectData, Sentence
from emoclf.datasets.data_files import check_file, ending_of
from emoclf.display import count_of
from emoclf.errors import DataError, SettingsError, did_you_mean, setting
from emoclf.files import check_new_file, exists_already, new_file
from emoclf.settings import DataSettings


class AspectFormat(NamedTuple):
    """A file format, its reader and its writer.

    Parameters
    ----------
    endings : tuple of str
        Endings of file names, in lower case.
    reader : str
        ``module:function`` from (path, DataSettings) to an iterator of Sentence.
    writer : str
        ``module:function`` from sentences to an iterator of str.
    """

    endings: tuple[str, ...]
    reader: str
    writer: str


ASPECT_FORMATS = {
    "semeval": AspectFormat(
        (".xml",),
        "emoclf.aspects.data.semeval_xml:read_semeval",
        "emoclf.aspects.data.semeval_xml:semeval_lines",
    ),
    "conll": AspectFormat(
        (".conll", ".iob", ".bio"),
        "emoclf.aspects.data.conll:read_conll",
        "emoclf.aspects.data.conll:conll_lines",
    ),
    "jsonl": AspectFormat(
        (".jsonl", ".ndjson"),
        "emoclf.aspects.data.span_lines:read_span_lines",
        "emoclf.aspects.data.span_lines:span_lines",
    ),
    "csv": AspectFormat(
        (".csv",),
        "emoclf.aspects.data.term_rows:read_term_rows",
        "emoclf.aspects.data.term_rows:term_rows",
    ),
}


def read_aspects(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    encoding: str = "utf-8",
    encoding_errors: str = "strict",
    text_column: str | None = None,
) -> AspectData:
    """Read sentences with terms; the ending of the file tells its format.

    Every sentence is read, or the file is refused: the error names the sentence, what
    is wrong with it, and what to do.

    Parameters
    ----------
    path : path
        XML of SemEval-2014 to 2016, CoNLL columns, JSON Lines with ``text`` and
        ``spans``, or CSV with a row for each term; plain or .gz.
    format : {"semeval", "conll", "jsonl", "csv"}, optional
    encoding : str, default="utf-8"
        XML names its own.
    encoding_errors : {"strict", "replace"}, default="strict"
    text_column : str, optional
        Column or key of the texts; by default the one with a usual name.

    Raises
    ------
    DataError
        If the file or a sentence of it cannot be used, or no sentence has a term.
    SettingsError
        If there is no such format or encoding.
    MissingDependency
        If the file is XML and defusedxml is not installed.

    Examples
    --------
    >>> read_aspects("Laptop_Train_v2.xml")  # doctest: +SKIP
    <AspectData: sentences 3,045, terms 2,358, labels 4 (positive, negative, …)>
    """
    file = check_file(path)
    aspect_format = ASPECT_FORMATS[_format_of(file, format)]
    settings = DataSettings(
        encoding=encoding, encoding_errors=encoding_errors, text_column=text_column
    )
    sentences = tuple(resolve_name(aspect_format.reader)(file, settings))
    if not sentences:
        raise DataError(f"{file} has no sentences.")
    if not any(sentence.terms for sentence in sentences):
        them = "it" if len(sentences) == 1 else "any of them"
        raise DataError(
            f"{file} has {count_of('sentence', len(sentences))}, and no term in {them}."
            " Mark the terms of some, or check that this is the labelled file."
        )
    return AspectData(sentences, str(path))


def write_aspects(
    data: Iterable[Sentence],
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write sentences with terms, as :func:`read_aspects` reads them.

    CoNLL columns contain tokens: a text is read again as its tokens between spaces,
    and a term that begins or ends within a token gets the whole token. Cells of CSV are
    written as they are, so that offsets fit; a spreadsheet may run one that begins with
    ``=`` as a formula.

    Parameters
    ----------
    data : AspectData, or iterable of Sentence
    path : path
        Its ending tells the format, if none is given; the file is complete or absent.
    format : {"semeval", "conll", "jsonl", "csv"}, optional
    overwrite : bool, default=False
        Replace an existing file.

    Raises
    ------
    DataError
        If the file exists or cannot be written, or a text has a character that the
        format has not.
    """
    target = Path(path)
    aspect_format = ASPECT_FORMATS[_format_of(target, format)]
    check_new_file(target, overwrite=overwrite)
    lines: Iterator[str] = resolve_name(aspect_format.writer)(data)
    try:
        with new_file(target, overwrite=overwrite) as stream:
            if not ending_of(target)[1]:
                stream.writelines(line.encode() for line in lines)
                return target
            # No name and no time: equal sentences make equal files.
            with gzip.GzipFile("", "wb", fileobj=stream, mtime=0) as packed:
                cast(BinaryIO, packed).writelines(line.encode() for line in lines)
    except FileExistsError as error:
        raise DataError(exists_already(target)) from error
    except UnicodeEncodeError as error:
        raise DataError(
            f"{target} cannot be written: a text contains {error.object[error.start]!a}"
            ", half of a character. Replace it."
        ) from None
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"Cannot write {target}: {reason}.") from error
    return target


def _format_of(path: Path, format: str | None) -> str:
    if format is not None:
        if format not in ASPECT_FORMATS:
            raise SettingsError(
                f"{setting('format')} must be one of {', '.join(ASPECT_FORMATS)}. Got "
                f"{format!r} instead.{did_you_mean(format, ASPECT_FORMATS)}"
            )
        return format
    endings = {x: name for name, row in ASPECT_FORMATS.items() for x in row.endings}
    ending = ending_of(path)[0]
    if ending not in endings:
        raise DataError(
            f"{path} ends in none of {', '.join(endings)}, plain or with .gz. Rename "
            f"it, or name its format, such as {setting('format', 'conll')}."
        )
    return endings[ending]
