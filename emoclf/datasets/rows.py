"""Collect rows into texts and labels; a bad row is an error, or dropped and counted."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from emoclf.datasets.cells import BadRow, read_part, read_text, shorten
from emoclf.datasets.label_reader import LabelReader
from emoclf.datasets.labels import FlagRow, Label, label_key
from emoclf.errors import DataError, setting


class Row(NamedTuple):
    """One row: cells of its text, label or labels, and perhaps part; or why not."""

    number: int
    cells: Sequence[Any]
    bad: BadRow | None = None


#: Number, text, label, and part if there is a split column.
LabelledText = tuple[int, str, Label, str | None]

logger = logging.getLogger(__name__)


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
    skip_bad_rows: bool | None,
    keep_single_labels: bool = False,
) -> tuple[list[LabelledText], tuple[Skips, ...]]:
    """Return the rows with their texts, labels and parts, and those that were dropped.

    Parameters
    ----------
    rows : iterable of Row
    reader : LabelReader
    source, unit : str
        Names of the source and of its rows in errors.
    skip_bad_rows : bool or None
        Whether bad rows are dropped; None if the caller does not have the setting.
    keep_single_labels : bool, default=False
        Whether rows with a label that no other row has are kept then.

    Raises
    ------
    DataError
        At the first row that cannot be used; with ``skip_bad_rows``, if none can.
    """
    dropped: dict[str, list[int]] = defaultdict(list)

    def drop(number: int, bad: BadRow) -> None:
        if not (skip_bad_rows or bad.left_out):
            advice = f", or drop such rows with {setting('skip_bad_rows')}"
            if skip_bad_rows is None:
                advice = ""
            raise DataError(f"{source}, {unit} {number}: {bad}{advice}.") from None
        dropped[bad.reason].append(number)

    read: list[tuple[int, str, Label | FlagRow, str | None]] = []
    end = 1 + (len(reader.columns) or 1)
    for row in rows:
        try:
            if row.bad is not None:
                raise row.bad
            part = read_part(row.cells[end]) if len(row.cells) > end else None
            text = read_text(row.cells[0])
            label = reader.read(row.cells[1:end] if reader.columns else row.cells[1])
            read.append((row.number, text, label, part))
        except BadRow as bad:
            drop(row.number, bad)
    try:
        columns = reader.matrix_columns() if read else None
    except BadRow as bad:
        raise DataError(f"{source}: {bad}.") from None
    good: list[LabelledText] = []
    for number, text, label, part in read:
        try:
            good.append((number, text, reader.settle(label, columns), part))
        except BadRow as bad:
            drop(number, bad)
    if columns is not None:
        _report_matrix(source, columns, good)
    elif not reader.order:
        good = _with_one_spelling(good)
    # With given classes this file may be a small validation or test set.
    if skip_bad_rows and not (reader.fixed or keep_single_labels):
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


def _report_matrix(
    source: str, columns: Sequence[str], rows: list[LabelledText]
) -> None:
    level, advice = logging.INFO, ""
    if all(len(row[2]) == 1 for row in rows):
        level = logging.WARNING
        advice = (
            " Exactly one label applies to each text: for a classifier that gives one "
            "label, give one column of labels (argmax, or idxmax of a DataFrame)."
        )
    message = "%s: read as multilabel, from a 0 or a 1 for each of %s.%s"
    logger.log(level, message, source, shorten(columns), advice)


def _with_one_spelling(rows: list[LabelledText]) -> list[LabelledText]:
    """Give one name to labels such as 0 and 0.0, or True and true."""
    names = {name for row in rows for name in names_of(row[2])}
    name_of = {name: label_key(name) for name in names}
    if len(set(name_of.values())) == len(names):
        return rows
    return [(row[0], row[1], rename(row[2], name_of), row[3]) for row in rows]


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


def rename(label: Label, name_of: Mapping[str, str]) -> Label:
    """Return the label or labels of one text with other names, each of them once."""
    if isinstance(label, str):
        return name_of[label]
    return tuple(dict.fromkeys(map(name_of.__getitem__, label)))


def order_names(labels: Iterable[Label], given: Sequence[str]) -> list[str]:
    """Return the names that occur, in the given order; others sorted."""
    names = {name for label in labels for name in names_of(label)}
    first = [name for name in given if name in names]
    rest = names.difference(first)
    if all(name.isascii() and name.isdigit() for name in rest):
        return first + sorted(rest, key=lambda name: (int(name), name))
    return first + sorted(rest)
