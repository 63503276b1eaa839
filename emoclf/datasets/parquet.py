"""Parquet files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain, count
from typing import Any

from emoclf.datasets.columns import Columns
from emoclf.datasets.records import Record, Table
from emoclf.datasets.source import Source
from emoclf.errors import DataError
from emoclf.optional import require

#: Rows that are turned into Python objects at a time.
BATCH_ROWS = 2048
#: Bytes that are read at a time, instead of a whole group of rows.
BUFFER_BYTES = 1 << 16


def read_parquet(source: Source) -> Table:
    """Return the rows, numbered from 1; of labelled ones only the columns needed.

    Raises
    ------
    DataError
        If the file is damaged.
    MissingDependency
        If pyarrow is not installed.
    """
    arrow, parquet = require_parquet()
    stream = source.seekable()
    sound = partial(_sound, source.name, (arrow.ArrowException, OSError))
    with sound():
        file = source.keep_open(
            parquet.ParquetFile(stream, pre_buffer=False, buffer_size=BUFFER_BYTES)
        )
        schema, n_rows = file.schema_arrow, file.metadata.num_rows

    def records(columns: Sequence[str] | None = None) -> Iterator[Record]:
        with sound():
            batches = file.iter_batches(batch_size=BATCH_ROWS, columns=columns)
            rows = chain.from_iterable(map(rows_of, batches))
            yield from map(Record, count(1), rows)

    def labelled(columns: Columns) -> Iterator[Record]:
        return records([schema.names[i] for i in columns.positions()])

    def text_type(kind: Any) -> Any:
        """Return the type with texts for bytes, which older writers do not mark."""
        types = arrow.types
        if types.is_binary(kind) or types.is_large_binary(kind):
            return arrow.large_string()
        if types.is_list(kind) or types.is_large_list(kind):
            return arrow.large_list(text_type(kind.value_type))
        return text_type(kind.value_type) if types.is_dictionary(kind) else kind

    def cells_of(column: Any) -> list[Any]:
        if (kind := text_type(column.type)) != column.type:
            with suppress(arrow.ArrowInvalid):  # bytes that are no UTF-8 stay bytes
                column = column.cast(kind)
        try:
            return column.to_pylist()
        except (arrow.ArrowException, ValueError, OverflowError):
            return [_cell(scalar) for scalar in column]

    def rows_of(batch: Any) -> Iterator[dict[str, Any]]:
        names = batch.schema.names
        for cells in zip(*map(cells_of, batch.columns), strict=True):
            yield dict(zip(names, cells, strict=True))

    return Table(
        list(schema.names),
        records(),
        "",
        labelled,
        schema,
        n_rows,
        _class_names(schema.metadata or {}),
    )


def _cell(scalar: Any) -> Any:
    """Return a value; the scalar itself if Python has no such date or time zone."""
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):
        return scalar


def nearest_value(scalar: Any) -> Any:
    """Return a value that Python has, with texts for dates and times that it lacks."""
    arrow, _ = require_parquet()
    types, kind = arrow.types, scalar.type
    if not isinstance(value := _cell(scalar), type(scalar)):
        return value
    if types.is_list(kind) or types.is_large_list(kind):
        return [nearest_value(item) for item in scalar.values]
    if types.is_struct(kind):
        return {field.name: nearest_value(scalar[field.name]) for field in kind}
    try:
        text = scalar.cast(arrow.string()).as_py()
    except arrow.ArrowInvalid:  # no such time zone here: the time is known in UTC
        text = f"{scalar.cast(arrow.timestamp(kind.unit)).cast(arrow.string())}Z"
    return text.replace(" ", "T")


def _class_names(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """Return the names of classes that the datasets library has written, by column."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"].items()
    except (KeyError, TypeError, AttributeError, ValueError):
        return {}
    names = {}
    for column, feature in features:
        # A list of classes is written in one of several ways.
        with suppress(KeyError, IndexError, TypeError):
            while "names" not in feature:
                feature = (
                    feature[0] if isinstance(feature, list) else feature["feature"]
                )
            names[column] = [str(name) for name in feature["names"]]
    return names


def require_parquet(needed_by: str = "reading Parquet") -> tuple[Any, Any]:
    """Return ``pyarrow`` and ``pyarrow.parquet``.

    Raises
    ------
    MissingDependency
        If pyarrow is not installed.
    """
    return (
        require("pyarrow", extra="parquet", needed_by=needed_by),
        require("pyarrow.parquet", extra="parquet", needed_by=needed_by),
    )


@contextmanager
def _sound(name: str, errors: tuple[type[Exception], ...]) -> Iterator[None]:
    """Raise the errors of pyarrow as DataError."""
    try:
        yield
    except errors as error:
        raise DataError(
            f"{name} is not a valid Parquet file: {str(error).splitlines()[0]}"
        ) from None
