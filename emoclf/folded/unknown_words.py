"""A warning for texts that a classifier does not know the words of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emoclf.text.vocabulary import FIRST_TOKEN_ID, UNKNOWN

#: Number of words, or of calls, after which no more texts are looked at.
N_WORDS, N_CALLS = 1000, 100
#: Least number of words for a warning; fewer may be names.
MIN_WORDS = 8
MAX_UNKNOWN_SHARE = 0.5


class UnknownWords:
    """Counts the unknown words of the first texts, and warns once if most are.

    Parameters
    ----------
    ids : mapping of str to int
        Vocabulary.
    """

    def __init__(self, ids: Mapping[str, int]) -> None:
        # Punctuation is known in any language.
        self._is_word = np.zeros(len(ids) + FIRST_TOKEN_ID, bool)
        self._is_word[UNKNOWN] = True
        self._is_word[[i for token, i in ids.items() if token[:1].isalpha()]] = True
        self._n_words = self._n_unknown = self._n_calls = 0

    def count(self, token_ids: np.ndarray) -> bool:
        """Count the words of texts; return whether there is no need to count more."""
        self._n_calls += 1
        self._n_words += int(self._is_word[token_ids].sum())
        self._n_unknown += int((token_ids == UNKNOWN).sum())
        share = self._n_unknown / max(1, self._n_words)
        if self._n_words >= MIN_WORDS and share > MAX_UNKNOWN_SHARE:
            import logging  # It takes milliseconds, and most texts need none.

            logging.getLogger(__name__).warning(
                "%.0f %% of the words of these texts are unknown to the classifier. "
                "Are they in the language that it was trained on? Its answers mean "
                "little otherwise.",
                100 * share,
            )
            return True
        return self._n_words >= N_WORDS or self._n_calls >= N_CALLS
