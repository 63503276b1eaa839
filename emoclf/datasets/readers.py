"""Read labelled texts from a data file of any format."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

from emoclf.datasets.columns import find_column, find_columns
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.label_reader import LabelReader
from emoclf.datasets.labels_file import join_labels
from emoclf.datasets.records import Record, collect_keys, missing_key
from emoclf.datasets.rows import Row
from emoclf.datasets.source import Source
from emoclf.settings import DataSettings

logger = logging.getLogger(__name__)


def read_dataset(
    path: str | os.PathLike[str],
    settings: DataSettings | Mapping[str, Any] | None = None,
    *,
    label_names: Sequence[str] | Mapping[Any, str] | None = None,
    keep_single_labels: bool = False,
    **flat: Any,
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
    settings : DataSettings or mapping, optional
        Columns, encoding, names of the labels, and whether bad rows are dropped
        (and counted in ``Dataset.skips``). In a CSV or TSV file without a header,
        columns are counted: ``text_column="1"``.
    label_names : sequence of str, or mapping, optional
        The only classes, in their order: those of the training set, when this is the
        validation or test set; or a name for each label, as in the settings.
    keep_single_labels : bool, default=False
        With ``skip_bad_rows``, whether rows are kept whose label no other row has.
    **flat
        Single settings, such as ``text_column="review"``, which override ``settings``.

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
    >>> names = {"0": "neg", "1": "pos"}
    >>> read_dataset("reviews.csv", label_names=names).counts()  # doctest: +SKIP
    {'neg': 1250, 'pos': 1250}
    """
    if isinstance(label_names, Mapping):
        flat["label_names"], label_names = label_names, None
    settings = DataSettings.of(settings, flat)
    with Source(path, settings, labelled=True) as source:
        table = source.read()
        vectors, has_texts = table.vectors, table.has_texts
        if settings.labels_file is not None:
            table, settings = join_labels(source, table, settings)
        names, records = collect_keys(table, source)
        columns = find_columns(
            names,
            (settings.text_column, settings.label_column, settings.split_column),
            label_columns=settings.label_columns,
            source=source.name,
            advice=table.advice,
        )
        if table.labelled is not None:
            records = table.labelled(columns)
        label_columns = settings.label_columns
        class_names = (
            () if label_columns else table.class_names.get(names[columns.label], ())
        )
        reader = LabelReader(
            settings.label_names or dict(enumerate(class_names)) or None,
            classes=label_names,
            separator=settings.label_separator,
            columns=[names[i] for i in columns.labels] if label_columns else None,
        )
        dataset = Dataset.from_rows(
            _rows(source, records, [names[i] for i in columns.positions()]),
            reader,
            source=source.name,
            unit=source.unit,
            skip_bad_rows=settings.skip_bad_rows,
            keep_single_labels=keep_single_labels,
            text_column=names[columns.text],
        )
        if vectors is not None:
            assert dataset.lines is not None
            row_vectors = tuple(vectors[number - 1] for number in dataset.lines)
            dataset = replace(dataset, vectors=row_vectors, has_texts=has_texts)
    for skip in dataset.skips:
        logger.warning("%s: %d rows left out: %s.", path, skip.count, skip.reason)
    return dataset


def read_column(
    path: str | os.PathLike[str], name: str, settings: DataSettings
) -> dict[int, str]:
    """Return the cells of any column, by the line or row of their record.

    Parameters
    ----------
    path : path
        File that :func:`read_dataset` reads; ``Dataset.lines`` has the same numbers.
    name : str
        Column or key; cells of records without it are empty.
    settings : DataSettings

    Raises
    ------
    DataError
        If no record has the column.
    """
    with Source(path, settings, labelled=True) as source:
        table = source.read()
        names, records = collect_keys(table, source)
        position = find_column(names, name, source=source.name, advice=table.advice)
        key = names[position]
        return {
            record.number: "" if (cell := record.values.get(key)) is None else str(cell)
            for record in records
            if record.bad is None
        }


def _rows(
    source: Source, records: Iterable[Record], names: Sequence[str]
) -> Iterator[Row]:
    cells_of = itemgetter(*names)
    for number, values, bad, last_line in records:
        cells = ()
        bad = source.bad_line(number, last_line) or bad
        if bad is None:
            try:
                cells = cells_of(values)
            except KeyError as error:
                bad = missing_key(values, error.args[0])
        yield Row(number, cells, bad)
