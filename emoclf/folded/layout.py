"""Where a word's numbers stand in the tables that compiled loops read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from emoclf.folded.words import LINE, Windows


class Line(NamedTuple):
    """At which shifts a line's filters look.

    Parameters
    ----------
    shift : int
        The first one, counted from the first of all windows' shifts.
    terms : int
        How many shifts.
    """

    shift: int
    terms: int


@dataclass(frozen=True)
class Layout:
    """Which filters are summed together, and over which shifts.

    As many filters as fit a cache line have a table of their own: one line for each
    word and shift. Such a table is small enough that the rows of common words stay
    in the processor's cache while all texts pass.

    Filters are ordered by the size of their kernel, the widest first. The shifts at
    which a kernel looks are among those of every wider kernel, so that a line that has
    filters of both takes those of the wider.

    Parameters
    ----------
    order : ndarray of int64, shape (columns,)
        Which filter stands in which column.
    lanes : int
        Filters in a line.
    lines : list of Line
    """

    order: np.ndarray
    lanes: int
    lines: list[Line]

    @classmethod
    def of(cls, windows: Windows, filters: int, itemsize: int) -> Layout:
        """Lay out kernels of so many filters each."""
        lanes = LINE // itemsize
        first = windows.shifts[0]
        sizes = sorted(windows.sizes, reverse=True)
        order = np.concatenate(
            [np.arange(filters) + windows.sizes.index(size) * filters for size in sizes]
        )
        lines = []
        for column in range(0, len(order), lanes):
            size = sizes[column // filters]
            lines.append(Line(-windows.left(size) - first, size))
        return cls(order, lanes, lines)

    @property
    def widths(self) -> list[int]:
        """Return how many numbers a word has in each line's table."""
        return [line.terms * self.lanes for line in self.lines]

    def spread(self, by_shift: np.ndarray) -> np.ndarray:
        """Lay (…, n_shifts, columns) into rows, (…, sum of widths); zero in between."""
        rows = np.zeros((*by_shift.shape[:-2], sum(self.widths)), np.float32)
        begin = 0
        for number, line in enumerate(self.lines):
            filters = self.order[number * self.lanes :][: self.lanes]
            for shift in range(line.shift, line.shift + line.terms):
                stop = begin + len(filters)
                rows[..., begin:stop] = by_shift[..., shift, filters]
                begin += self.lanes
        return rows
