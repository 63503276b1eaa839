"""Where a word's numbers stand in a row that compiled loops read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emoclf.folded.words import Windows

#: Bytes of a cache line: blocks of columns begin at multiples of it.
LINE = 64


@dataclass(frozen=True)
class Layout:
    """Where the columns of each shift stand in a word's row.

    Filters are ordered by the size of their kernel, the widest first. The shifts at
    which a kernel looks are among those of every wider kernel, so each shift has a
    block of the first columns, and columns that have the same shifts lie side by side.

    Parameters
    ----------
    order : ndarray of int64, shape (columns,)
        Which filter stands in which column.
    offsets, widths : ndarray of int64, shape (n_shifts,)
        Where each shift's block begins in the row, and how wide it is.
    regions : ndarray of int64, shape (n_regions, 4)
        First column, column behind the last, first shift, number of shifts.
    """

    order: np.ndarray
    offsets: np.ndarray
    widths: np.ndarray
    regions: np.ndarray

    @classmethod
    def of(cls, windows: Windows, filters: int, itemsize: int) -> Layout:
        """Lay out kernels, each block a multiple of a cache line."""
        lanes = LINE // itemsize
        shifts = windows.shifts
        sizes = sorted(windows.sizes, reverse=True)
        order = np.concatenate(
            [np.arange(filters) + windows.sizes.index(size) * filters for size in sizes]
        )
        reach = {size: -windows.left(size) - shifts[0] for size in sizes}
        ends = [_up(filters * (n + 1), lanes) for n in range(len(sizes))]
        widths = np.array(
            [
                max(
                    end
                    for size, end in zip(sizes, ends, strict=True)
                    if reach[size] <= place < reach[size] + size
                )
                for place in range(len(shifts))
            ]
        )
        regions, begin = [], 0
        for size, end in zip(sizes, ends, strict=True):
            if end > begin:
                regions.append((begin, end, reach[size], size))
                begin = end
        offsets = np.cumsum(widths) - widths
        return cls(order, offsets, widths, np.array(regions, np.int64))

    def spread(self, by_shift: np.ndarray) -> np.ndarray:
        """Lay (…, n_shifts, columns) into rows, (…, width); zero in between."""
        rows = np.zeros((*by_shift.shape[:-2], int(self.widths.sum())), np.float32)
        blocks = zip(self.offsets.tolist(), self.widths.tolist(), strict=True)
        for shift, (offset, width) in enumerate(blocks):
            there = self.order[:width]
            rows[..., offset : offset + len(there)] = by_shift[..., shift, there]
        return rows


def _up(number: int, lanes: int) -> int:
    return -(-number // lanes) * lanes
