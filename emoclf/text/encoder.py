"""The one road from texts to token ids, fitted on the training part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from emoclf.settings import TextSettings
from emoclf.text.tokenizer import Tokenizer, token_counts
from emoclf.text.vocabulary import Vocabulary, build_vocabulary

SHORTEST_LIMIT = 16
LONGEST_LIMIT = 512

TokenLists = Sequence[Sequence[str]]


class TextEncoder:
    """Turn texts into token ids, the same way for ever.

    Parameters
    ----------
    tokenizer : Tokenizer
    vocabulary : Vocabulary
    max_length : int >= 1
        Texts are cut after so many tokens.
    stop_words : iterable of str
        Tokens that are left out, in the tokenizer's normal form.
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
        """Return the ids of texts that are tokenized already."""
        ids = self.vocabulary.ids
        cut = self.max_length
        return [
            np.array(ids(self.kept(tokens)[:cut]), np.int32) for tokens in token_lists
        ]

    def kept(self, tokens: Sequence[str]) -> Sequence[str]:
        """Return the tokens that are no stop words."""
        if not self.stop_words:
            return tokens
        return [token for token in tokens if token not in self.stop_words]

    def count_cut(self, token_lists: TokenLists) -> int:
        """Return the number of texts that are longer than ``max_length``."""
        return sum(len(self.kept(tokens)) > self.max_length for tokens in token_lists)

    def share_cut(self, token_lists: TokenLists) -> float:
        """Return the share of the texts that are longer than ``max_length``."""
        return self.count_cut(token_lists) / max(1, len(token_lists))

    def share_unknown(self, token_lists: TokenLists) -> float:
        """Return the share of running tokens that have no id of their own."""
        counts = self.count_tokens(token_lists)
        unknown = sum(n for t, n in counts.items() if t not in self.vocabulary)
        return unknown / max(1, sum(counts.values()))

    def count_tokens(self, token_lists: TokenLists) -> dict[str, int]:
        """Return how often each token stands in the texts, without stop words."""
        counts = token_counts(token_lists)
        return {t: count for t, count in counts.items() if t not in self.stop_words}

    def to_state(self) -> tuple[dict[str, Any], list[str], dict[str, np.ndarray]]:
        """Return settings, tokens and tables, as a bundle keeps them."""
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
        """Return the encoder that was saved."""
        return cls(
            Tokenizer.from_state(settings["tokenizer"], arrays),
            Vocabulary(tokens),
            max_length=int(settings["max_length"]),
            stop_words=settings["stop_words"],
        )


def new_tokenizer(settings: TextSettings) -> Tokenizer:
    """Return the tokenizer that the settings name."""
    return Tokenizer(settings.tokenizer, settings.lowercase)


def fit_encoder(
    token_lists: TokenLists,
    settings: TextSettings,
    *,
    extra: Iterable[str] = (),
) -> TextEncoder:
    """Fit vocabulary and length on the training part.

    Parameters
    ----------
    token_lists : sequence of token lists
        The training texts, cut by :func:`new_tokenizer` of the same settings.
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
    lengths = [len(encoder.kept(tokens)) for tokens in token_lists]
    encoder.max_length = settings.max_length or choose_length(
        lengths, settings.length_percentile
    )
    return encoder


def choose_length(lengths: Sequence[int], percentile: float) -> int:
    """Return a percentile of the lengths, between 16 and 512 tokens."""
    if not len(lengths):
        return SHORTEST_LIMIT
    chosen = int(np.ceil(np.percentile(lengths, percentile)))
    return min(max(chosen, SHORTEST_LIMIT), LONGEST_LIMIT)
