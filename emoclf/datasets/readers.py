"""Read labelled texts from a data file of any format."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from operator import itemgetter
from typing import Any

from emoclf.datasets.cells import LabelReader
from emoclf.datasets.columns import find_columns
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.records import Record, missing_key
from emoclf.datasets.rows import Row
from emoclf.datasets.source import Source
from emoclf.errors import DataError
from emoclf.settings import DataSettings

logger = logging.getLogger(__name__)

# Keys are collected from so many records, because an object may lack one of them.
_LOOK_AHEAD_RECORDS = 1000


def read_dataset(
    path: str | os.PathLike[str],
    settings: DataSettings | Mapping[str, Any] | None = None,
    *,
    label_names: Sequence[str] | None = None,
) -> Dataset:
    """Read labelled texts from a file; the ending of its name tells the format.

    Every row is read or the file is refused: the error names the line, what is wrong
    and what to do. Texts stay as they are; white space around a label is cut off.

    Parameters
    ----------
    path : path
        Its ending is .csv, .tsv, .jsonl, .ndjson or .parquet, or one of them and .gz.
    settings : DataSettings or mapping, optional
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
    settings = DataSettings.of(settings)
    reader = LabelReader(
        settings.label_names, classes=label_names, separator=settings.label_separator
    )
    names = (settings.text_column, settings.label_column, settings.split_column)
    with Source(
        path, encoding=settings.encoding, named_columns=names, labelled=True
    ) as source:
        dataset = Dataset.from_rows(
            _rows(source, names),
            reader,
            source=source.name,
            unit=source.unit,
            skip_bad_rows=settings.skip_bad_rows,
        )
        dataset = replace(dataset, text_column=source.text_column)
    for skip in dataset.skips:
        logger.warning("%s: %d rows left out: %s.", path, skip.count, skip.reason)
    return dataset


def _rows(source: Source, given: Sequence[str | None]) -> Iterator[Row]:
    table = source.read()
    names, records = table.columns, table.records
    if names is None:
        names, records = _collect_keys(table.records, source)
    columns = find_columns(names, given, source=source.name, advice=table.advice)
    source.text_column = names[columns.text]
    if table.labelled is not None:
        records = table.labelled(columns)
    cells_of = itemgetter(*(names[i] for i in columns if i is not None))
    for number, values, bad, _ in records:
        cells = ()
        if bad is None:
            try:
                cells = cells_of(values)
            except KeyError as error:
                bad = missing_key(values, error.args[0])
        yield Row(number, cells, bad)


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
