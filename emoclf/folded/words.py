"""What each word adds to a convolution: embedding and kernels multiplied out.

A convolution is linear in the words' vectors, so what a word adds to the windows around
it can be computed once for each word and place in the window. The convolution of a text
is then a sum of looked-up rows. Rows are made when a text first has the word: a fresh
process that answers one text multiplies out its words and no others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emoclf.folded.stored_vectors import WordVectors

#: Bytes of a cache line, with which tables begin.
LINE = 64
#: Largest sum of int16 rows: rounding of each row may add half a unit.
INT16 = 32700
#: From the least to the largest value of an int8 row: -127 to 127. Of an odd number
#: both would lie between two integers, and be rounded by chance.
INT8 = 254
# Words that are multiplied out in one product.
AT_ONCE = 1024


class Windows:
    """Which windows a text has, for kernels that share them.

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
        """Return the places, from a window's own position on, at which it looks."""
        first = min(-self.left(size) for size in self.sizes)
        last = max(size - 1 - self.left(size) for size in self.sizes)
        return range(first, last + 1)

    def left(self, size: int) -> int:
        """Return the number of words before its own position that a kernel sees."""
        return (size - 1) // 2 if self.padding == "same" else 0

    def count_one(self, length: int) -> int:
        """Return the number of windows of one text."""
        if self.padding == "same":
            return -(-length // self.stride)
        return max(length - self.sizes[0], 0) // self.stride + 1 if length else 0

    def count(self, lengths: np.ndarray) -> np.ndarray:
        """Return the number of windows of texts, none for a text without tokens."""
        if self.padding == "same":
            return lengths if self.stride == 1 else -(-lengths // self.stride)
        (size,) = self.sizes
        return np.where(
            lengths > 0, np.maximum(lengths - size, 0) // self.stride + 1, 0
        )


def windows_of(sizes: tuple[int, ...], padding: str, stride: int) -> list[Windows]:
    """Return the groups of kernels that share their windows."""
    if padding == "same":
        return [Windows(sizes, padding, stride)]
    return [Windows((size,), padding, stride) for size in sizes]


def by_shift(windows: Windows, kernels: dict[int, np.ndarray]) -> np.ndarray:
    """Lay kernels side by side, a block of columns for each shift.

    Parameters
    ----------
    windows : Windows
    kernels : dict of int to ndarray of float32, shape (size, dim, filters)

    Returns
    -------
    kernel : ndarray of float32, shape (dim, n_shifts, columns)
        Zero where a kernel does not reach so far.
    """
    shifts = windows.shifts
    blocks = []
    for size in windows.sizes:
        kernel = kernels[size]
        block = np.zeros((len(shifts), *kernel.shape[1:]), np.float32)
        first = -windows.left(size) - shifts[0]
        block[first : first + size] = kernel
        blocks.append(block)
    joined = np.concatenate(blocks, axis=2)
    return np.ascontiguousarray(joined.transpose(1, 0, 2))


class Rounding:
    """How a table's numbers stand for what words add.

    Parameters
    ----------
    dtype : dtype
        int16, or int8.
    step : ndarray of float32, shape (columns,)
        What one unit of a column is worth.
    middle : ndarray of float32, shape (n_shifts, columns)
        What zero stands for; zeros for int16.
    """

    def __init__(self, dtype: np.dtype, step: np.ndarray, middle: np.ndarray) -> None:
        self.dtype = dtype
        self.step = step
        self.middle = middle


class WordRows:
    """A row for each word, made when it is first asked for.

    Rows are kept in blocks of columns, each a table of its own: what is read together
    lies together. A product of one vector rounds otherwise than that of many, so that
    rounded numbers can differ by one unit from one process to another.

    Parameters
    ----------
    vectors : WordVectors
    kernel : ndarray of float32, shape (dim, width)
        What to multiply a word's vector by.
    widths : sequence of int, optional
        Columns of each block; their sum is ``width``. One block if not given.
    step, middle : ndarray of float32, shape (width,), optional
        Rows are rounded: in units of ``step``, from ``middle`` on.
    dtype : dtype, default=float32
    """

    def __init__(
        self,
        vectors: WordVectors,
        kernel: np.ndarray,
        widths: Sequence[int] | None = None,
        *,
        step: np.ndarray | None = None,
        middle: np.ndarray | None = None,
        dtype: np.typing.DTypeLike = np.float32,
    ) -> None:
        self.vectors = vectors
        self._kernel = kernel if step is None else kernel / step
        self._middle = None if step is None or middle is None else middle / step
        size, self.width = len(vectors), kernel.shape[1]
        widths = [self.width] if widths is None else widths
        #: All blocks, one behind the other.
        self.table = _zeros_in_line(size * sum(widths), dtype)
        self._blocks, begin = [], 0
        for width in widths:
            stop = begin + size * width
            self._blocks.append(self.table[begin:stop].reshape(size, width))
            begin = stop
        self._made = np.zeros(size, bool)
        self._rounded = step is not None
        # Padding adds nothing; where that is not zero its row is made like any other.
        self._made[0] = self._middle is None
        self.make(np.zeros(1, np.int64))

    def make(self, words: np.ndarray) -> None:
        """Make the rows of these words, where they are not there yet."""
        if self._made[words].all():
            return
        # np.unique would import numpy.ma first: a third of the time of a fresh start.
        wanted = np.zeros_like(self._made)
        wanted[words] = True
        missing = np.flatnonzero(wanted & ~self._made)
        for start in range(0, len(missing), AT_ONCE):
            some = missing[start : start + AT_ONCE]
            found = self.fold(some)
            if self._rounded:
                np.rint(found, out=found)
            begin = 0
            for block in self._blocks:
                stop = begin + block.shape[1]
                block[some] = found[:, begin:stop]
                begin = stop
        self._made[missing] = True

    def fold(self, words: np.ndarray) -> np.ndarray:
        """Return what words add, in units of ``step``, shape (n, width)."""
        found = self.vectors.take(words) @ self._kernel
        if self._middle is not None:
            found -= self._middle
        return found


def round_to_int16(rows: WordRows, n_shifts: int) -> Rounding:
    """Return the finest units in which no sum of a window's rows overflows int16.

    Parameters
    ----------
    rows : WordRows
        float32, width ``n_shifts * columns``.
    n_shifts : int
    """
    low, high = _ranges(rows, n_shifts)
    total = np.maximum(-low, high).sum(0)
    step = _units(total / INT16)
    return Rounding(np.dtype(np.int16), step, np.zeros_like(low))


def round_to_int8(rows: WordRows, n_shifts: int) -> Rounding:
    """Return the finest units in which each row fits int8; sums of them are int16.

    Parameters
    ----------
    rows : WordRows
        float32, width ``n_shifts * columns``.
    n_shifts : int
    """
    low, high = _ranges(rows, n_shifts)
    widest = (high - low).max(0)
    step = _units(widest / INT8)
    return Rounding(np.dtype(np.int8), step, (low + high) / 2)


def _units(steps: np.ndarray) -> np.ndarray:
    """Return units that can be divided by: what never answers has any."""
    tiny = np.finfo(np.float32).tiny
    return np.where(steps > tiny, steps, 1).astype(np.float32)


def _ranges(rows: WordRows, n_shifts: int) -> tuple[np.ndarray, np.ndarray]:
    """Return least and largest of what any word adds, (n_shifts, columns) each."""
    low, high = np.zeros(rows.width, np.float32), np.zeros(rows.width, np.float32)
    for start in range(0, len(rows.vectors), AT_ONCE):
        words = np.arange(start, min(start + AT_ONCE, len(rows.vectors)))
        found = rows.fold(words)
        np.minimum(low, found.min(0), out=low)
        np.maximum(high, found.max(0), out=high)
    return low.reshape(n_shifts, -1), high.reshape(n_shifts, -1)


def _zeros_in_line(size: int, dtype: np.typing.DTypeLike) -> np.ndarray:
    """Return zeros that begin with a cache line; they take no memory before written."""
    count = size * np.dtype(dtype).itemsize
    raw = np.zeros(count + LINE, np.uint8)
    begin = -raw.__array_interface__["data"][0] % LINE
    return raw[begin : begin + count].view(dtype)
