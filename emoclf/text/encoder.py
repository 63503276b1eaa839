"""From texts to token ids, with a vocabulary fitted on the training set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from emoclf.settings import TextSettings
from emoclf.text.tokenizer import Tokenizer, token_counts
from emoclf.text.vocabulary import Vocabulary, build_vocabulary

# Limits of the length in tokens that is chosen for cutting texts.
MIN_LENGTH_LIMIT = 16
MAX_LENGTH_LIMIT = 512

TokenLists = Sequence[Sequence[str]]


class TextEncoder:
    """Turn texts into token ids.

    Parameters
    ----------
    tokenizer : Tokenizer
    vocabulary : Vocabulary
    max_length : int >= 1
        Number of tokens after which texts are cut.
    stop_words : iterable of str
        Tokens to leave out, in the tokenizer's normal form.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        vocabulary: Vocabulary,
        *,
        max_length: int,
        stop_words: Iterable[str] = (),
    ) -> None:
        self.tokenizer = tokenizer
        self.vocabulary = vocabulary
        self.max_length = max_length
        self.stop_words = frozenset(stop_words)

    def encode(self, texts: Iterable[str]) -> list[np.ndarray]:
        """Return the ids of each text, int32 of shape (length,); ``""`` gives none."""
        return self.encode_tokens(self.tokenizer.batch(texts))

    def encode_tokens(self, token_lists: TokenLists) -> list[np.ndarray]:
        """Return the ids of tokenized texts."""
        ids = self.vocabulary.ids
        cut = self.max_length
        return [
            np.array(ids(self.without_stop_words(tokens)[:cut]), np.int32)
            for tokens in token_lists
        ]

    def without_stop_words(self, tokens: Sequence[str]) -> Sequence[str]:
        """Return the tokens that are not stop words."""
        if not self.stop_words:
            return tokens
        return [token for token in tokens if token not in self.stop_words]

    def count_cut(self, token_lists: TokenLists) -> int:
        """Return the number of texts that are longer than ``max_length``."""
        return sum(n > self.max_length for n in self.count_each(token_lists))

    def count_each(self, token_lists: TokenLists) -> list[int]:
        """Return the number of tokens of each text before it is cut."""
        return [len(self.without_stop_words(tokens)) for tokens in token_lists]

    def lengths(self, texts: Iterable[str]) -> list[int]:
        """Return the number of tokens of each text before it is cut."""
        return self.count_each(self.tokenizer.batch(texts))

    def count_tokens(self, token_lists: TokenLists) -> dict[str, int]:
        """Return the count of each token that is not a stop word."""
        counts = token_counts(token_lists)
        return {t: count for t, count in counts.items() if t not in self.stop_words}

    def to_state(self) -> tuple[dict[str, Any], list[str], dict[str, np.ndarray]]:
        """Return settings, tokens and tables for a bundle."""
        tokenizer, arrays = self.tokenizer.to_state()
        settings = {
            "tokenizer": tokenizer,
            "max_length": self.max_length,
            "stop_words": sorted(self.stop_words),
        }
        return settings, list(self.vocabulary.tokens), arrays

    @classmethod
    def from_state(
        cls,
        settings: dict[str, Any],
        tokens: Sequence[str],
        arrays: dict[str, np.ndarray],
    ) -> TextEncoder:
        """Return a saved encoder."""
        return cls(
            Tokenizer.from_state(settings["tokenizer"], arrays),
            Vocabulary(tokens),
            max_length=int(settings["max_length"]),
            stop_words=settings["stop_words"],
        )


def new_tokenizer(settings: TextSettings) -> Tokenizer:
    """Return the tokenizer of the settings."""
    return Tokenizer(settings.tokenizer, settings.lowercase)


def fit_encoder(
    token_lists: TokenLists,
    settings: TextSettings,
    *,
    extra: Iterable[str] = (),
) -> TextEncoder:
    """Fit the vocabulary and the length on the training set.

    Parameters
    ----------
    token_lists : sequence of token lists
        Training texts, tokenized by :func:`new_tokenizer` of the same settings.
    settings : TextSettings
    extra : iterable of str
        Tokens to add to the vocabulary.

    Raises
    ------
    DataError
        If no token is left for the vocabulary.
    """
    tokenizer = new_tokenizer(settings)
    stop_words = {
        token for word in settings.stop_words for token in tokenizer.tokens(word)
    }
    counts = token_counts(token_lists)
    for word in stop_words:
        counts.pop(word, None)
    vocabulary = build_vocabulary(
        counts,
        min_count=settings.min_count,
        max_size=settings.max_size,
        extra=[word for word in extra if word not in stop_words],
    )
    encoder = TextEncoder(tokenizer, vocabulary, max_length=1, stop_words=stop_words)
    encoder.max_length = choose_length(encoder.count_each(token_lists), settings)
    return encoder


def choose_length(lengths: Sequence[int] | np.ndarray, settings: TextSettings) -> int:
    """Return the number of tokens after which texts are cut.

    That of the settings, or else a percentile of the lengths, between 16 and 512.
    """
    if settings.max_length:
        return settings.max_length
    if not len(lengths):
        return MIN_LENGTH_LIMIT
    length = int(np.ceil(np.percentile(lengths, settings.length_percentile)))
    return min(max(length, MIN_LENGTH_LIMIT), MAX_LENGTH_LIMIT)
