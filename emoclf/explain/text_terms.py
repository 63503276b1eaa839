"""What each token of a text adds to a network that is a sum over its n-grams.

A bundle (``bundle_terms.py``) and a folded export (``folded_terms.py``) describe a
text in this way; ``exact_shares.py`` computes the shares from it with NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from emoclf.folded.word_rows import Windows
from emoclf.text.word_pairs import MIN_SQUARE


class FilterTerms(NamedTuple):
    """Filters that share their windows.

    Parameters
    ----------
    windows : Windows
    terms : ndarray of float32, shape (n_tokens, n_shifts, columns)
        Number that a token adds to a filter at each place of its window. Columns are
        ordered by kernel size, then by filter.
    bias : ndarray of float32, shape (columns,)
    """

    windows: Windows
    terms: np.ndarray
    bias: np.ndarray


class NgramTerms(NamedTuple):
    """Shares of words and word pairs in a linear part of the logits.

    Parameters
    ----------
    words : ndarray of float32, shape (n_tokens, n_classes)
    pairs : ndarray of float32, shape (n_tokens - 1, n_classes), or None
        Row i belongs to the tokens i and i + 1.
    """

    words: np.ndarray
    pairs: np.ndarray | None

    def by_word(self) -> np.ndarray:
        """Return the share of each word; a pair gives half to each of its words."""
        shares = self.words.copy()
        if self.pairs is not None:
            shares[:-1] += self.pairs / 2
            shares[1:] += self.pairs / 2
        return shares


class TextTerms(NamedTuple):
    """All terms of the logits of one text.

    Parameters
    ----------
    filters : sequence of FilterTerms
        Empty for a network that is linear in its words.
    pooling : {"max", "average"}
        Pooling of the filters over the windows of the text.
    activation : {"relu", "elu", "tanh", "sigmoid"}
        Activation of the filters.
    head_kernel : ndarray of float32, shape (n_filters, n_classes)
    ngrams : sequence of NgramTerms
    bias : ndarray of float32, shape (n_classes,)
    """

    filters: Sequence[FilterTerms]
    pooling: str
    activation: str
    head_kernel: np.ndarray
    ngrams: Sequence[NgramTerms]
    bias: np.ndarray


#: From the token ids of a text, int64 of shape (n_tokens,), to its terms.
TermsOf = Callable[[np.ndarray], TextTerms]


def average_terms(words: np.ndarray, pairs: np.ndarray | None) -> NgramTerms:
    """Return the shares in a mean over words and pairs.

    Parameters
    ----------
    words : ndarray of float32, shape (n_tokens, n_classes)
        Scores before the division.
    pairs : ndarray of float32, shape (n_tokens - 1, n_classes), or None
    """
    count = np.float32(max(len(words) + (0 if pairs is None else len(pairs)), 1))
    return NgramTerms(words / count, None if pairs is None else pairs / count)


def normed_terms(words: np.ndarray, pairs: np.ndarray | None) -> NgramTerms:
    """Return the shares in a sum that is divided by the norm of the text's features.

    See ``emoclf.models.ngram_scores``. The norm depends on all n-grams of the text; the
    shares are those at the norm that the text has.

    Parameters
    ----------
    words : ndarray of float32, shape (n_tokens, n_classes + 1)
        Scores, and the squares of the features in the last column.
    pairs : ndarray of float32, shape (n_tokens - 1, n_classes + 1), or None
    """
    square = words[:, -1].sum()
    if pairs is not None:
        square += pairs[:, -1].sum()
    norm = np.sqrt(np.maximum(square, np.float32(MIN_SQUARE)))
    return NgramTerms(
        words[:, :-1] / norm, None if pairs is None else pairs[:, :-1] / norm
    )
