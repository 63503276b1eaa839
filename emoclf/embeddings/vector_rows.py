"""Word vectors that are collected while a file is read."""

from __future__ import annotations

import os

import numpy as np

from emoclf.errors import VectorsError

# Reserved memory that is never written costs nothing, so one array of up to this many
# rows is filled in place; a larger one grows.
MAX_RESERVED_ROWS = 1 << 19


class VectorRows:
    """Words and their vectors, in the order of the file.

    Parameters
    ----------
    dim : int
        Width of a vector.
    expected : int
        Largest number of rows, as far as it is known.
    """

    def __init__(self, dim: int, expected: int = 1024) -> None:
        self.numbers: dict[str, int] = {}
        n_reserved = max(1, min(expected, MAX_RESERVED_ROWS))
        self._matrix = np.empty((n_reserved, dim), np.float32)

    def __contains__(self, word: object) -> bool:
        return word in self.numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def matrix(self) -> np.ndarray:
        """The vectors, float32, shape (n_words, dim)."""
        return self._matrix[: len(self.numbers)]

    def add(self, word: str, row: np.ndarray) -> None:
        """Add a row; the first row of a repeated word counts."""
        number = len(self.numbers)
        if self.numbers.setdefault(word, number) != number:
            return
        if number == len(self._matrix):
            grown = np.empty((number + number // 2 + 1, row.size), np.float32)
            grown[:number] = self._matrix
            self._matrix = grown
        self._matrix[number] = row

    def check_finite(self, source: str | os.PathLike[str]) -> None:
        """Raise a VectorsError that names the first vector with a NaN in it."""
        for word, number in self.numbers.items():
            require_finite(self._matrix[number], word, f"{source}")


def require_finite(row: np.ndarray, word: str, place: str) -> None:
    """Raise a VectorsError if a vector contains a NaN or an infinite number."""
    if not np.isfinite(row).all():
        bad = row[~np.isfinite(row)][0]
        raise VectorsError(
            f"{place}: the vector of {word!r} contains {bad}. The file is damaged; "
            "download it again, or remove the row."
        )
