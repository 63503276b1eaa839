"""Sums of rows of words and of hashed pairs of words, for each text."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emoclf.text.word_pairs import MIN_SQUARE, pair_rows


class NgramSums(NamedTuple):
    """Tables of scores of words and pairs.

    Parameters
    ----------
    words : ndarray of float32, shape (vocabulary, columns)
        Row 0 is padding.
    pairs : ndarray of float32, shape (buckets + 1, columns), or None
        The same for hashed pairs of adjacent words, from row 1 on.
    """

    words: np.ndarray
    pairs: np.ndarray | None

    def __call__(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return the sum of the rows of each text, shape (n_texts, columns).

        Parameters
        ----------
        flat : ndarray of int32
            Token ids of all texts, one text after the other.
        lengths : ndarray of int64, shape (n_texts,)
        """
        scores = np.take(self.words, flat, axis=0)
        if self.pairs is not None and len(flat):
            buckets = len(self.pairs) - 1
            second = np.append(flat[1:], 0).astype(np.int64)
            rows = pair_rows(flat.astype(np.int64), second, buckets)
            # The last token of a text has no pair.
            rows[np.cumsum(lengths)[lengths > 0] - 1] = 0
            scores += self.pairs[rows]
        sums = np.zeros((len(lengths), self.words.shape[1]), np.float32)
        (nonempty,) = np.nonzero(lengths)
        if len(nonempty):
            starts = (np.cumsum(lengths) - lengths)[nonempty]
            sums[nonempty] = np.add.reduceat(scores, starts, axis=0)
        return sums


class NgramLogits(NamedTuple):
    """The linear part of a network; see ``emoclf.models.ngram_scores``.

    Parameters
    ----------
    sums : NgramSums
        With a column more, for the squares of features.
    bias : ndarray of float32, shape (n_classes,)
    """

    sums: NgramSums
    bias: np.ndarray

    def __call__(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return what is added to the logits, shape (n_texts, n_classes)."""
        sums = self.sums(flat, lengths)
        norms = np.sqrt(np.maximum(sums[:, -1:], np.float32(MIN_SQUARE)))
        return sums[:, :-1] / norms + self.bias
