"""Predict a whole file in constant memory."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, TextIO

from emoclf.bulk.entries import Entries
from emoclf.bulk.new_columns import NewColumns
from emoclf.bulk.predict_chunks import ChunkPredictor, load_classifier
from emoclf.bulk.predict_workers import Workers
from emoclf.bulk.targets import FileTarget, StreamTarget
from emoclf.bulk.writers import Writer
from emoclf.classifier import Classifier
from emoclf.datasets.source import Source
from emoclf.display import count_of
from emoclf.errors import DataError, SettingsError, setting
from emoclf.ready import model_path
from emoclf.runtime import check_count
from emoclf.settings import DataSettings

logger = logging.getLogger(__name__)


class Progress(NamedTuple):
    """Progress in a file.

    Parameters
    ----------
    predicted : int
        Number of texts predicted.
    done : int
        Bytes of the file that were read; of a Parquet file, rows.
    total : int or None
        Bytes or rows of the whole file; None for standard input.
    """

    predicted: int
    done: int
    total: int | None


class _Counts(NamedTuple):
    predicted: int
    bad: int


class Summary(_Counts):
    """Result of predicting a file; a pair of the first two numbers.

    Parameters
    ----------
    predicted : int
        Number of texts predicted.
    bad : int
        Number of records without a prediction.

    Attributes
    ----------
    withheld : int
        Number of texts whose label was withheld.
    """

    withheld = 0


def predict_file(
    model: str | os.PathLike[str] | Classifier,
    source: str | os.PathLike[str],
    output: str | os.PathLike[str] | TextIO,
    *,
    format: str | None = None,
    output_format: str = "labels",
    text_column: str | None = None,
    header: bool | None = None,
    separator: str | None = None,
    quoting: str = "auto",
    encoding: str = "utf-8",
    encoding_errors: str = "strict",
    max_line_bytes: int | None = None,
    prefix: str | None = None,
    on_error: str = "stop",
    abstain_below: float | None = None,
    overwrite: bool = False,
    workers: int = 1,
    options: dict[str, Any] | None = None,
    report: Callable[[Progress], object] | None = None,
) -> Summary:
    """Predict every text of a file, in order and in constant memory.

    The source's columns stay as they are, those of a labelled file too; the label and
    the probabilities are added after them: ``label`` (``labels`` if multilabel) and, in
    JSON, ``probabilities``, else a column ``probability_…`` for each class.

    Parameters
    ----------
    model : path or Classifier
        Bundle, export of any format, or name of a ready classifier.
    source : path, or "-" for standard input
        Plain lines, CSV, TSV, JSON Lines or Parquet, plain or .gz.
    output : path or text stream
        A path ends in .jsonl, .csv, .tsv (also with .gz) or .parquet; the file is
        complete or absent.
    format : str, optional
        Format of the source, a name of ``emoclf.datasets.input_formats.READERS``; by
        default its ending decides.
    output_format : {"labels", "probabilities", "jsonl", "csv", "tsv"}
        Format of a stream.
    text_column : str, optional
        Column or key of the texts; by default the one with a usual name. In a file
        without a header columns are counted: ``"1"``.
    header : bool, optional
        Whether the first row of CSV or TSV contains the column names; by default
        recognised where it is certain.
    separator : str, optional
        Separator of the cells of CSV or TSV: a character, or tab, comma, semicolon or
        bar; by default recognised in files where it is certain. A file with an unknown
        ending is read as CSV or TSV if it is given.
    quoting : {"auto", "csv", "none"}
        Quotes around cells; "auto": in tab-separated files if all quotes fit.
    encoding : str, default="utf-8"
        Encoding of plain lines, CSV, TSV and JSON.
    encoding_errors : {"strict", "replace", "skip"}
        A line with bytes that are not of the encoding is bad, or they become U+FFFD, or
        it is left out.
    max_line_bytes : int, optional
        Longest line, or cell of CSV, that is read; a longer one is bad. Default:
        16,777,216 for lines, and 131,072 for cells.
    prefix : str, optional
        Prefix of the names of new columns; by default ``"predicted_"`` if the source
        has one of these columns already, as a labelled file does, or, if multilabel, a
        column with a usual name for labels; else none.
    on_error : {"stop", "skip", "null"}, default="stop"
        Raise at a bad line; or log it, and leave it out or keep it without a
        prediction. In plain lines wrong bytes become U+FFFD.
    abstain_below : float in [0, 1], optional
        Withhold labels with a lower probability, and labels of texts without a known
        token: they are null, or empty in CSV; the probabilities are written.
    overwrite : bool, default=False
        Replace an existing output file.
    workers : int >= 1, default=1
        Number of processes. Above 1 they are spawned and load the model themselves, so
        that ``model`` must be a path, and a script needs
        ``if __name__ == "__main__":``.
    options : dict, optional
        Options of a folded export: ``precision`` and ``engine``.
    report : function of Progress, optional
        Function that is called after each chunk.

    Returns
    -------
    summary : Summary

    Raises
    ------
    DataError
        If the source cannot be read, a line of it is bad, there is no good line, or the
        output cannot be written.
    BundleError
        If the model cannot be loaded.
    WorkerError
        If a worker process fails or is killed.
    SettingsError
        If an argument is wrong.
    """
    if isinstance(output, str | os.PathLike):
        target: FileTarget | StreamTarget = FileTarget(output, overwrite=overwrite)
    else:
        target = StreamTarget(output, output_format)
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
        replaces_source = opened.path is not None and target.is_file(opened.path)
        entries = Entries(
            opened, text_column, on_error=on_error, at_once=target.at_once
        )
        with _predictor(model, workers, options or {}, abstain_below) as predictor:
            new = NewColumns(
                entries, predictor.labels, prefix, abstains=abstain_below is not None
            )
            with target.open(new) as writer:
                summary = _predict_all(predictor, entries, writer, report)
                if summary.bad and replaces_source:
                    raise DataError(
                        f"{opened.name} is input and output, and {summary.bad:,} of "
                        f"its {opened.unit}s have no prediction, so it is unchanged. "
                        "Write to another file, or correct them."
                    )
                return summary


def progress_in(entries: Entries, n_predicted: int, n_written: int) -> Progress:
    """Return the progress in a source."""
    done, total = entries.source.position, entries.source.size
    if entries.table.n_records is not None:
        done, total = n_written, entries.table.n_records
    return Progress(n_predicted, done, total)


def _predict_all(
    predictor: ChunkPredictor | Workers,
    entries: Entries,
    writer: Writer,
    report: Callable[[Progress], object] | None,
) -> Summary:
    source = entries.source
    n_predicted = n_written = n_withheld = n_empty = 0
    for chunk in predictor.predict(entries):
        writer.write(chunk)
        n_predicted += sum(entry.bad is None for entry in chunk)
        n_written += len(chunk)
        n_withheld += sum(
            entry.label is None and entry.probabilities is not None for entry in chunk
        )
        n_empty += sum(bool(entry.label) and not entry.text.strip() for entry in chunk)
        if report is not None:
            report(progress_in(entries, n_predicted, n_written))
    if n_empty:
        cure = ""
        if not predictor.labels.multilabel:
            cure = f" With {setting('abstain_below', 0.01)} it is withheld."
        logger.warning(
            "%s without words: such a label means nothing.%s",
            count_of("text", n_empty),
            cure,
        )
    if entries.n_bad and not n_predicted:
        raise DataError(
            f"{source.name}: all of its {entries.n_bad:,} {source.unit}s are bad; each "
            "was named with its reason. Check the first one, and whether "
            f"{setting('format')} and {setting('text_column')} are right."
        )
    summary = Summary(n_predicted, entries.n_bad)
    summary.withheld = n_withheld
    return summary


def _predictor(
    model: str | os.PathLike[str] | Classifier,
    workers: int,
    options: dict[str, Any],
    abstain_below: float | None,
) -> AbstractContextManager[ChunkPredictor | Workers]:
    if workers < 1:
        raise SettingsError(
            f"{setting('workers', workers)} is too few. There must be at least 1."
        )
    check_count("workers", workers)
    if not isinstance(model, str | os.PathLike | Classifier):
        from emoclf.predictor import as_predictor  # An export needs no TensorFlow.

        model = as_predictor(model)
    if isinstance(model, str):
        model = model_path(model)
    if isinstance(model, Classifier):
        if workers > 1 or options:
            raise SettingsError(
                "workers and options need the path of a model. Got a "
                f"{type(model).__name__} instead; give its path."
            )
        return nullcontext(ChunkPredictor(model, abstain_below))
    if workers > 1:
        return Workers(model, workers, options, abstain_below)
    classifier = load_classifier(model, **options)
    return nullcontext(ChunkPredictor(classifier, abstain_below))
