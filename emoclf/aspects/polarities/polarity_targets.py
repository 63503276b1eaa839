"""Targets of a polarity classifier: terms in texts, and the tokens around them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from emoclf.aspects.data.sentences import CONFLICT, AspectData, new_sentence
from emoclf.datasets.cells import excerpt
from emoclf.errors import DataError
from emoclf.text.encoder import TextEncoder
from emoclf.text.tokenizer import Tokenizer

#: Tokens before and after a target; no text has them, since they contain a space.
MARKERS = ("target begins", "target ends")
#: Tokens on each side of a target that are read, so that the time for a long text grows
#: with its terms, not with its terms times its length.
WINDOW = 64


class Target(NamedTuple):
    """A term in its text: ``text[start:stop]``."""

    text: str
    start: int
    stop: int


def as_targets(values: Any) -> list[Target]:
    """Check (text, start, stop), and return them as targets.

    Raises
    ------
    DataError
        If one is something else, or lies outside of its text.
    """
    targets = []
    for number, value in enumerate(values):
        location = f"Target number {number}"
        parts = tuple(value) if isinstance(value, list | tuple) else ()
        if len(parts) != 3 or not isinstance(parts[0], str):
            raise DataError(
                f"{location} must be (text, start, stop). Got {excerpt(value)} instead."
            )
        (term,) = new_sentence(parts[0], [parts[1:]], location=location).terms
        targets.append(Target(parts[0], term.start, term.stop))
    return targets


def labelled_targets(data: AspectData) -> tuple[list[Target], list[str]]:
    """Return the terms of sentences that have a label, and the labels.

    Terms with the label "conflict" are left out, as in most work.
    """
    pairs = [
        (Target(sentence.text, term.start, term.stop), term.label)
        for sentence in data
        for term in sentence.terms
        if term.label not in (None, CONFLICT)
    ]
    return [target for target, _ in pairs], [str(label) for _, label in pairs]


def marked_windows(
    targets: Iterable[Target], tokenizer: Tokenizer, width: int = WINDOW
) -> Iterator[list[str]]:
    """Yield the tokens around each target, and the target between markers.

    Nothing is between the markers of a target without a token, such as a control
    character.

    Parameters
    ----------
    targets : iterable of Target
    tokenizer : Tokenizer
    width : int
        Number of tokens on each side.
    """
    texts: dict[str, tuple[list[str], list[tuple[int, int]]]] = {}
    for text, start, stop in targets:
        if text not in texts:
            texts[text] = tokenizer.tokens(text), tokenizer.spans(text)
        tokens, spans = texts[text]
        first = bisect_right(spans, start, key=itemgetter(1))
        end = max(first, bisect_left(spans, stop, key=itemgetter(0)))
        before, after = tokens[max(0, first - width) : first], tokens[end : end + width]
        yield [*before, MARKERS[0], *tokens[first:end], MARKERS[1], *after]


def encode_targets(
    targets: Iterable[Target], text_encoder: TextEncoder
) -> list[np.ndarray]:
    """Return the ids of the tokens around each target, with the markers around it."""
    windows = marked_windows(targets, text_encoder.tokenizer)
    ids = text_encoder.vocabulary.ids
    return [np.array(ids(window), np.int32) for window in windows]
