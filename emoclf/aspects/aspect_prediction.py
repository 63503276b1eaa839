"""Terms and polarities of whole files of texts, in order and in constant memory."""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO, cast

from emoclf.aspects.aspect_model import AspectModel, Opinion
from emoclf.aspects.term_summary import TermSummary
from emoclf.bulk.entries import Entries, Entry
from emoclf.bulk.file_prediction import Progress, progress_in
from emoclf.bulk.predict_chunks import Labels
from emoclf.bulk.writers import NewColumns, as_cell, to_json
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
    prefix: str | None = None,
    on_error: str = "stop",
    min_confidence: float = 0.0,
    overwrite: bool = False,
    summary: TermSummary | None = None,
    report: Callable[[Progress], object] | None = None,
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
max_line_bytes, prefix
        As for :func:`emoclf.predict_file`.
    on_error : {"stop", "skip", "null"}, default="stop"
        Raise at a bad record; or log it, and leave it out or keep it without terms.
    min_confidence : float in [0, 1], default=0
        Leave out terms of lower confidence.
    overwrite : bool, default=False
        Replace an existing output file.
    summary : TermSummary, optional
        Counts the terms.
    report : function of Progress, optional
        Called after each chunk.

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
        replaces_source = (
            isinstance(output, str | os.PathLike)
            and opened.path is not None
            and os.path.exists(output)
            and os.path.samefile(output, opened.path)
        )
        entries = Entries(opened, text_column, on_error=on_error, at_once=is_stream)
        with _target(output, output_format, overwrite) as (write, name):
            names = KEYS if name == "jsonl" else COLUMNS
            writer = _WRITERS[name](write, TermColumns(entries, names, prefix))
            n_texts = n_terms = n_written = 0
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
                n_written += len(chunk)
                if report is not None:
                    report(progress_in(entries, n_texts, n_written))
            writer.write([])
            if entries.n_bad and not n_texts:
                raise DataError(
                    f"{opened.name}: all of its {entries.n_bad:,} {opened.unit}s are "
                    "bad. The first ones are named above."
                )
            if entries.n_bad and replaces_source:
                raise DataError(
                    f"{opened.name} is input and output, and {entries.n_bad:,} of its "
                    f"{opened.unit}s are bad, so it is unchanged. Write to another "
                    "file, or correct them."
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
    others_error: OSError | None = None
    try:
        with new_file(path, overwrite=overwrite) as stream, ExitStack() as stack:
            if compressed:
                # No name and no time: equal predictions make equal files.
                packed = gzip.GzipFile("", "wb", fileobj=stream, mtime=0)
                stream = cast(BinaryIO, stack.enter_context(packed))

            def write_file(text: str) -> None:
                try:
                    stream.write(utf8(text))
                except OSError as error:
                    raise _cannot_write(path, error) from error

            try:
                yield write_file, ENDINGS[ending]
            except OSError as error:
                others_error = error  # The model's, or the input's.
                raise
    except OSError as error:
        if error is others_error:
            raise
        if isinstance(error, FileExistsError):
            raise DataError(exists_already(path)) from error
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> DataError:
    return DataError(f"Cannot write {path}: {error.strerror or error}.")


class TermColumns(NewColumns):
    """Names of the new columns, or keys, beside those of the input."""

    def __init__(
        self, entries: Entries, names: Sequence[str], prefix: str | None
    ) -> None:
        self._names = names
        super().__init__(entries, Labels((), multilabel=False), prefix)

    def _set_prefix(self, prefix: str) -> None:
        super()._set_prefix(prefix)
        self.columns = [prefix + name for name in self._names]
        # The first and the last one, for a message.
        self.label, self.probabilities = self.columns[0], self.columns[-1]

    def _clash(self, keys: Collection[str], as_object: bool) -> str | None:
        return next((name for name in self.columns if name in keys), None)


Pairs = Sequence[tuple[Entry, list[Opinion] | None]]


class _LineWriter:
    """A line for each text: ``service (positive 0.93), food (negative 0.81)``."""

    _columns: list[str] | None = None

    def __init__(self, write: Write, new: TermColumns) -> None:
        self._write = write
        self._new = new

    def _begin(self, pairs: Pairs) -> list[str]:
        """Return the input's columns; the first chunk decides the prefix."""
        if self._columns is None:
            chunk = [entry for entry, _ in pairs]
            self._columns = self._new.input_columns(chunk, as_object=True)
        return self._columns

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


class _JsonWriter(_LineWriter):
    """An object for each text: the input's keys and those of ``KEYS``."""

    def write(self, pairs: Pairs) -> None:
        lines = []
        self._begin(pairs)
        for entry, found in pairs:
            place = self._new.entries.place(entry)
            taken = next((x for x in self._new.columns if x in entry.values), None)
            if taken is not None:
                raise self._new.exists(taken, place)
            new: list[Any] = [None] * len(KEYS)
            if found is not None:
                new = [
                    [[x.start, x.stop, x.polarity] for x in found],
                    [x.term for x in found],
                    [round(x.confidence, DIGITS) for x in found],
                    [
                        x.polarity_confidence and round(x.polarity_confidence, DIGITS)
                        for x in found
                    ],
                ]
            pairs_new = zip(self._new.columns, new, strict=True)
            try:
                lines.append(to_json({**entry.values, **dict(pairs_new)}) + "\n")
            except (TypeError, RecursionError) as error:
                raise DataError(f"{place}: {error}. Leave the column out.") from None
        if lines:
            self._write("".join(lines))


class _CsvWriter(_LineWriter):
    """A row for each term, and one for a text without: the input's columns, COLUMNS."""

    def write(self, pairs: Pairs) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        is_first = self._columns is None
        columns = self._begin(pairs)
        if is_first:
            writer.writerow([*columns, *self._new.columns])
        self._new.check_keys([entry for entry, _ in pairs], columns, "CSV")
        for entry, found in pairs:
            cells = [as_cell(entry.values.get(name)) for name in columns]
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
