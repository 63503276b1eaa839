"""Read a data file: CSV, TSV, JSON Lines or Parquet, plain or gzipped."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from emoclf.datasets.cells import LabelReader
from emoclf.datasets.data_files import file_format, read_lines
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.delimited import read_delimited
from emoclf.datasets.json_lines import read_json_lines
from emoclf.datasets.parquet import read_parquet
from emoclf.datasets.rows import Row
from emoclf.settings import DataSettings

logger = logging.getLogger(__name__)


def read_dataset(
    path: str | os.PathLike[str],
    settings: DataSettings | None = None,
    *,
    label_names: Sequence[str] | None = None,
) -> Dataset:
    """Read labelled texts from a file; the ending of its name tells the format.

    Every row is read or the file is refused: the error names the line, what is wrong
    and the way out. Texts stay as they are; white space around a label is cut off.

    Parameters
    ----------
    path : path
        A file that ends in .csv, .tsv, .jsonl, .ndjson or .parquet, or in one of
        them and .gz.
    settings : DataSettings, optional
        Columns, encoding, names of the labels, and whether bad rows are dropped
        (and counted in ``Dataset.skips``). In a CSV or TSV file without a header,
        columns are counted: ``text_column="1"``.
    label_names : sequence of str, optional
        The only classes there are, in their order: those of the training part, when
        this is another part of the data.

    Raises
    ------
    DataError
        If the file or a row of it cannot be used.
    SettingsError
        If there is no such encoding.
    MissingDependency
        If a Parquet file is to be read and pyarrow is not installed.

    Examples
    --------
    >>> from emoclf.settings import DataSettings
    >>> settings = DataSettings(label_names={"0": "neg", "1": "pos"})
    >>> read_dataset("reviews.csv", settings).counts()  # doctest: +SKIP
    {'neg': 1250, 'pos': 1250}
    """
    settings = settings or DataSettings()
    path, format, compressed = file_format(path)
    reader = LabelReader(
        names=settings.label_names,
        known=label_names,
        separator=settings.label_separator,
    )
    dataset = Dataset.from_rows(
        _rows(path, format, compressed, settings),
        reader,
        source=str(path),
        unit="row" if format == "parquet" else "line",
        skip_bad_rows=settings.skip_bad_rows,
    )
    for skip in dataset.skips:
        logger.warning("%s: %d rows left out: %s.", path, skip.count, skip.reason)
    return dataset


def _rows(
    path: Path, format: str, compressed: bool, settings: DataSettings
) -> Iterator[Row]:
    if format == "parquet":
        return read_parquet(path, settings, compressed=compressed)
    lines = read_lines(path, encoding=settings.encoding, compressed=compressed)
    if format == "jsonl":
        return read_json_lines(lines, settings, source=str(path))
    return read_delimited(lines, settings, source=str(path), format=format)
