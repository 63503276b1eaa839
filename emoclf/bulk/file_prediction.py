"""Answer a whole file: records in, answers out, in constant memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, TextIO

from emoclf._moved import renamed_argument
from emoclf.bulk.predict_chunks import Answerer, load_classifier
from emoclf.bulk.predict_workers import Workers
from emoclf.bulk.record_chunks import Chunks
from emoclf.bulk.record_reader import Entries
from emoclf.bulk.sources import Source
from emoclf.bulk.targets import FileTarget, StreamTarget
from emoclf.bulk.writers import Added, Writer
from emoclf.classifier import Classifier
from emoclf.errors import DataError, SettingsError, setting


class Progress(NamedTuple):
    """How far a file is answered.

    Parameters
    ----------
    answered : int
        Texts.
    done : int
        Bytes of the file that were read; of a Parquet file, rows.
    total : int or None
        Where ``done`` ends; None for standard input.
    """

    answered: int
    done: int
    total: int | None


class Summary(NamedTuple):
    """What came of a file.

    Parameters
    ----------
    answered : int
        Texts.
    bad : int
        Records that could not be answered.
    """

    answered: int
    bad: int


@renamed_argument("force", "overwrite")
def predict_file(
    model: str | os.PathLike[str] | Classifier,
    source: str | os.PathLike[str],
    output: str | os.PathLike[str] | TextIO,
    *,
    format: str | None = None,
    output_format: str = "labels",
    text_column: str | None = None,
    encoding: str = "utf-8",
    prefix: str = "",
    on_error: str = "stop",
    overwrite: bool = False,
    workers: int = 1,
    options: dict[str, Any] | None = None,
    report: Callable[[Progress], object] | None = None,
) -> Summary:
    """Answer every text of a file, in order and in constant memory.

    What stands beside a text is kept; its label and the probabilities are added:
    ``label`` (``labels`` where a text may have several) and, in JSON,
    ``probabilities``, else a column ``probability_…`` for each class.

    Parameters
    ----------
    model : path or Classifier
        A bundle, or any export.
    source : path, or "-" for standard input
        Plain lines, CSV, TSV, JSON Lines or Parquet, plain or .gz.
    output : path or text stream
        A path ends in .jsonl, .csv, .tsv (also with .gz) or .parquet; the file is there
        whole or not at all.
    format : {"lines", "csv", "tsv", "jsonl", "parquet"}, optional
        Of the source; by default its ending says it.
    output_format : {"labels", "probabilities", "jsonl", "csv", "tsv"}
        What is written to a stream.
    text_column : str, optional
        Column or key of the texts; by default the one that is usually called so. In a
        file without a header columns are counted: ``"1"``.
    encoding : str, default="utf-8"
        Of plain lines, CSV, TSV and JSON Lines.
    prefix : str
        Set before the names of what is added.
    on_error : {"stop", "skip", "null"}, default="stop"
        Raise at a bad line; or log it, and leave it out or keep it without an answer.
        In plain lines none is bad: wrong bytes become U+FFFD.
    overwrite : bool, default=False
        Replace an output file that is there.
    workers : int >= 1, default=1
        Processes. Above 1 they are spawned and load the model themselves, so that
        ``model`` must be a path, and a script needs ``if __name__ == "__main__":``.
    options : dict, optional
        Of a folded export: ``precision``, ``engine``.
    report : function of Progress, optional
        Called after each chunk.

    Returns
    -------
    summary : Summary

    Raises
    ------
    DataError
        If the source cannot be read, a line of it is bad, none can be answered, or the
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
    with Source(source, format, encoding) as opened:
        entries = Entries(opened, text_column)
        chunks = Chunks(entries, on_error=on_error, at_once=target.at_once)
        with _answerer(model, workers, options or {}) as answerer:
            added = Added(entries, answerer.labels, prefix)
            with target.open(added) as writer:
                return _answer_all(answerer, chunks, writer, report)


def _answer_all(
    answerer: Answerer | Workers,
    chunks: Chunks,
    writer: Writer,
    report: Callable[[Progress], object] | None,
) -> Summary:
    answered = done = 0
    for answers in answerer.answers(chunks):
        writer.write(answers)
        answered += sum(answer.label is not None for answer in answers)
        done += len(answers)
        if report is not None:
            report(_progress(chunks.entries, answered, done))
    if chunks.n_bad and not answered:
        source = chunks.entries.source
        raise DataError(
            f"{source.name}: none of its {chunks.n_bad:,} {source.unit}s can be "
            "answered; each was named with its reason. Look at the first, and whether "
            f"{setting('format')} and {setting('text_column')} are right."
        )
    return Summary(answered, chunks.n_bad)


def _answerer(
    model: str | os.PathLike[str] | Classifier, workers: int, options: dict[str, Any]
) -> AbstractContextManager[Answerer | Workers]:
    if workers < 1:
        raise SettingsError(
            f"{setting('workers', workers)} is too few. There must be at least 1."
        )
    if isinstance(model, Classifier):
        if workers > 1 or options:
            raise SettingsError(
                "workers and options are for a model that is loaded here. Got a "
                f"{type(model).__name__} instead of its path; give the path."
            )
        return nullcontext(Answerer(model))
    if workers > 1:
        return Workers(model, workers, options)
    return nullcontext(Answerer(load_classifier(model, **options)))


def _progress(entries: Entries, answered: int, done: int) -> Progress:
    if entries.n_rows is not None:
        return Progress(answered, done, entries.n_rows)
    return Progress(answered, entries.source.position, entries.source.size)
