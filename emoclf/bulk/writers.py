"""Predictions as text: JSON Lines, CSV, TSV, or one label a line."""

from __future__ import annotations

import csv
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, BinaryIO, Self

from emoclf.bulk.entries import Entry
from emoclf.bulk.new_columns import NewColumns
from emoclf.bulk.written_values import as_cell, to_json
from emoclf.datasets.cells import utf8
from emoclf.datasets.rows import names_of
from emoclf.display import printable
from emoclf.errors import DataError

logger = logging.getLogger(__name__)


class Writer(ABC):
    """Writes predictions chunk by chunk."""

    @classmethod
    @abstractmethod
    def for_file(cls, stream: BinaryIO, new: NewColumns) -> Writer:
        """Return a writer to an open binary file."""

    @classmethod  # noqa: B027 - most formats need none
    def check_packages(cls) -> None:
        """Raise MissingDependency if a package of the format is not installed."""

    @abstractmethod
    def write(self, entries: Sequence[Entry]) -> None:
        """Write one chunk."""

    def finish(self) -> None:  # noqa: B027 - most have written everything
        """Write the rest, including column names if there are no predictions."""

    def abandon(self) -> None:  # noqa: B027 - most have nothing open
        """Close what will not be finished."""


class TextWriter(Writer):
    """Writes text, to a file or to an open stream.

    Parameters
    ----------
    write : function of str
    new : NewColumns
    ascii : bool
        Escape all letters beyond ASCII, where the format has escapes.
    """

    def __init__(
        self, write: Callable[[str], Any], new: NewColumns, *, ascii: bool = False
    ) -> None:
        self._write = write
        self._new = new
        self._ascii = ascii

    @classmethod
    def for_file(cls, stream: BinaryIO, new: NewColumns) -> Self:
        return cls(lambda text: stream.write(cls.encode(text)), new)

    encode = staticmethod(utf8)

    def write(self, entries: Sequence[Entry]) -> None:
        self._write("".join(map(self._line, entries)))

    def _line(self, entry: Entry) -> str:
        raise NotImplementedError


class LabelWriter(TextWriter):
    """A label and its probability a line."""

    def _line(self, entry: Entry) -> str:
        if entry.probabilities is None:
            return "\t\n"
        labels = names_of(entry.label or ())
        by_name = dict(zip(self._new.labels.names, entry.probabilities, strict=True))
        if entry.label is None:
            # Withheld: the largest probability is shown all the same.
            labels_shown = (max(by_name, key=by_name.__getitem__),)
            return f"\t{self._cells(labels_shown, by_name)}\t{entry.withheld}\n"
        return f"{printable(','.join(labels))}\t{self._cells(labels, by_name)}\n"

    def _cells(self, labels: tuple[str, ...], probabilities: dict[str, float]) -> str:
        return ",".join(f"{probabilities[name]:.4f}" for name in labels)


class ProbabilityWriter(LabelWriter):
    """A label and the probabilities of all labels a line."""

    def _cells(self, labels: tuple[str, ...], probabilities: dict[str, float]) -> str:
        pairs = probabilities.items()
        return "\t".join(f"{printable(name)}={p:.4f}" for name, p in pairs)


class JsonWriter(TextWriter):
    """One JSON object a line: the input's keys, the label, the probabilities."""

    _started = False

    @staticmethod
    def encode(text: str) -> bytes:
        """Encode text; a lone surrogate becomes its escape in JSON."""
        return text.encode("utf-8", "backslashreplace")

    def write(self, entries: Sequence[Entry]) -> None:
        if not self._started:
            self._new.input_columns(entries, as_object=True)
            self._started = True
        super().write(entries)

    def _line(self, entry: Entry) -> str:
        new, values = self._new, entry.values
        names = new.names(as_object=True)
        for name in names:
            if name in values:
                raise new.exists(name, new.entries.place(entry))
        row = {**values, **dict(zip(names, new.values(entry), strict=True))}
        try:
            return to_json(row, ascii=self._ascii) + "\n"
        except (TypeError, RecursionError) as error:
            raise DataError(
                f"{new.entries.place(entry)}: {error}. Write .parquet, or leave the "
                "column out."
            ) from None


class DelimitedWriter(TextWriter):
    """Rows: the input's columns, the label, and a column for each probability."""

    format_name: str
    _columns: list[str] | None = None

    def write(self, entries: Sequence[Entry]) -> None:
        new = self._new
        rows = []
        if self._columns is None:
            self._columns = new.input_columns(entries)
            rows.append([*self._columns, *new.names()])
        columns = self._columns
        new.check_keys(entries, columns, self.format_name)
        for entry in entries:
            row = [as_cell(entry.values.get(name)) for name in columns]
            row += new.cells(entry)
            self._check_row(row, entry)
            rows.append(row)
        self._write(self._text(rows))

    def finish(self) -> None:
        """Write the column names if nothing else was written."""
        if self._columns is None:
            self.write([])

    def _check_row(self, row: list[str], entry: Entry) -> None:
        """Raise DataError if the format cannot contain a cell."""

    @abstractmethod
    def _text(self, rows: list[list[str]]) -> str: ...


class CsvWriter(DelimitedWriter):
    """Rows of CSV."""

    format_name = "CSV"

    def _text(self, rows: list[list[str]]) -> str:
        # A cell with a part of the line's end is quoted; a carriage return must be.
        lines: list[str] = []
        stream = SimpleNamespace(write=lambda line: lines.append(line[:-2] + "\n"))
        csv.writer(stream, lineterminator="\r\n").writerows(rows)
        return "".join(lines)


class TsvWriter(DelimitedWriter):
    """Rows of TSV, which has no quotes."""

    format_name = "TSV"

    def _check_row(self, row: list[str], entry: Entry) -> None:
        for cell in row:
            if "\t" in cell or "\n" in cell or "\r" in cell:
                raise DataError(
                    f"{self._new.entries.place(entry)}: a tab or a line break in "
                    f"{cell!r:.80} would break the rows of TSV, which has no quotes. "
                    "Write .csv or .jsonl."
                )

    def _text(self, rows: list[list[str]]) -> str:
        return "".join("\t".join(row) + "\n" for row in rows)
