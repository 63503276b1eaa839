"""Folded averaged embeddings: a row of class scores for each word and word pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emoclf.folded.head import probabilities
from emoclf.folded.network import Network
from emoclf.text.word_pairs import SPREAD


@dataclass(frozen=True, eq=False, repr=False)
class FoldedMeanEmbedding(Network):
    """Averaged embeddings that predict from token ids.

    Parameters
    ----------
    words : ndarray of float32, shape (vocabulary, n_classes)
        Contribution of each word to the logits; row 0 is padding.
    pairs : ndarray of float32, shape (buckets + 1, n_classes), optional
        The same for hashed pairs of adjacent words, from row 1 on.
    bias : ndarray of float32, shape (n_classes,)
    multilabel : bool
    """

    words: np.ndarray
    pairs: np.ndarray | None
    bias: np.ndarray
    multilabel: bool

    def predict_many(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return probabilities; see :meth:`Network.predict_many`."""
        counts = lengths.astype(np.float32)
        scores = np.take(self.words, flat, axis=0)
        if self.pairs is not None and len(flat):
            buckets = len(self.pairs) - 1
            second = np.append(flat[1:], 0).astype(np.int64)
            rows = (flat.astype(np.int64) * SPREAD + second) % buckets + 1
            # The last token of a text has no pair.
            rows[np.cumsum(lengths)[lengths > 0] - 1] = 0
            scores += self.pairs[rows]
            counts += np.maximum(counts - 1, 0)
        logits = np.zeros((len(lengths), len(self.bias)), np.float32)
        (nonempty,) = np.nonzero(lengths)
        if len(nonempty):
            starts = (np.cumsum(lengths) - lengths)[nonempty]
            logits[nonempty] = np.add.reduceat(scores, starts, axis=0)
        logits /= np.maximum(counts, 1)[:, None]
        logits += self.bias
        return probabilities(logits, multilabel=self.multilabel)
