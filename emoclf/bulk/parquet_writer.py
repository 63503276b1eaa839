"""Answers as Parquet: the input's columns with their types, label and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, BinaryIO

from emoclf.bulk.predict_chunks import Answer
from emoclf.bulk.writers import Added, Writer
from emoclf.datasets.cells import SURROGATE
from emoclf.datasets.parquet import require_parquet
from emoclf.errors import DataError

# Large groups of rows read fast; memory must not grow with them.
_GROUP_ROWS = 1 << 15
_GROUP_BYTES = 1 << 23


class ParquetWriter(Writer):
    """Write groups of rows as chunks come.

    Columns of a Parquet input keep their types, those of CSV are strings, and those of
    JSON Lines get their types from the first chunk.

    Parameters
    ----------
    stream : binary stream
    added : Added

    Raises
    ------
    MissingDependency
        If pyarrow is not installed.
    """

    def __init__(self, stream: BinaryIO, added: Added) -> None:
        self._arrow, self._parquet = require_parquet("writing Parquet")
        self._stream = stream
        self._added = added
        self._columns: list[str] = []
        self._schema: Any = None
        self._writer: Any = None
        self._waiting: list[Any] = []

    def write(self, answers: Sequence[Answer]) -> None:
        if self._writer is None:
            self._begin(answers)
        self._waiting.append(self._table(answers))
        rows = sum(table.num_rows for table in self._waiting)
        size = sum(table.nbytes for table in self._waiting)
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            self._flush()

    def finish(self) -> None:
        """Write the last group, and what Parquet has at its end."""
        if self._writer is None:
            self._begin([])
        self._flush()
        self._writer.close()

    def abandon(self) -> None:
        """Close what pyarrow would close later, when the stream is gone."""
        if self._writer is not None:
            with suppress(OSError, ValueError):
                self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(self._arrow.concat_tables(self._waiting))
            self._waiting = []

    def _begin(self, answers: Sequence[Answer]) -> None:
        arrow, added = self._arrow, self._added
        self._columns = added.all_columns(answers)
        one = arrow.string()
        label = arrow.field(
            added.label, arrow.list_(one) if added.labels.multilabel else one
        )
        chances = [arrow.field(name, arrow.float32()) for name in added.columns]
        self._schema = arrow.schema([*self._own(answers), label, *chances])
        self._writer = self._parquet.ParquetWriter(self._stream, self._schema)

    def _own(self, answers: Sequence[Answer]) -> list[Any]:
        arrow, entries = self._arrow, self._added.entries
        if entries.schema is not None:
            return list(entries.schema)
        if entries.columns is not None:
            return [arrow.field(name, arrow.string()) for name in self._columns]
        found = []
        for name in self._columns:
            # What is wrong with a bad record may be the type.
            cells = [
                clean(answer.entry.values.get(name))
                for answer in answers
                if answer.entry.bad is None
            ]
            try:
                kind = arrow.infer_type(cells)
            except (arrow.ArrowException, OverflowError) as error:
                raise self._no_one_type(name, error) from None
            # A column of nulls will hold texts if anything.
            kind = arrow.string() if arrow.types.is_null(kind) else kind
            found.append(arrow.field(name, kind))
        return found

    def _table(self, answers: Sequence[Answer]) -> Any:
        arrow, added = self._arrow, self._added
        arrays = []
        for field in list(self._schema)[: len(self._columns)]:
            cells = [answer.entry.values.get(field.name) for answer in answers]
            arrays.append(self._array(cells, field, answers))
        if added.entries.columns is None:
            known = set(self._columns)
            for answer in answers:
                if not answer.entry.values.keys() <= known:
                    added.check_keys(answer, self._columns, "Parquet")
        label_type = self._schema.field(len(self._columns)).type
        arrays.append(arrow.array([answer.label for answer in answers], label_type))
        rows = [answer.probabilities for answer in answers]
        for i in range(len(added.columns)):
            column = [None if row is None else row[i] for row in rows]
            arrays.append(arrow.array(column, arrow.float32()))
        return arrow.Table.from_arrays(arrays, schema=self._schema)

    def _array(self, cells: list[Any], field: Any, answers: Sequence[Answer]) -> Any:
        arrow = self._arrow
        trouble = (arrow.ArrowException, ValueError, TypeError, OverflowError)
        try:
            return arrow.array(cells, field.type)
        except UnicodeEncodeError:
            # A lone surrogate can stand in JSON, but not here: U+FFFD, as in texts.
            return self._array([clean(cell) for cell in cells], field, answers)
        except trouble:
            pass
        for i, (answer, cell) in enumerate(zip(answers, cells, strict=True)):
            try:
                arrow.array([cell], field.type)
            except trouble:
                if answer.entry.bad is None:
                    raise DataError(
                        f"{self._added.where(answer)}: {field.name!r} is {cell!r:.80}, "
                        f"and the column holds {field.type}. Give the column one type, "
                        "or write .jsonl."
                    ) from None
                # Of a bad record only what fits is kept.
                cells[i] = None
        try:
            return arrow.array(cells, field.type)
        except trouble as error:
            raise self._no_one_type(field.name, error) from None

    def _no_one_type(self, name: str, error: Exception) -> DataError:
        return DataError(
            f"{self._added.entries.source.name}: {name!r} cannot be a column of "
            f"Parquet: {str(error).splitlines()[0]}. Give it one type, or write .jsonl."
        )


def clean(value: Any) -> Any:
    """Put U+FFFD for lone surrogates, within lists and objects too."""
    if isinstance(value, str):
        return SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item) for item in value]
    return value
