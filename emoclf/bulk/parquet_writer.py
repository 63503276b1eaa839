"""Predictions as Parquet: the input's columns with their types, and new columns."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, BinaryIO, Self

from emoclf.bulk.predict_chunks import PredictedEntry
from emoclf.bulk.writers import NewColumns, Writer, change_within
from emoclf.datasets.cells import SURROGATE
from emoclf.datasets.parquet import require_parquet
from emoclf.errors import DataError

# Large groups of rows are fast to read, but take memory.
_GROUP_ROWS = 1 << 15
_GROUP_BYTES = 1 << 23


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

    def write(self, entries: Sequence[PredictedEntry]) -> None:
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

    def _begin(self, entries: Sequence[PredictedEntry]) -> None:
        arrow, new = self._arrow, self._new
        self._columns = new.input_columns(entries)
        label_type = arrow.string()
        if new.labels.multilabel:
            label_type = arrow.list_(label_type)
        self._schema = arrow.schema(
            [
                *self._input_fields(entries),
                arrow.field(new.label, label_type),
                *(arrow.field(name, arrow.float32()) for name in new.columns),
            ]
        )
        self._writer = self._parquet.ParquetWriter(self._stream, self._schema)

    def _input_fields(self, entries: Sequence[PredictedEntry]) -> list[Any]:
        arrow, source = self._arrow, self._new.entries
        if source.schema is not None:
            return list(source.schema)
        fields = []
        for name in self._columns:
            # A bad record may have a value of the wrong type.
            cells = [
                clean(predicted.entry.values.get(name))
                for predicted in entries
                if predicted.entry.bad is None
            ]
            try:
                type_ = arrow.infer_type(cells)
            except (arrow.ArrowException, OverflowError) as error:
                raise self._no_one_type(name, error) from None
            # Later values of a column of nulls are texts if anything.
            type_ = arrow.string() if arrow.types.is_null(type_) else type_
            fields.append(arrow.field(name, type_))
        return fields

    def _table(self, entries: Sequence[PredictedEntry]) -> Any:
        arrow, new = self._arrow, self._new
        arrays = []
        for field in list(self._schema)[: len(self._columns)]:
            cells = [predicted.entry.values.get(field.name) for predicted in entries]
            arrays.append(self._array(cells, field, entries))
        if new.entries.columns is None:
            columns = set(self._columns)
            for predicted in entries:
                if not predicted.entry.values.keys() <= columns:
                    new.check_keys(predicted, self._columns, "Parquet")
        label_type = self._schema.field(len(self._columns)).type
        arrays.append(
            arrow.array([predicted.label for predicted in entries], label_type)
        )
        rows = [predicted.probabilities for predicted in entries]
        for i in range(len(new.columns)):
            column = [None if row is None else row[i] for row in rows]
            arrays.append(arrow.array(column, arrow.float32()))
        return arrow.Table.from_arrays(arrays, schema=self._schema)

    def _array(
        self, cells: list[Any], field: Any, entries: Sequence[PredictedEntry]
    ) -> Any:
        arrow = self._arrow
        errors = (arrow.ArrowException, ValueError, TypeError, OverflowError)
        try:
            return arrow.array(cells, field.type)
        except UnicodeEncodeError:
            # Parquet cannot contain the lone surrogates of JSON: U+FFFD, as in texts.
            return self._array([clean(cell) for cell in cells], field, entries)
        except errors:
            pass
        for i, (predicted, cell) in enumerate(zip(entries, cells, strict=True)):
            try:
                arrow.array([cell], field.type)
            except errors:
                if predicted.entry.bad is None:
                    raise DataError(
                        f"{self._new.place(predicted)}: {field.name!r} is "
                        f"{cell!r:.80}, and the column has the type {field.type}. "
                        "Give the column one type, or write .jsonl."
                    ) from None
                # A value of a bad record that does not fit is left out.
                cells[i] = None
        try:
            return arrow.array(cells, field.type)
        except errors as error:
            raise self._no_one_type(field.name, error) from None

    def _no_one_type(self, name: str, error: Exception) -> DataError:
        return DataError(
            f"{self._new.entries.source.name}: {name!r} cannot be a column of "
            f"Parquet: {str(error).splitlines()[0]}. Give it one type, or write .jsonl."
        )


def clean(value: Any) -> Any:
    """Replace lone surrogates by U+FFFD, within lists and objects too."""

    def replace(item: Any) -> Any:
        return SURROGATE.sub("\ufffd", item) if isinstance(item, str) else item

    return change_within(replace, value)
