"""Read labelled texts from a data file of any format."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from operator import itemgetter

from emoclf.datasets.cells import LabelReader
from emoclf.datasets.columns import find_columns, find_text
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.input_formats import PLAIN_LINES
from emoclf.datasets.records import Record, Table, missing_key
from emoclf.datasets.rows import Row
from emoclf.datasets.source import Source
from emoclf.errors import DataError, SettingsError, setting
from emoclf.settings import DataSettings

logger = logging.getLogger(__name__)

# Keys are collected from so many records, because an object may lack one of them.
_LOOK_AHEAD_RECORDS = 1000


def read_dataset(
    path: str | os.PathLike[str],
    settings: DataSettings | None = None,
    *,
    label_names: Sequence[str] | None = None,
) -> Dataset:
    """Read labelled texts from a file; the ending of its name tells the format.

    Every row is read or the file is refused: the error names the line, what is wrong
    and what to do. Texts stay as they are; white space around a label is cut off.

    Parameters
    ----------
    path : path
        Its ending is .csv, .tsv, .jsonl, .ndjson, .json or .parquet, or one of them
        and .gz. Files with other endings, such as .txt, are read where their first
        lines tell the format.
    settings : DataSettings, optional
        Columns, encoding, names of the labels, and whether bad rows are dropped
        (and counted in ``Dataset.skips``). In a CSV or TSV file without a header,
        columns are counted: ``text_column="1"``.
    label_names : sequence of str, optional
        The only classes, in their order: those of the training set, when this is the
        validation or test set.

    Raises
    ------
    DataError
        If the file or a row of it cannot be used.
    SettingsError
        If there is no such encoding.
    MissingDependency
        If the file is Parquet and pyarrow is not installed.

    Examples
    --------
    >>> from emoclf.settings import DataSettings
    >>> settings = DataSettings(label_names={"0": "neg", "1": "pos"})
    >>> read_dataset("reviews.csv", settings).counts()  # doctest: +SKIP
    {'neg': 1250, 'pos': 1250}
    """
    settings = settings or DataSettings()
    reader = LabelReader(
        settings.label_names, classes=label_names, separator=settings.label_separator
    )
    with Source(path, settings, labelled=True) as source:
        rows = _rows if settings.labels_file is None else _paired_rows
        dataset = Dataset.from_rows(
            rows(source, source.read(), settings),
            reader,
            source=source.name,
            unit=source.unit,
            skip_bad_rows=settings.skip_bad_rows,
        )
    for skip in dataset.skips:
        logger.warning("%s: %d rows left out: %s.", path, skip.count, skip.reason)
    return dataset


def _rows(source: Source, table: Table, settings: DataSettings) -> Iterator[Row]:
    given = (settings.text_column, settings.label_column, settings.split_column)
    names, records = table.columns, table.records
    if names is None:
        names, records = _collect_keys(table.records, source)
    columns = find_columns(names, given, source=source.name, advice=table.advice)
    if table.labelled is not None:
        records = table.labelled(columns)
    cells_of = itemgetter(*(names[i] for i in columns if i is not None))
    for number, values, bad, last_line in records:
        cells = ()
        bad = source.bad_line(number, last_line) or bad
        if bad is None:
            try:
                cells = cells_of(values)
            except KeyError as error:
                bad = missing_key(values, error.args[0])
        yield Row(number, cells, bad)


def _paired_rows(source: Source, table: Table, settings: DataSettings) -> Iterator[Row]:
    """Yield the rows of a file of texts and a file with a label on each line."""
    files = settings.labels_file or ()
    names_of_files = (files,) if isinstance(files, str) else files
    if len(names_of_files) != 1:
        raise SettingsError(
            f"{setting('labels_file')} must name one file for {source.name}. Got "
            f"{files!r} instead."
        )
    labels_file = names_of_files[0]
    names, records = table.columns, table.records
    if names is None:
        names, records = _collect_keys(records, source)
    text = find_text(names, settings.text_column, source=source.name)
    texts = list(records)
    line_settings = replace(settings, format=PLAIN_LINES, labels_file=None)
    with Source(labels_file, line_settings, labelled=True) as labels_source:
        labels = [record.values["text"] for record in labels_source.read().records]
        bad_labels = {i: labels_source.bad_line(i) for i in range(1, len(labels) + 1)}
    if len(texts) != len(labels):
        raise DataError(
            f"{source.name} has {len(texts):,} texts and {labels_file} has "
            f"{len(labels):,} labels. Each text needs the label in the same line."
        )
    for i, (record, label) in enumerate(zip(texts, labels, strict=True), 1):
        number, values, bad, last_line = record
        bad = source.bad_line(number, last_line) or bad or bad_labels[i]
        if bad is None and text not in values:
            bad = missing_key(values, text)
        yield Row(number, () if bad else (values[text], label), bad)


def _collect_keys(
    records: Iterable[Record], source: Source
) -> tuple[list[str], Iterable[Record]]:
    rest = iter(records)
    first = list(islice(rest, _LOOK_AHEAD_RECORDS))
    keys = list(dict.fromkeys(key for record in first for key in record.values))
    if not keys:
        number, bad = (first[0].number, first[0].bad) if first else (1, None)
        raise DataError(
            f"{source.name}, {source.unit} {number}: {bad or 'there is no object'}."
        )
    return keys, chain(first, rest)
