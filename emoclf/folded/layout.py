"""Order of a word's numbers in the tables that compiled loops read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emoclf.folded.word_rows import CACHE_LINE_BYTES, Windows


class FilterGroup(NamedTuple):
    """Words that the windows of a group of filters contain.

    Parameters
    ----------
    first_shift : int
        Index of the first one in ``windows.shifts``.
    window_words : int
        Number of words.
    """

    first_shift: int
    window_words: int


class Layout:
    """Groups of filters that are summed together.

    The filters that fit in a cache line are a group and have a table of their own: one
    cache line for each word and shift. Such a table is small enough that the rows of
    common words stay in the processor's cache while all texts pass.

    Filters are ordered by the size of their kernel, the widest first. The shifts of a
    kernel are among those of every wider kernel, so that a group with filters of both
    has those of the wider.

    Parameters
    ----------
    windows : Windows
    filters : int
        Filters of each kernel size.
    itemsize : int
        Bytes of a number.

    Attributes
    ----------
    order : ndarray of int64, shape (columns,)
        The filter in each column.
    group_size : int
        Filters of a group.
    groups : list of FilterGroup
    """

    def __init__(self, windows: Windows, filters: int, itemsize: int) -> None:
        self.group_size = CACHE_LINE_BYTES // itemsize
        sizes = sorted(windows.sizes, reverse=True)
        self.order = np.concatenate(
            [np.arange(filters) + windows.sizes.index(size) * filters for size in sizes]
        )
        self.groups = []
        for column in range(0, len(self.order), self.group_size):
            size = sizes[column // filters]
            self.groups.append(FilterGroup(windows.first_shift(size), size))

    @property
    def widths(self) -> list[int]:
        """Numbers of a word in each group's table."""
        return [group.window_words * self.group_size for group in self.groups]

    def spread(self, by_shift: np.ndarray, fill: float = 0) -> np.ndarray:
        """Return (…, n_shifts, columns) as rows, (…, sum of widths).

        Columns without a filter are filled with ``fill``.
        """
        shape = *by_shift.shape[:-2], sum(self.widths)
        rows = np.full(shape, fill, np.float32)
        begin = 0
        for number, (first, window_words) in enumerate(self.groups):
            filters = self.order[number * self.group_size :][: self.group_size]
            for shift in range(first, first + window_words):
                stop = begin + len(filters)
                rows[..., begin:stop] = by_shift[..., shift, filters]
                begin += self.group_size
        return rows
