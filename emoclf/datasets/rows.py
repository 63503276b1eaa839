"""Collect rows into texts and labels; a bad one is an error, or dropped and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
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

# What a row is called, and how errors name it. Positions count from 0, as in Python.
UNITS = ("line", "row", "position")


class Row(NamedTuple):
    """The cells of one row that matter, or what makes it unreadable."""

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
        Where the first five of them stand.
    """

    reason: str
    count: int
    first: tuple[int, ...]


@dataclass
class Collected:
    """Texts and labels on the way to a Dataset."""

    source: str
    unit: str
    texts: list[str] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    dropped: dict[str, list[int]] = field(default_factory=dict)

    def drop(self, reason: str, number: int) -> None:
        """Count a row that is left out."""
        self.dropped.setdefault(reason, []).append(number)

    @property
    def skips(self) -> tuple[Skips, ...]:
        """What was left out, by reason."""
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
    """Read every row.

    Raises
    ------
    DataError
        At the first row that cannot be used, or, with ``skip_bad_rows``, if none can.
    """
    kept = Collected(source, unit)
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
            kept.drop(bad.reason, row.number)
            continue
        kept.texts.append(text)
        kept.labels.append(label)
        kept.numbers.append(row.number)
        if part is not None:
            kept.parts.append(part)
    # A class that was named beforehand may be rare here: this is another file's part.
    if skip_bad_rows and not reader.fixed:
        _drop_single_labels(kept)
    if not kept.texts:
        lost = ", ".join(f"{skip.count} with {skip.reason}" for skip in kept.skips)
        raise DataError(
            f"{source} has no usable row ({lost} dropped)."
            if lost
            else f"{source} has no rows."
        )
    return kept


def _drop_single_labels(kept: Collected) -> None:
    while True:
        counts = Counter(name for label in kept.labels for name in names_of(label))
        single = {name for name, count in counts.items() if count == 1}
        bad = [i for i, x in enumerate(kept.labels) if single & set(names_of(x))]
        if not bad:
            return
        for i in bad:
            kept.drop("a label that no other row has", kept.numbers[i])
        stay = sorted(set(range(len(kept.texts))) - set(bad))
        columns: tuple[list[Any], ...] = (kept.texts, kept.labels, kept.numbers)
        for cells in (*columns, *([kept.parts] if kept.parts else [])):
            cells[:] = [cells[i] for i in stay]


def part_cell(value: Any) -> Any:
    """Return a cell of a split column; an empty one is a mistake, not no column."""
    return "" if is_missing(value) else value


def names_of(label: Label) -> tuple[str, ...]:
    """Return the labels of one text as a tuple, be it one or several."""
    return (label,) if isinstance(label, str) else label


def order_names(labels: Iterable[Label], given: Sequence[str]) -> list[str]:
    """Return the names that occur, as given or sorted; numbers in their order."""
    found = {name for label in labels for name in names_of(label)}
    first = [name for name in given if name in found]
    rest = found - set(first)
    if all(name.isascii() and name.isdigit() for name in rest):
        return first + sorted(rest, key=lambda name: (int(name), name))
    return first + sorted(rest)


def single_label(name: str, counts: dict[str, int], where: str) -> str:
    """Word the error about a label that stands on one row."""
    others = [other for other, count in counts.items() if count > 1]
    return (
        f"{where}: label {name!r} stands on this row only, so that it cannot be both "
        f"learnt and checked.{did_you_mean(name, others)} Add rows with it, "
        f"change it, or drop it with {setting('skip_bad_rows')}."
    )
