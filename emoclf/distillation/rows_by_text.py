"""Rows of numbers that are looked up by texts, of which eight bytes each are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np


class RowsByText:
    """A row of numbers for each text. White space within a text may differ.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n_texts,)
        Numbers of the texts, as :func:`text_key` returns them.
    rows : ndarray of float32, shape (n_texts, n_columns)

    Raises
    ------
    DifferentRows
        If a text has two rows that differ by more than 1e-4.
    """

    def __init__(self, keys: np.ndarray, rows: np.ndarray) -> None:
        order = np.argsort(keys, kind="stable")
        self.keys, self.rows = keys[order], rows[order]
        repeated = self.keys[1:] == self.keys[:-1]
        differing = np.abs(self.rows[1:] - self.rows[:-1]).max(1) > 1e-4
        if (wrong := repeated & differing).any():
            first = int(np.argmax(wrong))
            positions = sorted(order[first : first + 2].tolist())
            raise DifferentRows(positions, int(wrong.sum()))
        is_first = np.append(True, ~repeated)
        self.keys, self.rows = self.keys[is_first], self.rows[is_first]

    def __len__(self) -> int:
        return len(self.keys)

    def covers(self, texts: Iterable[str]) -> np.ndarray:
        """Say of each text whether it has a row, bool of shape (n_texts,)."""
        keys = _keys(texts)
        return self.keys[self._positions(keys).clip(max=len(self) - 1)] == keys

    def of(self, texts: Iterable[str]) -> np.ndarray:
        """Return the rows of texts that have one, shape (n_texts, n_columns)."""
        return self.rows[self._positions(_keys(texts))]

    def _positions(self, keys: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.keys, keys)


class DifferentRows(ValueError):
    """A text has two rows that differ.

    Parameters
    ----------
    places : list of int
        Positions of two such rows in the input, in ascending order.
    count : int
        Number of rows that differ from another row of the same text.
    """

    def __init__(self, places: Sequence[int], count: int) -> None:
        super().__init__(f"the rows {places} differ, and their text is the same")
        self.places, self.count = places, count


def text_key(text: str) -> int:
    """Return 64 bits that stand for a text; texts themselves would take gigabytes."""
    data = " ".join(text.split()).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def _keys(texts: Iterable[str]) -> np.ndarray:
    return np.array([text_key(text) for text in texts], np.uint64)
