"""Word vectors as an export stores them: float32, or rounded to int8."""

from __future__ import annotations

import numpy as np

#: Words whose vectors keep four more bits: the commonest ones, most of any text.
FINE_WORDS = 6000


class StoredVectors:
    """Vectors of a vocabulary.

    Parameters
    ----------
    rows : ndarray, shape (vocabulary, dim)
        float32; or int8, in units of ``scale``. Row 0 is padding and zero.
    scale : ndarray of float32, shape (vocabulary,), optional
    fine : ndarray of uint8, shape (n_fine, ceil(dim / 2)), optional
        Given with ``scale``. For the first words, the remainders of rounding to int8,
        in sixteenths of a unit: two numbers from -8 to 7 in each byte, 8 added, the
        first in the lower half.
    """

    def __init__(
        self,
        rows: np.ndarray,
        scale: np.ndarray | None = None,
        fine: np.ndarray | None = None,
    ) -> None:
        self.rows = rows
        self.scale = scale
        self.fine = fine

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, words: np.ndarray) -> np.ndarray:
        """Return the vectors of words, float32 of shape (n, dim)."""
        vectors = self.rows[words]
        if self.scale is None:
            return vectors
        assert self.fine is not None
        vectors = vectors.astype(np.float32)
        (common,) = np.nonzero(words < len(self.fine))
        packed = self.fine[words[common]]
        pairs = np.stack([packed & 15, packed >> 4], axis=2)
        remainders = pairs.reshape(len(common), 2 * packed.shape[1])
        remainders = remainders[:, : self.rows.shape[1]]
        vectors[common] += (remainders.astype(np.float32) - 8) / 16
        vectors *= self.scale[words, None]
        return vectors


def round_vectors(
    values: np.ndarray, *, n_fine: int = FINE_WORDS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Round each vector to integers from -127 to 127 and a scale.

    Parameters
    ----------
    values : ndarray of float32, shape (vocabulary, dim)
        The commonest words first.
    n_fine : int, default=6000
        Number of words, from the first on, that keep four more bits.

    Returns
    -------
    rows, scale, fine : ndarray
        Arguments of :class:`StoredVectors`.
    """
    steps = np.abs(values).max(1) / 127
    # The scale of a vector of zeros is arbitrary.
    scale = np.where(steps > np.finfo(np.float32).tiny, steps, 1).astype(np.float32)
    units = values / scale[:, None]
    rows = np.rint(units).astype(np.int8)
    remainders = np.rint((units[:n_fine] - rows[:n_fine]) * 16).clip(-8, 7) + 8
    nibbles = remainders.astype(np.uint8)
    if nibbles.shape[1] % 2:
        nibbles = np.pad(nibbles, [(0, 0), (0, 1)])
    fine = nibbles[:, 0::2] | (nibbles[:, 1::2] << 4)
    return rows, scale, fine
