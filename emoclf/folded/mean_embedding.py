"""Folded averaged embeddings: a row of class scores for each word and word pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emoclf.folded.head import probabilities
from emoclf.folded.network import Network
from emoclf.folded.ngram_sums import NgramLogits, NgramSums


@dataclass(frozen=True, eq=False, repr=False)
class FoldedMeanEmbedding(Network):
    """Averaged embeddings that predict from token ids.

    Parameters
    ----------
    sums : NgramSums
        Contributions of words and pairs to the logits.
    bias : ndarray of float32, shape (n_classes,)
    multilabel : bool
    ngrams : NgramLogits, optional
        Linear part beside the averages.
    """

    sums: NgramSums
    bias: np.ndarray
    multilabel: bool
    ngrams: NgramLogits | None = None

    def predict_many(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return probabilities; see :meth:`Network.predict_many`."""
        counts = lengths.astype(np.float32)
        if self.sums.pairs is not None:
            counts += np.maximum(counts - 1, 0)
        logits = self.sums(flat, lengths)
        logits /= np.maximum(counts, 1)[:, None]
        logits += self.bias
        if self.ngrams is not None:
            logits += self.ngrams(flat, lengths)
        return probabilities(logits, multilabel=self.multilabel)
