"""What each word adds to a convolution: embedding and kernels multiplied out.

A convolution is linear in the words' vectors, so what a word adds to the windows around
it can be computed once for each word and place in the window. The convolution of a text
is then a sum of looked-up rows. Rows are made when a text first has the word: a fresh
process that answers one text multiplies out its words and no others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PRECISIONS = ("float32", "int16")
#: Largest sum of int16 rows.
INT16 = 32700
# Words that are multiplied out in one product.
_AT_ONCE = 1024


@dataclass(frozen=True)
class Windows:
    """Which windows a text has, for kernels that share them.

    Parameters
    ----------
    sizes : tuple of int
        Kernel sizes.
    padding : {"same", "valid"}
    stride : int
    """

    sizes: tuple[int, ...]
    padding: str
    stride: int

    @property
    def shifts(self) -> range:
        """Return the places, from a window's own position on, at which it looks."""
        first = min(-self.left(size) for size in self.sizes)
        last = max(size - 1 - self.left(size) for size in self.sizes)
        return range(first, last + 1)

    def left(self, size: int) -> int:
        """Return the number of words before its own position that a kernel sees."""
        return (size - 1) // 2 if self.padding == "same" else 0

    def count(self, lengths: np.ndarray) -> np.ndarray:
        """Return the number of windows of texts, none for a text without tokens."""
        if self.padding == "same":
            return -(-lengths // self.stride)
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


class WordRows:
    """A row for each word and shift, made when it is first asked for.

    Parameters
    ----------
    embedding : ndarray, shape (vocabulary, dim)
        float32; or int8 with ``row_scale``. Row 0 is padding and zero.
    kernel : ndarray of float32, shape (dim, n_shifts, columns)
    row_scale : ndarray of float32, shape (vocabulary,), optional
    step : ndarray of float32, shape (columns,), optional
        Rows are int16 in units of this; else float32.
    """

    def __init__(
        self,
        embedding: np.ndarray,
        kernel: np.ndarray,
        *,
        row_scale: np.ndarray | None = None,
        step: np.ndarray | None = None,
    ) -> None:
        self.embedding = embedding
        self.row_scale = row_scale
        self.step = step
        dim, self.n_shifts, self.columns = kernel.shape
        self._kernel = kernel.reshape(dim, -1)
        if step is not None:
            self._kernel = self._kernel / np.tile(step, self.n_shifts)
        size = len(embedding)
        dtype = np.float32 if step is None else np.int16
        # Zeros take no memory before they are written.
        self._rows = np.zeros((size, self.n_shifts * self.columns), dtype)
        self._made = np.zeros(size, bool)
        self._made[0] = True
        #: Row ``word * n_shifts + shift``; of words that :meth:`make` was told of.
        self.rows = self._rows.reshape(size * self.n_shifts, self.columns)

    def make(self, words: np.ndarray) -> None:
        """Make the rows of these words, where they are not there yet."""
        missing = words[~self._made[words]]
        if not len(missing):
            return
        missing = np.unique(missing)
        for start in range(0, len(missing), _AT_ONCE):
            some = missing[start : start + _AT_ONCE]
            found = self.fold(some)
            if self.step is not None:
                np.rint(found, out=found)
            self._rows[some] = found
        self._made[missing] = True

    def fold(self, words: np.ndarray) -> np.ndarray:
        """Return what words add, in units of ``step``, shape (n, shifts * columns)."""
        vectors = self.embedding[words]
        if self.row_scale is not None:
            vectors = vectors * self.row_scale[words, None]
        return vectors @ self._kernel


def int16_step(rows: WordRows) -> np.ndarray:
    """Return the smallest unit in which no sum of a window's rows overflows int16.

    Parameters
    ----------
    rows : WordRows
        float32, of the whole vocabulary.

    Returns
    -------
    step : ndarray of float32, shape (columns,)
    """
    largest = np.zeros(rows.n_shifts * rows.columns, np.float32)
    for start in range(0, len(rows.embedding), _AT_ONCE):
        words = np.arange(start, min(start + _AT_ONCE, len(rows.embedding)))
        np.maximum(largest, np.abs(rows.fold(words)).max(0), out=largest)
    # A filter that never answers has any unit.
    total = largest.reshape(rows.n_shifts, rows.columns).sum(0)
    return np.where(total > 0, total / INT16, 1).astype(np.float32)
