"""Terms and polarities of whole files of texts, in order and in constant memory."""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from emoclf.aspects.aspect_model import AspectModel, Opinion
from emoclf.aspects.term_summary import TermSummary
from emoclf.bulk.entries import Entries, Entry
from emoclf.bulk.writers import as_cell, to_json
from emoclf.datasets.cells import utf8
from emoclf.datasets.data_files import ending_of
from emoclf.datasets.source import Source
from emoclf.display import printable
from emoclf.errors import DataError, SettingsError, did_you_mean, setting
from emoclf.files import check_new_file, exists_already, new_file
from emoclf.settings import DataSettings

#: Decimal places of confidences.
DIGITS = 4
#: Columns of CSV that are added to those of the input: one row for each term.
COLUMNS = ("term", "start", "stop", "polarity", "confidence", "polarity_confidence")
#: Keys of JSON Lines that are added, with a list each.
KEYS = ("spans", "terms", "confidences", "polarity_confidences")
#: Formats of a stream; files have the last two.
STREAM_FORMATS = ("lines", "csv", "jsonl")
ENDINGS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}

Write = Callable[[str], Any]


class AspectCounts(NamedTuple):
    """Number of texts with a prediction, of terms, and of records without a text."""

    texts: int
    terms: int
    bad: int


def predict_aspects(
    model: AspectModel | str | os.PathLike[str],
    source: str | os.PathLike[str],
    output: str | os.PathLike[str] | TextIO | None,
    *,
    output_format: str = "lines",
    format: str | None = None,
    text_column: str | None = None,
    header: bool | None = None,
    separator: str | None = None,
    quoting: str = "auto",
    encoding: str = "utf-8",
    encoding_errors: str = "strict",
    max_line_bytes: int | None = None,
    on_error: str = "stop",
    min_confidence: float = 0.0,
    overwrite: bool = False,
    summary: TermSummary | None = None,
    report: Callable[[int], object] | None = None,
) -> AspectCounts:
    """Find the terms of every text of a file, and what is said of them.

    The columns of the source stay as they are. JSON Lines get ``spans`` (start, stop,
    polarity, as :func:`read_aspects` reads them), ``terms``, ``confidences`` and
    ``polarity_confidences``; CSV has a row for each term, and one for a text without.

    Parameters
    ----------
    model : AspectModel, or the path of its folder
    source : path, or "-" for standard input
        Plain lines, CSV, TSV, JSON Lines or Parquet, plain or .gz.
    output : path, text stream or None
        A path ends in .jsonl or .csv, also with .gz; the file is complete or absent.
        None: only the summary is wanted.
    output_format : {"lines", "csv", "jsonl"}
        Format of a stream.
    format, text_column, header, separator, quoting, encoding, encoding_errors, \
max_line_bytes
        As for :func:`emoclf.predict_file`.
    on_error : {"stop", "skip", "null"}, default="stop"
        Raise at a bad record; or log it, and leave it out or keep it without terms.
    min_confidence : float in [0, 1], default=0
        Leave out terms of lower confidence.
    overwrite : bool, default=False
        Replace an existing output file.
    summary : TermSummary, optional
        Counts the terms.
    report : function of int, optional
        Called after each chunk with the number of texts.

    Raises
    ------
    DataError, BundleError, SettingsError
    """
    if not isinstance(model, AspectModel):
        model = AspectModel.load(model)
    if not 0 <= min_confidence <= 1:
        raise SettingsError(
            f"{setting('min_confidence')} must be from 0 to 1. Got {min_confidence!r}."
        )
    settings = DataSettings(
        text_column=text_column,
        header=header,
        separator=separator,
        quoting=quoting,
        format=format,
        encoding=encoding,
        encoding_errors=encoding_errors,
        max_line_bytes=max_line_bytes,
    )
    with Source(source, settings) as opened:
        is_stream = output is not None and not isinstance(output, str | os.PathLike)
        entries = Entries(opened, text_column, on_error=on_error, at_once=is_stream)
        with _target(output, output_format, overwrite) as (write, name):
            writer = _WRITERS[name](write, entries)
            n_texts = n_terms = 0
            for chunk in entries.chunks():
                good = [entry.text for entry in chunk if entry.bad is None]
                answers = iter(model.predict(good))
                pairs: list[tuple[Entry, list[Opinion] | None]] = []
                for entry in chunk:
                    found = None
                    if entry.bad is None:
                        found = [
                            x for x in next(answers) if x.confidence >= min_confidence
                        ]
                        n_terms += len(found)
                        if summary is not None:
                            summary.add(found)
                    pairs.append((entry, found))
                writer.write(pairs)
                n_texts += len(good)
                if report is not None:
                    report(n_texts)
            writer.write([])
            if entries.n_bad and not n_texts:
                raise DataError(
                    f"{opened.name}: all of its {entries.n_bad:,} {opened.unit}s are "
                    "bad. The first ones are named above."
                )
        return AspectCounts(n_texts, n_terms, entries.n_bad)


@contextmanager
def _target(
    output: Any, stream_format: str, overwrite: bool
) -> Iterator[tuple[Write, str]]:
    """Yield a function that writes text, and the name of the format."""
    if output is None:
        yield lambda text: None, "lines"
        return
    if not isinstance(output, str | os.PathLike):
        if stream_format not in STREAM_FORMATS:
            raise SettingsError(
                f"output_format must be one of {', '.join(STREAM_FORMATS)}. Got "
                f"{stream_format!r}.{did_you_mean(stream_format, STREAM_FORMATS)}"
            )

        def write(text: str) -> None:
            output.write(text)
            output.flush()

        yield write, stream_format
        return
    path = Path(output)
    ending, compressed = ending_of(path)
    if ending not in ENDINGS:
        raise DataError(
            f"{path} must end in {', '.join(ENDINGS)}, also with .gz. The ending is "
            "the format of the predictions."
        )
    check_new_file(path, overwrite=overwrite)
    try:
        with new_file(path, overwrite=overwrite) as stream:
            if not compressed:
                yield lambda text: stream.write(utf8(text)), ENDINGS[ending]
                return
            # No name and no time: equal predictions make equal files.
            with gzip.GzipFile("", "wb", fileobj=stream, mtime=0) as packed:
                yield lambda text: packed.write(utf8(text)), ENDINGS[ending]
    except FileExistsError as error:
        raise DataError(exists_already(path)) from error
    except OSError as error:
        raise DataError(f"Cannot write {path}: {error.strerror or error}.") from error


Pairs = Sequence[tuple[Entry, list[Opinion] | None]]


class _LineWriter:
    """A line for each text: ``service (positive 0.93), food (negative 0.81)``."""

    def __init__(self, write: Write, entries: Entries) -> None:
        self._write = write
        self._entries = entries

    def write(self, pairs: Pairs) -> None:
        """Write a chunk; the last one is empty."""
        lines = [
            ", ".join(
                f"{printable(x.term)} ({printable(x.polarity or 'term')} "
                f"{x.polarity_confidence or x.confidence:.2f})"
                for x in found or ()
            )
            for _, found in pairs
        ]
        if lines:
            self._write("\n".join(lines) + "\n")

    def _check(self, entry: Entry, names: Sequence[str]) -> None:
        taken = next((name for name in names if name in entry.values), None)
        if taken is not None:
            raise DataError(
                f"{self._entries.place(entry)} has a column {taken!r} already. Rename "
                "it, or leave it out."
            )


class _JsonWriter(_LineWriter):
    """An object for each text: the input's keys and those of ``KEYS``."""

    def write(self, pairs: Pairs) -> None:
        lines = []
        for entry, found in pairs:
            # A labelled file has spans; those that were found take their place.
            self._check(entry, KEYS[2:])
            values = {x: y for x, y in entry.values.items() if x not in KEYS}
            new: dict[str, Any] = dict.fromkeys(KEYS)
            if found is not None:
                new = {
                    "spans": [[x.start, x.stop, x.polarity] for x in found],
                    "terms": [x.term for x in found],
                    "confidences": [round(x.confidence, DIGITS) for x in found],
                    "polarity_confidences": [
                        x.polarity_confidence and round(x.polarity_confidence, DIGITS)
                        for x in found
                    ],
                }
            try:
                lines.append(to_json({**values, **new}) + "\n")
            except (TypeError, RecursionError) as error:
                place = self._entries.place(entry)
                raise DataError(f"{place}: {error}. Leave the column out.") from None
        if lines:
            self._write("".join(lines))


class _CsvWriter(_LineWriter):
    """A row for each term, and one for a text without: the input's columns, COLUMNS."""

    _columns: list[str] | None = None

    def write(self, pairs: Pairs) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if self._columns is None:
            columns = self._entries.table.columns
            if columns is None:
                keys = (key for entry, _ in pairs for key in entry.values)
                columns = list(dict.fromkeys(keys))
            self._columns = columns
            writer.writerow([*columns, *COLUMNS])
        for entry, found in pairs:
            self._check(entry, COLUMNS)
            cells = [as_cell(entry.values.get(name)) for name in self._columns]
            for x in found or (None,):
                if x is None:
                    writer.writerow([*cells, *[""] * len(COLUMNS)])
                    continue
                share = x.polarity_confidence
                row = [x.term, x.start, x.stop, x.polarity or ""]
                row += [f"{x.confidence:.{DIGITS}f}"]
                row += ["" if share is None else f"{share:.{DIGITS}f}"]
                writer.writerow([*cells, *row])
        self._write(text.getvalue())


_WRITERS = {"lines": _LineWriter, "jsonl": _JsonWriter, "csv": _CsvWriter}
