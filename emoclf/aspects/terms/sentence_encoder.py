"""Sentences as numbers for a tagger: tokens, characters, tags, and their batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from emoclf.aspects.data.sentences import AspectData
from emoclf.aspects.data.tags import align_spans, encode_tags
from emoclf.batching import lengths_of, pad
from emoclf.text.encoder import TextEncoder

#: Characters of a token that are read: the first and the last ones of a longer token.
MAX_CHARACTERS = 16
#: Ids of padding and of characters that the training set has not.
PADDING, UNKNOWN_CHARACTER, FIRST_CHARACTER = 0, 1, 2
#: Number of tokens whose character ids are kept.
CACHED_TOKENS = 100_000


class TokenizedText(NamedTuple):
    """A text as a tagger reads it.

    Parameters
    ----------
    spans : list of (start, stop)
        Offsets of the tokens.
    token_ids : ndarray of int32, shape (length,)
    characters : ndarray of int32, shape (length, MAX_CHARACTERS)
    """

    spans: list[tuple[int, int]]
    token_ids: np.ndarray
    characters: np.ndarray


class SentenceEncoder:
    """Turn texts into token ids and character ids.

    Parameters
    ----------
    encoder : TextEncoder
        Tokenizer and vocabulary.
    alphabet : sequence of str
        Characters; the first has the id 2.

    Attributes
    ----------
    character_ids : dict of str to int
    """

    def __init__(self, encoder: TextEncoder, alphabet: Sequence[str]) -> None:
        self.encoder = encoder
        self.alphabet = tuple(alphabet)
        self.character_ids = {
            x: i for i, x in enumerate(self.alphabet, FIRST_CHARACTER)
        }
        self._rows: dict[str, np.ndarray] = {}

    @property
    def n_characters(self) -> int:
        """Number of character ids, with padding and unknown."""
        return len(self.alphabet) + FIRST_CHARACTER

    def encode(self, texts: Iterable[str]) -> list[TokenizedText]:
        """Return the tokens of each text as numbers."""
        return [self._encode(text) for text in texts]

    def _encode(self, text: str) -> TokenizedText:
        tokenizer = self.encoder.tokenizer
        spans = tokenizer.spans(text)
        ids = self.encoder.vocabulary.ids(tokenizer.tokens(text))
        rows = [self._characters(text[start:stop]) for start, stop in spans]
        characters = np.stack(rows) if rows else np.zeros((0, MAX_CHARACTERS), np.int32)
        return TokenizedText(spans, np.array(ids, np.int32), characters)

    def _characters(self, token: str) -> np.ndarray:
        if (row := self._rows.get(token)) is not None:
            return row
        half = MAX_CHARACTERS // 2
        short = token
        if len(token) > MAX_CHARACTERS:
            short = token[:half] + token[-half:]
        row = np.zeros(MAX_CHARACTERS, np.int32)
        row[: len(short)] = [
            self.character_ids.get(x, UNKNOWN_CHARACTER) for x in short
        ]
        if len(self._rows) < CACHED_TOKENS:  # Texts of a stream have no end.
            self._rows[token] = row
        return row


def fit_alphabet(texts: Iterable[str]) -> list[str]:
    """Return the characters that occur at least twice, the most frequent first."""
    counts = Counter(x for text in texts for x in text if not x.isspace())
    frequent = [x for x, count in counts.items() if count > 1]
    return sorted(frequent, key=lambda x: (-counts[x], x))


@dataclass(frozen=True)
class TaggedExamples:
    """Encoded sentences with the ids of their tags.

    Parameters
    ----------
    texts : list of TokenizedText
        Sentences that have a token.
    tags : list of ndarray of int32, each of shape (length,)
    n_moved : int
        Number of terms that got whole tokens.
    n_dropped : int
        Number of terms without a token of their own.
    """

    texts: list[TokenizedText]
    tags: list[np.ndarray]
    n_moved: int
    n_dropped: int

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def lengths(self) -> np.ndarray:
        """Number of tokens of each sentence."""
        return lengths_of([text.token_ids for text in self.texts])

    def batch(self, rows: Iterable[int], *, characters: bool) -> dict[str, np.ndarray]:
        """Return the inputs of a training step."""
        rows = list(rows)
        inputs = stack_texts([self.texts[i] for i in rows], characters=characters)
        return {**inputs, "tags": pad([self.tags[i] for i in rows])}


def tagged_examples(
    data: AspectData,
    encoder: SentenceEncoder,
    tag_ids: Mapping[str, int],
    *,
    scheme: str,
    typed: bool,
) -> TaggedExamples:
    """Encode sentences and their terms; texts without tokens are left out.

    Parameters
    ----------
    data : AspectData
    encoder : SentenceEncoder
    tag_ids : mapping of str to int
    scheme : {"BIO", "BIOES"}
    typed : bool
        Whether tags contain the labels of the terms.
    """
    texts, tags, n_moved, n_dropped = [], [], 0, 0
    for sentence, text in zip(data, encoder.encode(data.texts), strict=True):
        terms = sentence.terms
        if not typed:
            terms = tuple(term._replace(label=None) for term in terms)
        aligned = align_spans(terms, text.spans)
        n_moved += aligned.n_moved
        n_dropped += aligned.n_dropped
        if len(text.spans):
            names = encode_tags(len(text.spans), aligned.spans, scheme)
            texts.append(text)
            tags.append(np.array([tag_ids[name] for name in names], np.int32))
    return TaggedExamples(texts, tags, n_moved, n_dropped)


def stack_texts(
    texts: Sequence[TokenizedText], *, characters: bool
) -> dict[str, np.ndarray]:
    """Stack texts of different lengths into the inputs of a network, padded with 0."""
    inputs: dict[str, Any] = {"token_ids": pad([text.token_ids for text in texts])}
    if characters:
        mask = pad([np.ones(len(text.token_ids), np.int32) for text in texts]) > 0
        stacked = np.zeros((*mask.shape, MAX_CHARACTERS), np.int32)
        stacked[mask] = np.concatenate([text.characters for text in texts])
        inputs["characters"] = stacked
    return inputs
