"""Collect rows into texts and labels; a bad row is an error, or dropped and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import not_
from typing import Any, NamedTuple

from emoclf.datasets.cells import (
    BadRow,
    Label,
    LabelReader,
    is_missing,
    read_part,
    read_text,
)
from emoclf.errors import DataError, did_you_mean, setting


class Row(NamedTuple):
    """Text, label and part of one row, or why it cannot be read."""

    number: int
    text: Any = None
    label: Any = None
    part: Any = None
    bad: BadRow | None = None


@dataclass(frozen=True)
class Skips:
    """Rows that were dropped for one reason.

    Parameters
    ----------
    reason : str
    count : int
    first : tuple of int
        Numbers of the first five.
    """

    reason: str
    count: int
    first: tuple[int, ...]


@dataclass
class Collected:
    """Texts and labels of which a Dataset is made."""

    texts: list[str] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    dropped: dict[str, list[int]] = field(default_factory=dict)

    def drop(self, reason: str, number: int) -> None:
        """Record a row that is left out."""
        self.dropped.setdefault(reason, []).append(number)

    @property
    def skips(self) -> tuple[Skips, ...]:
        """Rows that were left out, by reason."""
        return tuple(
            Skips(reason, len(numbers), tuple(sorted(numbers)[:5]))
            for reason, numbers in self.dropped.items()
        )


def collect_rows(
    rows: Iterable[Row],
    reader: LabelReader,
    *,
    source: str,
    unit: str,
    skip_bad_rows: bool,
) -> Collected:
    """Read all rows.

    Raises
    ------
    DataError
        At the first row that cannot be used; with ``skip_bad_rows``, if none can.
    """
    collected = Collected()
    for row in rows:
        try:
            if row.bad is not None:
                raise row.bad
            text, label = read_text(row.text), reader.read(row.label)
            part = None if row.part is None else read_part(row.part)
        except BadRow as bad:
            if not skip_bad_rows:
                raise DataError(
                    f"{source}, {unit} {row.number}: {bad}, or drop such rows with "
                    f"{setting('skip_bad_rows')}."
                ) from None
            collected.drop(bad.reason, row.number)
            continue
        collected.texts.append(text)
        collected.labels.append(label)
        collected.numbers.append(row.number)
        if part is not None:
            collected.parts.append(part)
    # With given classes this file may be a small validation or test set.
    if skip_bad_rows and not reader.fixed:
        _drop_single_labels(collected)
    if not collected.texts:
        if not collected.dropped:
            raise DataError(f"{source} has no rows.")
        reasons = (f"{x.count} with {x.reason}" for x in collected.skips)
        raise DataError(f"{source} has no usable row ({', '.join(reasons)} dropped).")
    return collected


def _drop_single_labels(collected: Collected) -> None:
    while True:
        counts = Counter(name for label in collected.labels for name in names_of(label))
        single = {name for name, count in counts.items() if count == 1}
        keep = [single.isdisjoint(names_of(label)) for label in collected.labels]
        if all(keep):
            return
        for number in compress(collected.numbers, map(not_, keep)):
            collected.drop("a label that no other row has", number)
        columns: tuple[list[Any], ...] = (
            collected.texts,
            collected.labels,
            collected.numbers,
            collected.parts,
        )
        for cells in columns:
            cells[:] = compress(cells, keep)


def part_cell(value: Any) -> Any:
    """Return a cell of the split column; an empty one is "", which is an error."""
    return "" if is_missing(value) else value


def names_of(label: Label) -> tuple[str, ...]:
    """Return the label or labels of one text as a tuple."""
    return (label,) if isinstance(label, str) else label


def order_names(labels: Iterable[Label], given: Sequence[str]) -> list[str]:
    """Return the names that occur, in the given order; others sorted."""
    names = {name for label in labels for name in names_of(label)}
    first = [name for name in given if name in names]
    rest = names.difference(first)
    if all(name.isascii() and name.isdigit() for name in rest):
        return first + sorted(rest, key=lambda name: (int(name), name))
    return first + sorted(rest)


def single_label_message(name: str, counts: dict[str, int], place: str) -> str:
    """Return the error message about a label that only one row has."""
    labels = [label for label, count in counts.items() if count > 1]
    return (
        f"{place}: only this row has the label {name!r}, so that it cannot be in both "
        f"the training and the test set.{did_you_mean(name, labels)} Add rows with it, "
        f"change it, or drop it with {setting('skip_bad_rows')}."
    )
