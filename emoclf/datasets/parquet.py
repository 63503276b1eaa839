"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
            rows = chain.from_iterable(batch.to_pylist() for batch in batches)
            yield from map(Record, count(1), rows)

    def labelled(columns: Columns) -> Iterator[Record]:
        return records([schema.names[i] for i in columns.positions()])

    return Table(list(schema.names), records(), "", labelled, schema, n_rows)


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
