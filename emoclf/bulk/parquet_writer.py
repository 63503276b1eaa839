"""Predictions as Parquet: the input's columns with their types, and new columns."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, BinaryIO, Self

from emoclf.bulk.entries import Entry
from emoclf.bulk.new_columns import NewColumns
from emoclf.bulk.writers import Writer
from emoclf.bulk.written_values import change_within
from emoclf.datasets.cells import SURROGATE, excerpt
from emoclf.datasets.parquet import require_parquet
from emoclf.errors import DataError

# Large groups of rows are fast to read, but take memory.
_GROUP_ROWS = 1 << 15
_GROUP_BYTES = 1 << 23
# Levels of a schema that Parquet's readers accept in a column.
_MAX_LEVELS = 98


class ParquetWriter(Writer):
    """Writes groups of rows.

    Columns of a Parquet input keep their types; others get the types of the first
    chunk.

    Parameters
    ----------
    stream : binary stream
    new : NewColumns

    Raises
    ------
    MissingDependency
        If pyarrow is not installed.
    """

    def __init__(self, stream: BinaryIO, new: NewColumns) -> None:
        self._arrow, self._parquet = require_parquet("writing Parquet")
        self._stream = stream
        self._new = new
        self._columns: list[str] = []
        self._schema: Any = None
        self._writer: Any = None
        self._waiting: list[Any] = []

    @classmethod
    def for_file(cls, stream: BinaryIO, new: NewColumns) -> Self:
        return cls(stream, new)

    @classmethod
    def check_packages(cls) -> None:
        require_parquet("writing Parquet")

    def write(self, entries: Sequence[Entry]) -> None:
        if self._writer is None:
            self._begin(entries)
        self._waiting.append(self._table(entries))
        rows = sum(table.num_rows for table in self._waiting)
        size = sum(table.nbytes for table in self._waiting)
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            self._flush()

    def finish(self) -> None:
        """Write the last group and the end of the file."""
        if self._writer is None:
            self._begin([])
        self._flush()
        self._writer.close()

    def abandon(self) -> None:
        """Close the file before pyarrow does it later, when the stream is closed."""
        if self._writer is not None:
            with suppress(OSError, ValueError):
                self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(self._arrow.concat_tables(self._waiting))
            self._waiting = []

    def _begin(self, entries: Sequence[Entry]) -> None:
        arrow, new = self._arrow, self._new
        self._columns = new.input_columns(entries)
        fields = new.entries.table.schema or [
            (clean(name), self._type_of(name, entries)) for name in self._columns
        ]
        added = zip(new.names(), new.arrow_types(arrow), strict=True)
        self._schema = arrow.schema([*fields, *added])
        self._writer = self._parquet.ParquetWriter(self._stream, self._schema)

    def _type_of(self, name: str, entries: Sequence[Entry]) -> Any:
        arrow = self._arrow
        # A bad record may have a value of the wrong type.
        good = [entry for entry in entries if not entry.bad]
        for entry in good:
            if (levels := _levels(entry.values.get(name))) > _MAX_LEVELS:
                raise DataError(
                    f"{self._new.entries.place(entry)}: {name!r} has {levels} levels "
                    "of lists (two each) and objects, and Parquet files have "
                    f"{_MAX_LEVELS} at most. Leave it out, or write .jsonl."
                )
        cells = [clean(entry.values.get(name)) for entry in good]
        try:
            type_ = arrow.infer_type(cells)
        except (arrow.ArrowException, OverflowError) as error:
            raise self._no_one_type(name, error) from None
        # Later values of a column of nulls are texts if anything.
        return arrow.string() if arrow.types.is_null(type_) else type_

    def _table(self, entries: Sequence[Entry]) -> Any:
        arrow, new = self._arrow, self._new
        new.check_keys(entries, self._columns, "Parquet")
        fields = list(self._schema)
        n_input = len(self._columns)
        arrays = [
            self._array(name, field, entries)
            for name, field in zip(self._columns, fields[:n_input], strict=True)
        ]
        # Without entries there are no rows to take columns from.
        columns = list(zip(*map(new.typed_values, entries), strict=True))
        for i, field in enumerate(fields[n_input:]):
            arrays.append(arrow.array(columns[i] if columns else [], field.type))
        return arrow.Table.from_arrays(arrays, schema=self._schema)

    def _array(self, name: str, field: Any, entries: Sequence[Entry]) -> Any:
        arrow = self._arrow
        errors = (
            *(arrow.ArrowException, ValueError, TypeError, OverflowError),
            RecursionError,
        )
        cells = [entry.values.get(name) for entry in entries]
        try:
            return arrow.array(cells, field.type)
        except UnicodeEncodeError:
            # Parquet cannot contain the lone surrogates of JSON: U+FFFD, as in texts.
            cells = [
                cell if _levels(cell) > _MAX_LEVELS else clean(cell) for cell in cells
            ]
        except errors:
            pass
        for i, (entry, cell) in enumerate(zip(entries, cells, strict=True)):
            try:
                arrow.array([cell], field.type)
            except errors:
                if entry.bad is None:
                    raise DataError(
                        f"{self._new.entries.place(entry)}: {name!r} is "
                        f"{excerpt(cell)}, and the column has the type {field.type}. "
                        "Give the column one type, or write .jsonl."
                    ) from None
                # A value of a bad record that does not fit is left out.
                cells[i] = None
        try:
            return arrow.array(cells, field.type)
        except errors as error:
            raise self._no_one_type(name, error) from None

    def _no_one_type(self, name: str, error: Exception) -> DataError:
        return DataError(
            f"{self._new.entries.source.name}: {name!r} cannot be a column of "
            f"Parquet: {str(error).splitlines()[0]}. Give it one type, or write .jsonl."
        )


def _levels(value: Any) -> int:
    """Return the levels of a value in a schema; it may be too deep for recursion."""
    levels, inner = 0, [value]
    while inner := [x for x in inner if isinstance(x, dict | list)]:
        levels += 2 if any(isinstance(x, list) for x in inner) else 1
        inner = [y for x in inner for y in (x.values() if isinstance(x, dict) else x)]
    return levels


def clean(value: Any) -> Any:
    """Replace lone surrogates by U+FFFD, within lists and objects too."""

    def replace(item: Any) -> Any:
        return SURROGATE.sub("\ufffd", item) if isinstance(item, str) else item

    return change_within(replace, value)
