"""Answers as text: JSON Lines, CSV, TSV, or a label a line."""

from __future__ import annotations

import csv
import io
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Literal

from emoclf.bulk.predict_chunks import Answer, Label, Labels
from emoclf.bulk.record_reader import Entries
from emoclf.datasets.delimited import SEPARATORS
from emoclf.errors import DataError, setting

# Digits behind the point: what a float32 between 0 and 1 holds, and no more.
DIGITS = 6
# Parts the labels of one cell; the first that no label's name contains.
BETWEEN_LABELS = (",", ";", "|", "\t")


class Writer(ABC):
    """Where answers go, chunk by chunk."""

    @abstractmethod
    def write(self, answers: Sequence[Answer]) -> None:
        """Write one chunk."""

    def finish(self) -> None:  # noqa: B027 - most have written everything
        """Write what is left; also the names of columns if nothing was answered."""

    def abandon(self) -> None:  # noqa: B027 - most hold nothing open
        """Let go of what was begun and will not be finished."""


class Added:
    """The names that answers get beside those of the input.

    Parameters
    ----------
    entries : Entries
        Where the input's own names come from.
    labels : Labels
    prefix : str
        Set before each name.
    """

    def __init__(self, entries: Entries, labels: Labels, prefix: str = "") -> None:
        self.entries = entries
        self.labels = labels
        self.label = prefix + ("labels" if labels.multilabel else "label")
        self.probabilities = f"{prefix}probabilities"
        self.columns = [f"{prefix}probability_{name}" for name in labels.names]
        self._example = f"{prefix}predicted_"

    def all_columns(self, answers: Sequence[Answer]) -> list[str]:
        """Return the input's columns; of objects, the keys of the first chunk.

        Raises
        ------
        DataError
            If one of the new columns is there already.
        """
        found = self.entries.columns
        if found is None:
            # A bad record may lack its text for another name of the key.
            sound = [a.entry for a in answers if a.entry.bad is None]
            found = list(dict.fromkeys(key for entry in sound for key in entry.values))
        self.check(found, [self.label, *self.columns])
        return found

    def check(self, there: Any, new: Sequence[str], number: int | None = None) -> None:
        """Refuse a name that the input has already.

        Raises
        ------
        DataError
        """
        for name in new:
            if name in there:
                where = "" if number is None else f", line {number}"
                raise DataError(
                    f"{self.entries.source.name}{where} has a column {name!r} already. "
                    "Name the new ones otherwise with "
                    f"{setting('prefix', self._example)}."
                )

    def check_keys(self, answer: Answer, columns: Sequence[str], form: str) -> None:
        """Refuse a key that has no column; of a bad record only what fits is kept.

        Raises
        ------
        DataError
        """
        strange = [key for key in answer.entry.values if key not in columns]
        if strange and answer.entry.bad is None:
            raise DataError(
                f"{self.where(answer)}: the key {strange[0]!r} is new here, and "
                f"{form} has the columns of the first objects. Write .jsonl, which "
                "keeps the keys of each object."
            )

    def where(self, answer: Answer) -> str:
        """Say where a record stands."""
        source = self.entries.source
        return f"{source.name}, {source.unit} {answer.entry.number}"


class PlainWriter(Writer):
    """A label and its probability a line, or those of all labels.

    Parameters
    ----------
    write : function of str
    added : Added
    every : bool
        Write the probability of every label.
    """

    def __init__(
        self, write: Callable[[str], Any], added: Added, *, every: bool = False
    ) -> None:
        self._write = write
        self._names = added.labels.names
        self._every = every

    def write(self, answers: Sequence[Answer]) -> None:
        self._write("".join(map(self._line, answers)))

    def _line(self, answer: Answer) -> str:
        if answer.label is None or answer.probabilities is None:
            return "\t\n"
        chosen = as_tuple(answer.label)
        label = ",".join(chosen)
        pairs = zip(self._names, answer.probabilities, strict=True)
        if self._every:
            return "\t".join([label, *(f"{n}={p:.4f}" for n, p in pairs)]) + "\n"
        found = dict(pairs)
        return label + "\t" + ",".join(f"{found[name]:.4f}" for name in chosen) + "\n"


class JsonWriter(Writer):
    """One JSON object a line: the input's keys, the label, the probabilities.

    Parameters
    ----------
    write : function of str
    added : Added
    ascii : bool
        Escape all letters beyond ASCII.
    """

    def __init__(
        self, write: Callable[[str], Any], added: Added, *, ascii: bool = False
    ) -> None:
        self._write = write
        self._added = added
        self._ascii = ascii
        self._new = (added.label, added.probabilities)

    def write(self, answers: Sequence[Answer]) -> None:
        self._write("".join(map(self._line, answers)))

    def _line(self, answer: Answer) -> str:
        added, values = self._added, answer.entry.values
        if added.label in values or added.probabilities in values:
            added.check(values, self._new, answer.entry.number)
        named = None
        if answer.probabilities is not None:
            pairs = zip(added.labels.names, answer.probabilities, strict=True)
            named = {name: round(p, DIGITS) for name, p in pairs}
        found = {**values, added.label: answer.label, added.probabilities: named}
        try:
            return to_json(found, ascii=self._ascii) + "\n"
        except (TypeError, RecursionError) as error:
            raise DataError(
                f"{added.where(answer)}: {error}. Write .parquet, or leave the column "
                "out."
            ) from None


class DelimitedWriter(Writer):
    """Rows of CSV or TSV: the input's columns, the label, a column a probability.

    Parameters
    ----------
    write : function of str
    added : Added
    format : {"csv", "tsv"}
    """

    def __init__(self, write: Callable[[str], Any], added: Added, format: str) -> None:
        self._write = write
        self._added = added
        self._format = format
        names = added.labels.names
        self._between = next(
            (mark for mark in BETWEEN_LABELS if not any(mark in n for n in names)), ","
        )
        self._columns: list[str] | None = None

    def write(self, answers: Sequence[Answer]) -> None:
        added = self._added
        lines = []
        if self._columns is None:
            self._columns = added.all_columns(answers)
            lines.append([*self._columns, added.label, *added.columns])
        columns, free = self._columns, added.entries.columns is None
        empty = [""] * len(added.columns)
        for answer in answers:
            values = answer.entry.values
            if free and not values.keys() <= set(columns):
                added.check_keys(answer, columns, self._format.upper())
            row = [as_cell(values.get(name)) for name in columns]
            if answer.label is None or answer.probabilities is None:
                row += ["", *empty]
            else:
                row.append(self._between.join(as_tuple(answer.label)))
                row += [f"{p:.{DIGITS}f}" for p in answer.probabilities]
            if self._format == "tsv":
                self._check_tabs(row, answer)
            lines.append(row)
        self._write(self._text(lines))

    def finish(self) -> None:
        """Write the names of the columns if nothing else was written."""
        if self._columns is None:
            self.write([])

    def _text(self, lines: list[list[str]]) -> str:
        if self._format == "tsv":
            return "".join("\t".join(row) + "\n" for row in lines)
        text = _csv_text(lines, csv.QUOTE_MINIMAL)
        if "\r" not in text:
            return text
        # The writer does not see that a carriage return alone needs quotes too.
        return "".join(
            _csv_text(
                [row],
                csv.QUOTE_ALL
                if any("\r" in cell for cell in row)
                else csv.QUOTE_MINIMAL,
            )
            for row in lines
        )

    def _check_tabs(self, row: list[str], answer: Answer) -> None:
        for cell in row:
            if SEPARATORS["tsv"] in cell or "\n" in cell or "\r" in cell:
                raise DataError(
                    f"{self._added.where(answer)}: a tab or a line break in "
                    f"{cell!r:.80} would break the rows of TSV, which knows no quotes. "
                    "Write .csv or .jsonl."
                )


def _csv_text(lines: list[list[str]], quoting: Literal[0, 1, 2, 3]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n", quoting=quoting).writerows(lines)
    return buffer.getvalue()


def as_tuple(label: Label) -> tuple[str, ...]:
    """Return one label or several as a tuple."""
    return label if isinstance(label, tuple) else (label,)


def as_cell(value: Any) -> str:
    """Return what stands in a cell: nothing for None, JSON for what is no text.

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
        found = to_json(value)
    except TypeError:
        return str(value)
    # A date is a string to JSON, and needs no quotes here.
    return json.loads(found) if found.startswith('"') else found


def to_json(value: Any, *, ascii: bool = False) -> str:
    """Write JSON, with null for what is no number there (NaN, infinity).

    Raises
    ------
    TypeError
        If a value has no form in JSON.
    """
    try:
        return json.dumps(
            value, ensure_ascii=ascii, allow_nan=False, default=_json_form
        )
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=ascii, default=_json_form)


def _json_form(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} {value!r:.60} has no form in JSON")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
