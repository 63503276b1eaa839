"""The rows that are kept while a file of vectors is read."""

from __future__ import annotations

import os

import numpy as np

from emoclf.errors import VectorsError

# Memory that is reserved and never written costs nothing, so that one array can be
# filled in place; beyond this it grows.
RESERVED = 1 << 19


class Rows:
    """Words and their vectors, in the order in which they came.

    Parameters
    ----------
    dim : int
        Width of a vector.
    expected : int
        How many rows there will be at most, as far as that is known.
    """

    def __init__(self, dim: int, expected: int = 1024) -> None:
        self.numbers: dict[str, int] = {}
        self._matrix = np.empty((max(1, min(expected, RESERVED)), dim), np.float32)

    def __contains__(self, word: object) -> bool:
        return word in self.numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def matrix(self) -> np.ndarray:
        """The vectors, float32, shape (n_words, dim)."""
        return self._matrix[: len(self.numbers)]

    def add(self, word: str, row: np.ndarray) -> None:
        """Keep a row; of a word that comes twice, the first counts."""
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
    """Raise a VectorsError if a vector holds a NaN or an infinite number."""
    if not np.isfinite(row).all():
        bad = row[~np.isfinite(row)][0]
        raise VectorsError(
            f"{place}: the vector of {word!r} holds {bad}. The file is damaged; get it "
            "anew, or remove the row."
        )
