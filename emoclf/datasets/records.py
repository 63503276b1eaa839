"""Columns and records, as the reader of a file format returns them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from emoclf.datasets.cells import BadRow, shorten
from emoclf.datasets.columns import Columns
from emoclf.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import numpy as np

    from emoclf.datasets.source import Source

# Keys are collected from so many records, because an object may lack one of them.
_LOOK_AHEAD_RECORDS = 1000


class Record(NamedTuple):
    """One record of a file.

    Parameters
    ----------
    number : int
        Its line or row in the file, from 1.
    values : dict of str to object
        Cells by column or key; empty if the record cannot be read.
    bad : BadRow, optional
        Why the record cannot be read.
    last_line : int, optional
        Last line of a record that may have several lines.
    """

    number: int
    values: dict[str, Any]
    bad: BadRow | None = None
    last_line: int | None = None


@dataclass
class Table:
    """Columns and records of a file.

    Parameters
    ----------
    columns : list of str or None
        Names in order; None if each record has keys of its own, as in JSON Lines.
    records : iterable of Record
    advice : str
        Added to the error when no column has one of the usual names.
    labelled : function of Columns, optional
        Returns the records for training, where a format reads fewer columns or checks
        more than for prediction.
    schema : pyarrow.Schema, optional
        Types of the columns of a Parquet file.
    n_records : int, optional
        Number of records, where the file says it.
    class_names : dict of str to list of str
        Names of labels that are numbers, by column, where the file says them.
    vectors : sequence of ndarray, optional
        Vectors of each text, shape (length, dim); that of record 1 is the first.
    has_texts : bool
        False where the texts are not known, and have names in their place.
    """

    columns: list[str] | None
    records: Iterable[Record]
    advice: str = ""
    labelled: Callable[[Columns], Iterator[Record]] | None = None
    schema: Any = None
    n_records: int | None = None
    class_names: dict[str, list[str]] = field(default_factory=dict)
    vectors: Sequence[np.ndarray] | None = None
    has_texts: bool = True


def missing_key(values: dict[str, Any], name: str) -> BadRow:
    """Return the error about an object that lacks a key."""
    keys = shorten(map(repr, values)) or "no keys"
    return BadRow(
        f"no {name!r}",
        f"the object has no {name!r}.{did_you_mean(name, values)} It has {keys}. "
        "Correct it",
    )


def collect_keys(table: Table, source: Source) -> tuple[list[str], Iterable[Record]]:
    """Return the columns, or else the keys of the first objects, and all records.

    Raises
    ------
    DataError
        If there is no object.
    """
    if table.columns is not None:
        return table.columns, table.records
    rest = iter(table.records)
    first = list(islice(rest, _LOOK_AHEAD_RECORDS))
    keys = list(dict.fromkeys(key for record in first for key in record.values))
    if not keys:
        number, bad = (first[0].number, first[0].bad) if first else (1, None)
        raise DataError(
            f"{source.name}, {source.unit} {number}: {bad or 'there is no object'}."
        )
    return keys, chain(first, rest)
