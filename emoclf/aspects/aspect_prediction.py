"""Terms and polarities of whole files of texts, in order and in constant memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple, TextIO

from emoclf.aspects.exports.exported_aspects import load_aspect_predictor
from emoclf.aspects.opinions import AspectPredictor, Opinion
from emoclf.aspects.term_summary import TermSummary
from emoclf.bulk.entries import Entries, Entry
from emoclf.bulk.file_prediction import Progress, progress_in
from emoclf.bulk.new_columns import NewColumns
from emoclf.bulk.output_formats import WRITERS, OutputFormat
from emoclf.bulk.predict_chunks import Labels
from emoclf.bulk.targets import FileTarget, StreamTarget
from emoclf.bulk.writers import TextWriter
from emoclf.datasets.source import Source
from emoclf.display import printable
from emoclf.errors import BundleError, DataError, SettingsError, setting
from emoclf.settings import DataSettings

#: Decimal places of confidences.
DIGITS = 4
#: Columns of tables that are added to those of the input: one row for each term.
COLUMNS = ("term", "start", "stop", "polarity", "confidence", "polarity_confidence")
#: Keys of JSON Lines that are added, with a list each.
KEYS = ("spans", "terms", "confidences", "polarity_confidences")
#: Formats of a stream of text.
STREAM_WRITERS = {
    "lines": OutputFormat((), "emoclf.aspects.aspect_prediction:LineWriter"),
    **{name: WRITERS[name] for name in ("csv", "tsv", "jsonl")},
}


class AspectCounts(NamedTuple):
    """Number of texts with a prediction, of terms, and of records without a text."""

    texts: int
    terms: int
    bad: int


def predict_aspects(
    model: AspectPredictor | str | os.PathLike[str],
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
    ``polarity_confidences``; CSV, TSV and Parquet have a row for each term, and one for
    a text without.

    Parameters
    ----------
    model : AspectModel or an exported one, or the path of its folder
    source : path, or "-" for standard input
        Plain lines, CSV, TSV, JSON Lines or Parquet, plain or .gz.
    output : path, text stream or None
        A path ends in .jsonl, .csv, .tsv (also with .gz) or .parquet; the file is
        complete or absent. None: only the summary is wanted.
    output_format : {"lines", "csv", "tsv", "jsonl"}
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
    if not isinstance(model, AspectPredictor):
        model = load_aspect_predictor(model)
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
    target: FileTarget | StreamTarget | None = None
    if isinstance(output, str | os.PathLike):
        target = FileTarget(output, overwrite=overwrite)
    elif output is not None:
        target = StreamTarget(output, output_format, STREAM_WRITERS)
    with Source(source, settings) as opened:
        replaces_source = bool(
            target and opened.path is not None and target.is_file(opened.path)
        )
        at_once = target is not None and target.at_once
        entries = Entries(opened, text_column, on_error=on_error, at_once=at_once)
        opening = target.open(TermColumns(entries, prefix)) if target else nullcontext()
        by_term = target is not None and target.format not in ("jsonl", "lines")
        with opening as writer:
            n_texts = n_terms = n_written = 0
            for chunk in entries.chunks():
                predicted = _predict(model, chunk, min_confidence)
                predictions = [x.prediction for x in predicted if x.bad is None]
                for opinions in predictions if summary is not None else ():
                    summary.add(opinions)  # type: ignore[union-attr]
                n_texts += len(predictions)
                n_terms += sum(map(len, predictions))
                n_written += len(chunk)
                if writer is not None:
                    writer.write(_rows(predicted) if by_term else predicted)
                if report is not None:
                    report(progress_in(entries, n_texts, n_written))
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


def _predict(
    model: AspectPredictor, chunk: Sequence[Entry], min_confidence: float
) -> list[Entry]:
    """Return the entries with their opinions; bad ones have None."""
    try:
        opinions = model.predict(entry.text for entry in chunk if entry.bad is None)
    except OSError as error:
        # A target would take it for an error of its own file.
        reason = error.strerror or error
        raise BundleError(f"The model cannot predict: {reason}.") from error
    predictions = iter(opinions)
    return [
        entry
        if entry.bad is not None
        else entry._replace(
            prediction=[x for x in next(predictions) if x.confidence >= min_confidence]
        )
        for entry in chunk
    ]


def _rows(entries: Iterable[Entry]) -> list[Entry]:
    """Return an entry for each term, and one for a text without."""
    return [
        entry._replace(prediction=opinion)
        for entry in entries
        for opinion in entry.prediction or [None]
    ]


class TermColumns(NewColumns):
    """Names and values of the new columns, or keys, beside those of the input."""

    def __init__(self, entries: Entries, prefix: str | None) -> None:
        super().__init__(entries, Labels((), multilabel=False), prefix)

    def names(self, *, as_object: bool = False) -> list[str]:
        return [self._prefix + name for name in (KEYS if as_object else COLUMNS)]

    def _shown(self, as_object: bool) -> tuple[str, str]:
        names = self.names(as_object=as_object)
        return names[0], names[-1]

    def cells(self, entry: Entry) -> list[str]:
        """Return the cells of one term."""
        values = self.typed_values(entry)
        return ["" if value is None else str(value) for value in values]

    def values(self, entry: Entry) -> list[Any]:
        """Return the lists of all terms of a text."""
        if entry.prediction is None:
            return [None] * len(KEYS)
        rows = [_values(opinion) for opinion in entry.prediction]
        columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
        terms, starts, stops, polarities, confidences, shares = map(list, columns)
        spans = [list(x) for x in zip(starts, stops, polarities, strict=True)]
        return [spans, terms, confidences, shares]

    def arrow_types(self, arrow: Any) -> list[Any]:
        text, number, share = arrow.string(), arrow.int64(), arrow.float64()
        return [text, number, number, text, share, share]

    def typed_values(self, entry: Entry) -> list[Any]:
        """Return the values of one term."""
        if entry.prediction is None:
            return [None] * len(COLUMNS)
        return _values(entry.prediction)


def _values(opinion: Opinion) -> list[Any]:
    """Return the values of a term, in the order of ``COLUMNS``."""
    share = opinion.polarity_confidence
    return [
        opinion.term,
        opinion.start,
        opinion.stop,
        opinion.polarity,
        round(opinion.confidence, DIGITS),
        None if share is None else round(share, DIGITS),
    ]


class LineWriter(TextWriter):
    """A line for each text: ``service (positive 0.93), food (negative 0.81)``."""

    def _line(self, entry: Entry) -> str:
        shown = (
            f"{printable(x.term)} ({printable(x.polarity or 'term')} "
            f"{x.polarity_confidence or x.confidence:.2f})"
            for x in entry.prediction or ()
        )
        return ", ".join(shown) + "\n"
