"""Tokens of a text with their places in it, and which of them a classifier reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from emoclf.text.tokenizer import Tokenizer
from emoclf.text.vocabulary import UNKNOWN

#: Reasons why a classifier does not read a token.
CUT, STOP_WORD = "cut", "stop word"
_WORDS = re.compile(r"\S+")


class Token(NamedTuple):
    """One token of a text.

    Parameters
    ----------
    text : str
        Normal form, as in the vocabulary.
    start, stop : int
        Place in the text: ``text[start:stop]``.
    is_known : bool
        Whether the vocabulary contains it.
    left_out : {"", "cut", "stop word"}
        Why the classifier does not read it: it is beyond the length at which texts are
        cut, or a stop word.
    """

    text: str
    start: int
    stop: int
    is_known: bool = True
    left_out: str = ""


class TokenReader(NamedTuple):
    """Tokenizer and vocabulary of a classifier.

    Parameters
    ----------
    tokenizer : Tokenizer
    ids : function
        From tokens to the list of their ids.
    max_length : int
    stop_words : collection of str
    """

    tokenizer: Tokenizer
    ids: Callable[[Sequence[str]], list[int]]
    max_length: int
    stop_words: Collection[str]

    @classmethod
    def of(cls, classifier: Any) -> TokenReader | None:
        """Return the reader of a classifier; None if it has no tokenizer to use."""
        if (bundle := getattr(classifier, "bundle", None)) is not None:
            encoder = bundle.encoder
            ids = encoder.vocabulary.ids
            return cls(encoder.tokenizer, ids, encoder.max_length, encoder.stop_words)
        # An ExportedText; a SavedModel tokenizes in its graph, and has none.
        if (text := getattr(classifier, "text", None)) is not None:
            get = text.ids.get

            def look_up(tokens: Sequence[str]) -> list[int]:
                return [get(token, UNKNOWN) for token in tokens]

            return cls(text.tokenizer, look_up, text.max_length, text.stop_words)
        return None

    def read(self, text: str) -> tuple[list[Token], np.ndarray]:
        """Return the tokens of a text, and the ids of those that are read, int64."""
        forms = self.tokenizer.tokens(text)
        numbers = self.ids(forms)
        tokens: list[Token] = []
        read: list[int] = []
        for form, number, (start, stop) in zip(
            forms, numbers, self.tokenizer.spans(text), strict=True
        ):
            left_out = ""
            if form in self.stop_words:
                left_out = STOP_WORD
            elif len(read) == self.max_length:
                left_out = CUT
            else:
                read.append(number)
            tokens.append(Token(form, start, stop, number != UNKNOWN, left_out))
        return tokens, np.array(read, np.int64)


def words_between_spaces(text: str) -> list[Token]:
    """Return the words of a text for a classifier whose tokenizer is not at hand."""
    return [Token(match[0].lower(), *match.span()) for match in _WORDS.finditer(text)]
