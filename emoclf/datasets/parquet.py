"""Rows of Parquet files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emoclf.datasets.columns import find_columns
from emoclf.datasets.data_files import open_bytes
from emoclf.datasets.rows import Row, part_cell
from emoclf.errors import DataError
from emoclf.optional import require
from emoclf.settings import DataSettings


def read_parquet(
    path: Path, settings: DataSettings, *, compressed: bool
) -> Iterator[Row]:
    """Yield the rows of a Parquet file, numbered from 1.

    Raises
    ------
    DataError
        If the file is damaged or a column is missing.
    MissingDependency
        If pyarrow is not installed.
    """
    require_parquet()
    with open_bytes(path, compressed=compressed) as stream:
        # Parquet is read from its end, which gzip can reach only by unpacking it all.
        source: Any = io.BytesIO(stream.read()) if compressed else stream
        with parquet_file(source, source=str(path)) as file:
            names = file.schema_arrow.names
            columns = find_columns(names, settings, source=str(path))
            wanted = [names[i] for i in columns if i is not None]
            number = 0
            for batch in file.iter_batches(columns=wanted):
                for cells in zip(
                    *(batch.column(name).to_pylist() for name in wanted), strict=True
                ):
                    number += 1
                    part = None if columns.split is None else part_cell(cells[2])
                    yield Row(number, cells[0], cells[1], part)


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
def parquet_file(stream: Any, *, source: str, **options: Any) -> Iterator[Any]:
    """Open a Parquet file; what is wrong with it, also later on, is a DataError.

    Parameters
    ----------
    stream : path or binary stream that can seek
    source : str
        What errors call the file.
    **options
        Of ``pyarrow.parquet.ParquetFile``.
    """
    arrow, parquet = require_parquet()
    try:
        with parquet.ParquetFile(stream, **options) as file:
            yield file
    except (arrow.ArrowException, OSError) as error:
        raise DataError(
            f"{source} is not a sound Parquet file: {str(error).splitlines()[0]}"
        ) from None
