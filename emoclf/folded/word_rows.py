"""Rows of a folded convolution: each word's vector times the kernels.

A convolution is linear in the word vectors, so the contribution of a word to the
windows around it can be computed once for each word and place in the window. The
convolution of a text is then a sum of looked-up rows. The row of a word is computed
when a text first contains the word: a fresh process that predicts one text multiplies
the vectors of its words and no others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from emoclf.folded.stored_vectors import StoredVectors

#: Tables begin at a multiple of this address.
CACHE_LINE_BYTES = 64
#: Largest sum of int16 rows: rounding each row can add half a unit.
INT16_MAX_SUM = 32700
#: Units from the lowest to the highest value of an int8 row: -127 to 127. With an odd
#: number both would be half-way between two integers.
INT8_UNITS = 254
#: Words whose vectors are multiplied with the kernels at once.
PRODUCT_WORDS = 1024


class Windows:
    """Windows of a text, for kernels that share them.

    Parameters
    ----------
    sizes : tuple of int
        Kernel sizes.
    padding : {"same", "valid"}
    stride : int
    """

    def __init__(self, sizes: tuple[int, ...], padding: str, stride: int) -> None:
        self.sizes = sizes
        self.padding = padding
        self.stride = stride

    @property
    def shifts(self) -> range:
        """Positions of the words that a window contains, relative to its own."""
        first = min(-self._left(size) for size in self.sizes)
        last = max(size - 1 - self._left(size) for size in self.sizes)
        return range(first, last + 1)

    def first_shift(self, size: int) -> int:
        """Return the index in ``shifts`` of the first word that a kernel sees."""
        return -self._left(size) - self.shifts[0]

    def _left(self, size: int) -> int:
        """Return the number of words before its own position that a kernel sees."""
        return (size - 1) // 2 if self.padding == "same" else 0

    def count_one(self, length: int) -> int:
        """Return the number of windows of one text."""
        if self.padding == "same":
            return -(-length // self.stride)
        return max(length - self.sizes[0], 0) // self.stride + 1 if length else 0

    def count(self, lengths: np.ndarray) -> np.ndarray:
        """Return the number of windows of each text; 0 for a text without tokens."""
        if self.padding == "same":
            return lengths if self.stride == 1 else -(-lengths // self.stride)
        (size,) = self.sizes
        return (np.maximum(lengths - size, 0) // self.stride + 1) * (lengths > 0)


def windows_of(sizes: tuple[int, ...], padding: str, stride: int) -> list[Windows]:
    """Return the groups of kernels that share their windows."""
    if padding == "same":
        return [Windows(sizes, padding, stride)]
    return [Windows((size,), padding, stride) for size in sizes]


def kernel_by_shift(windows: Windows, kernels: dict[int, np.ndarray]) -> np.ndarray:
    """Return kernels side by side, with a block of columns for each shift.

    Or the products of vectors with them, whose rows are the vectors.

    Parameters
    ----------
    windows : Windows
    kernels : dict of int to ndarray of float32, shape (size, dim, filters)

    Returns
    -------
    kernel : ndarray of float32, shape (dim, n_shifts, columns)
        Zero at shifts outside of a kernel.
    """
    _, dim, filters = kernels[windows.sizes[0]].shape
    columns = filters * len(windows.sizes)
    joined = np.zeros((dim, len(windows.shifts), columns), np.float32)
    for number, size in enumerate(windows.sizes):
        first = windows.first_shift(size)
        part = slice(number * filters, (number + 1) * filters)
        joined[:, first : first + size, part] = kernels[size].transpose(1, 0, 2)
    return joined


class Rounding(NamedTuple):
    """Integers that stand for the numbers of a table: ``integer * step + middle``.

    Parameters
    ----------
    dtype : dtype
        int16 or int8.
    step : ndarray of float32, shape (columns,)
        Value of one unit of a column.
    middle : ndarray of float32, shape (n_shifts, columns)
        Value of the integer zero; zeros for int16.
    """

    dtype: np.dtype
    step: np.ndarray
    middle: np.ndarray


class WordRows:
    """A row of numbers for each word, computed when it is first needed.

    Rows are split into blocks of columns, each with a table of its own, so that
    numbers that are read together are together in memory. The product of one vector
    rounds differently from that of many, so that rounded numbers can differ by one
    unit from one process to another.

    Parameters
    ----------
    vectors : StoredVectors
    kernel : ndarray of float32, shape (dim, width)
        A row is the product of the word's vector and this.
    rounding : Rounding, optional
        ``step`` and ``middle`` have shape (width,); float32 rows if not given.
    widths : sequence of int, optional
        Columns of each block; their sum is ``width``. Default: one block.
    """

    def __init__(
        self,
        vectors: StoredVectors,
        kernel: np.ndarray,
        rounding: Rounding | None = None,
        widths: Sequence[int] | None = None,
    ) -> None:
        self.vectors = vectors
        self._kernel = kernel
        self._middle: np.ndarray | None = None
        if rounding is not None:
            self._kernel = kernel / rounding.step
            self._middle = rounding.middle / rounding.step
        size, self.width = len(vectors), kernel.shape[1]
        #: All blocks, one after the other.
        self.table = _aligned_zeros(
            size * self.width, np.float32 if rounding is None else rounding.dtype
        )
        self._blocks, begin = [], 0
        for width in [self.width] if widths is None else widths:
            stop = begin + size * width
            self._blocks.append(self.table[begin:stop].reshape(size, width))
            begin = stop
        self._is_computed = np.zeros(size, bool)
        # The row of padding is zero, unless zero is rounded to another integer.
        self._is_computed[0] = rounding is None
        self.compute(np.zeros(1, np.int64))

    def compute(self, words: np.ndarray) -> None:
        """Compute the rows of these words that are not in the table yet."""
        if self._is_computed[words].all():
            return
        # np.unique would import numpy.ma first: a third of the time of a fresh start.
        is_wanted = np.zeros_like(self._is_computed)
        is_wanted[words] = True
        missing = np.flatnonzero(is_wanted & ~self._is_computed)
        for start in range(0, len(missing), PRODUCT_WORDS):
            batch = missing[start : start + PRODUCT_WORDS]
            rows = self.fold(batch)
            if self._middle is not None:
                np.rint(rows, out=rows)
            begin = 0
            for block in self._blocks:
                stop = begin + block.shape[1]
                block[batch] = rows[:, begin:stop]
                begin = stop
        self._is_computed[missing] = True

    def fold(self, words: np.ndarray) -> np.ndarray:
        """Return the rows of words before rounding, float32 of shape (n, width)."""
        rows = self.vectors.take(words) @ self._kernel
        if self._middle is not None:
            rows -= self._middle
        return rows


def round_to_int16(rows: WordRows, n_shifts: int) -> Rounding:
    """Return the finest rounding in which no sum of a window's rows overflows int16.

    Parameters
    ----------
    rows : WordRows
        float32, width ``n_shifts * columns``.
    n_shifts : int
    """
    low, high = _ranges(rows, n_shifts)
    largest_sum = np.maximum(-low, high).sum(0)
    step = _nonzero_steps(largest_sum / INT16_MAX_SUM)
    return Rounding(np.dtype(np.int16), step, np.zeros_like(low))


def round_to_int8(rows: WordRows, n_shifts: int) -> Rounding:
    """Return the finest rounding in which each row fits int8; sums of rows are int16.

    Parameters
    ----------
    rows : WordRows
        float32, width ``n_shifts * columns``.
    n_shifts : int
    """
    low, high = _ranges(rows, n_shifts)
    step = _nonzero_steps((high - low).max(0) / INT8_UNITS)
    return Rounding(np.dtype(np.int8), step, (low + high) / 2)


def _nonzero_steps(steps: np.ndarray) -> np.ndarray:
    """Return steps that can be divided by: 1 for a filter whose numbers are all 0."""
    tiny = np.finfo(np.float32).tiny
    return np.where(steps > tiny, steps, 1).astype(np.float32)


def _ranges(rows: WordRows, n_shifts: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest number of any word, (n_shifts, columns) each."""
    low, high = np.zeros(rows.width, np.float32), np.zeros(rows.width, np.float32)
    n_words = len(rows.vectors)
    for start in range(0, n_words, PRODUCT_WORDS):
        words = np.arange(start, min(start + PRODUCT_WORDS, n_words))
        numbers = rows.fold(words)
        np.minimum(low, numbers.min(0), out=low)
        np.maximum(high, numbers.max(0), out=high)
    return low.reshape(n_shifts, -1), high.reshape(n_shifts, -1)


def _aligned_zeros(size: int, dtype: np.typing.DTypeLike) -> np.ndarray:
    """Return zeros at a cache line's start; they use no memory until written."""
    count = size * np.dtype(dtype).itemsize
    raw = np.zeros(count + CACHE_LINE_BYTES, np.uint8)
    begin = -raw.__array_interface__["data"][0] % CACHE_LINE_BYTES
    return raw[begin : begin + count].view(dtype)
