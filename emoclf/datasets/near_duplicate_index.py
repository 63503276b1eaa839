"""Find texts that are duplicates or near-duplicates of a few given ones.

Where the texts to be compared with are few, and those that are compared are a stream of
any length, an index of the few is enough. Two sets of words whose Jaccard similarity
reaches a threshold share one of their rarest words (prefix filtering: Chaudhuri, Ganti
and Kaushik, 2006; Bayardo, Ma and Srikant, 2007), so that no pair is missed.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable

from emoclf.datasets.duplicates import normalise, shingles


class NearDuplicateIndex:
    """Index of texts, which finds their duplicates and near-duplicates.

    Parameters
    ----------
    texts : iterable of str
    threshold : float in (0, 1], default=0.8
        Lowest Jaccard similarity of the word sets of near-duplicates, as in
        :func:`emoclf.datasets.duplicates.group_duplicates`; 1: only texts that differ
        in nothing but case and white space.

    Examples
    --------
    >>> index = NearDuplicateIndex(["What a lovely day it was at home!"], 0.8)
    >>> "What a lovely day it was, at home" in index, "What a day!" in index
    (True, False)
    """

    def __init__(self, texts: Iterable[str], threshold: float = 0.8) -> None:
        self.threshold = threshold
        texts = list(texts)
        self._exact = {normalise(text) for text in texts}
        self._sets: list[frozenset[str]] = []
        self._with_word: dict[str, list[int]] = defaultdict(list)
        self._frequency: Counter[str] = Counter()
        if threshold < 1:
            self._sets = list(dict.fromkeys(map(shingles, texts)))
            for words in self._sets:
                self._frequency.update(words)
            for number, words in enumerate(self._sets):
                for word in self._rarest(words):
                    self._with_word[word].append(number)

    def __contains__(self, text: str) -> bool:
        """Whether a text is a duplicate or near-duplicate of one of the index."""
        if normalise(text) in self._exact:
            return True
        if self.threshold >= 1:
            return False
        words = shingles(text)
        candidates = {
            number
            for word in self._rarest(words)
            for number in self._with_word.get(word, ())
        }
        return any(self._is_near(words, self._sets[number]) for number in candidates)

    def _rarest(self, words: frozenset[str]) -> list[str]:
        """Return so many of the rarest words that a near-duplicate has one of them."""
        n_rarest = len(words) - math.ceil(self.threshold * len(words) - 1e-9) + 1
        return sorted(words, key=lambda word: (self._frequency[word], word))[:n_rarest]

    def _is_near(self, words: frozenset[str], other_words: frozenset[str]) -> bool:
        shared = len(words & other_words)
        union = len(words) + len(other_words) - shared
        return shared >= self.threshold * union - 1e-9
