"""Collect rows into texts and labels; a bad row is an error, or dropped and counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from emoclf.datasets.cells import (
    BadRow,
    Label,
    LabelReader,
    read_part,
    read_text,
)
from emoclf.errors import DataError, setting


class Row(NamedTuple):
    """One row: the cells of its text, label and perhaps part, or why it has none."""

    number: int
    cells: Sequence[Any]
    bad: BadRow | None = None


#: Number, text, label, and part if there is a split column.
LabelledText = tuple[int, str, Label, str | None]


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


def collect_rows(
    rows: Iterable[Row],
    reader: LabelReader,
    *,
    source: str,
    unit: str,
    skip_bad_rows: bool,
) -> tuple[list[LabelledText], tuple[Skips, ...]]:
    """Return the rows with their texts, labels and parts, and those that were dropped.

    Raises
    ------
    DataError
        At the first row that cannot be used; with ``skip_bad_rows``, if none can.
    """
    good: list[LabelledText] = []
    dropped: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        try:
            if row.bad is not None:
                raise row.bad
            text, label, *part = row.cells
            part_name = read_part(part[0]) if part else None
            good.append((row.number, read_text(text), reader.read(label), part_name))
        except BadRow as bad:
            if not (skip_bad_rows or bad.left_out):
                raise DataError(
                    f"{source}, {unit} {row.number}: {bad}, or drop such rows with "
                    f"{setting('skip_bad_rows')}."
                ) from None
            dropped[bad.reason].append(row.number)
    # With given classes this file may be a small validation or test set.
    if skip_bad_rows and not reader.fixed:
        good = _without_single_labels(good, dropped)
    skips = tuple(
        Skips(reason, len(numbers), tuple(sorted(numbers)[:5]))
        for reason, numbers in dropped.items()
    )
    if not good and not skips:
        raise DataError(f"{source} has no rows.")
    if not good:
        reasons = ", ".join(f"{skip.count} with {skip.reason}" for skip in skips)
        raise DataError(f"{source} has no usable row ({reasons} dropped).")
    return good, skips


def _without_single_labels(
    rows: list[LabelledText], dropped: dict[str, list[int]]
) -> list[LabelledText]:
    while True:
        counts = Counter(name for row in rows for name in names_of(row[2]))
        remaining = []
        for row in rows:
            if any(counts[name] == 1 for name in names_of(row[2])):
                dropped["a label that no other row has"].append(row[0])
            else:
                remaining.append(row)
        if len(remaining) == len(rows):
            return rows
        rows = remaining


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
