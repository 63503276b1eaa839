"""Predictions as text: JSON Lines, CSV, TSV, or one label a line."""

from __future__ import annotations

import csv
import json
import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from types import SimpleNamespace
from typing import Any, BinaryIO, Self

from emoclf.bulk.entries import Entries, Entry
from emoclf.bulk.predict_chunks import Labels
from emoclf.datasets.cells import utf8
from emoclf.datasets.parquet import nearest_value
from emoclf.datasets.rows import names_of
from emoclf.display import printable
from emoclf.errors import DataError, setting

logger = logging.getLogger(__name__)

# Prefix of the new columns in a file that has columns of the same names.
AUTOMATIC_PREFIX = "predicted_"
# Decimal places of probabilities: a float32 between 0 and 1 has no more.
PROBABILITY_DIGITS = 6
# Separators of the labels in one cell; the first that no label contains is used.
LABEL_SEPARATORS = (",", ";", "|", "\t")


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


class NewColumns:
    """Names of the label and the probabilities beside the columns of the input.

    Parameters
    ----------
    entries : Entries
        Entries of the input, with its own columns.
    labels : Labels
    prefix : str, optional
        Prefix of each new name; by default ``predicted_`` if the input already has one
        of the names, as a labelled file does, else none.
    abstains : bool, default=False
        Whether labels may be withheld, so that there is a column for the reason.
    """

    def __init__(
        self,
        entries: Entries,
        labels: Labels,
        prefix: str | None = None,
        *,
        abstains: bool = False,
    ) -> None:
        self.entries = entries
        self.labels = labels
        self._abstains = abstains
        self._is_given = prefix is not None
        self._set_prefix(prefix or "")

    def _set_prefix(self, prefix: str) -> None:
        self._prefix = prefix
        self.label = prefix + ("labels" if self.labels.multilabel else "label")
        self.withheld = [f"{prefix}withheld"] if self._abstains else []
        self.probabilities = f"{prefix}probabilities"
        self.columns = [f"{prefix}probability_{name}" for name in self.labels.names]

    def input_columns(
        self, chunk: Sequence[Entry], *, as_object: bool = False
    ) -> list[str]:
        """Return the input's columns; of objects, the keys of the first chunk.

        If they include one of the new names, and no prefix was given, all new names
        get another one.

        Parameters
        ----------
        chunk : sequence of Entry
        as_object : bool, default=False
            The probabilities are one object, instead of a column each.

        Raises
        ------
        DataError
            If the input has one of the new columns already.
        """
        columns = self.entries.table.columns
        keys = columns or []
        if columns is None:
            # A bad record may have its text under a misspelt key.
            good = [entry.values for entry in chunk if entry.bad is None]
            columns = list(dict.fromkeys(key for values in good for key in values))
            keys = [key for entry in chunk for key in entry.values]
        name = self._clash(keys, as_object)
        if name and not self._is_given:
            self._set_prefix(AUTOMATIC_PREFIX)
            old, name = name, self._clash(keys, as_object)
            if not name:
                logger.info(
                    "%s has a column %r, so the predictions are in %r and %r.",
                    self.entries.source.name,
                    old,
                    *self._shown(as_object),
                )
        if name:
            raise self.exists(name, self.entries.source.name)
        return columns

    def names(self, *, as_object: bool = False) -> list[str]:
        """Return all new names."""
        names = [self.probabilities] if as_object else self.columns
        return [self.label, *self.withheld, *names]

    def _shown(self, as_object: bool) -> tuple[str, str]:
        """Return two names for a message."""
        shares = self.probabilities if as_object else f"{self._prefix}probability_…"
        return self.label, shares

    def _clash(self, keys: Collection[str], as_object: bool) -> str | None:
        """Return the first new name that the input has already."""
        names = self.names(as_object=as_object)
        return next((name for name in names if name in keys), None)

    def cells(self, entry: Entry) -> list[str]:
        """Return the new cells of a row."""
        if entry.probabilities is None:
            return [""] * len(self.names())
        labels = self._label_separator.join(names_of(entry.label or ()))
        reasons = [entry.withheld or "" for _ in self.withheld]
        shares = [f"{p:.{PROBABILITY_DIGITS}f}" for p in entry.probabilities]
        return [labels, *reasons, *shares]

    @cached_property
    def _label_separator(self) -> str:
        letters = "".join(self.labels.names)
        return next((x for x in LABEL_SEPARATORS if x not in letters), ",")

    def values(self, entry: Entry) -> list[Any]:
        """Return the new values of an object."""
        probabilities = None
        if entry.probabilities is not None:
            pairs = zip(self.labels.names, entry.probabilities, strict=True)
            probabilities = {name: round(p, PROBABILITY_DIGITS) for name, p in pairs}
        return [entry.label, *(entry.withheld for _ in self.withheld), probabilities]

    def arrow_types(self, arrow: Any) -> list[Any]:
        """Return the types of the new columns in Parquet."""
        text, share = arrow.string(), arrow.float32()
        label = arrow.list_(text) if self.labels.multilabel else text
        return [label, *(text for _ in self.withheld), *(share for _ in self.columns)]

    def typed_values(self, entry: Entry) -> list[Any]:
        """Return the new values of a row of Parquet."""
        shares: Sequence[Any] = entry.probabilities or [None] * len(self.columns)
        return [entry.label, *(entry.withheld for _ in self.withheld), *shares]

    def exists(self, name: str, place: str) -> DataError:
        """Return the error about an input that has one of the new names already."""
        other = f"new_{self._prefix}" if self._prefix else AUTOMATIC_PREFIX
        return DataError(
            f"{place} has a column {name!r} already. Give the new columns other names "
            f"with {setting('prefix', other)}."
        )

    def check_keys(
        self, chunk: Sequence[Entry], columns: Sequence[str], format: str
    ) -> None:
        """Raise DataError if a key of a good record has no column.

        Raises
        ------
        DataError
        """
        if self.entries.table.columns is not None:
            return
        known = set(columns)
        for entry in chunk:
            new = next((key for key in entry.values if key not in known), None)
            if new is not None and entry.bad is None:
                raise DataError(
                    f"{self.entries.place(entry)}: the key {new!r} is new here, and "
                    f"{format} has the columns of the first objects. Write .jsonl, "
                    "which keeps the keys of each object."
                )


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

    _begun = False

    @staticmethod
    def encode(text: str) -> bytes:
        """Encode text; a lone surrogate becomes its escape in JSON."""
        return text.encode("utf-8", "backslashreplace")

    def write(self, entries: Sequence[Entry]) -> None:
        if not self._begun:
            self._new.input_columns(entries, as_object=True)
            self._begun = True
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


def as_cell(value: Any) -> str:
    """Return the text of a cell: "" for None, JSON for values that are not texts.

    Examples
    --------
    >>> as_cell("a text"), as_cell(None), as_cell(True), as_cell(["a", 1])
    ('a text', '', 'true', '["a", 1]')
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        text = to_json(value)
    except TypeError:
        return str(value)
    # A date is a string in JSON, and needs no quotes here.
    return json.loads(text) if text.startswith('"') else text


def to_json(value: Any, *, ascii: bool = False) -> str:
    """Return JSON, with null for numbers that it does not have (NaN, infinity).

    Raises
    ------
    TypeError
        If JSON has no type for a value.
    """
    try:
        return json.dumps(
            value, ensure_ascii=ascii, allow_nan=False, default=_json_value
        )
    except ValueError:
        finite = change_within(_null_for_nan, value)
        return json.dumps(finite, ensure_ascii=ascii, default=_json_value)


def _json_value(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "as_py"):
        return nearest_value(value)
    if isinstance(value, Decimal | timedelta):
        return str(value)
    raise TypeError(f"{type(value).__name__} {value!r:.60} cannot be written as JSON")


def _null_for_nan(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def change_within(change: Callable[[Any], Any], value: Any) -> Any:
    """Return a value after a change of everything in its lists and objects."""
    if isinstance(value, dict):
        pairs = value.items()
        return {change(key): change_within(change, item) for key, item in pairs}
    if isinstance(value, list | tuple):
        return type(value)(change_within(change, item) for item in value)
    return change(value)
