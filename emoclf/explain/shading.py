"""Strength of a word's colour, and the text in parts that have one colour each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from emoclf.explain.explanation import Explanation

#: Shares of the largest contribution below which a word has no colour.
MIN_SHARE = 0.05


def share_of(value: float, scale: float) -> float:
    """Return a contribution as a part of the largest one, -1 to 1; 0: no colour."""
    share = value / scale if scale > 0 else 0.0
    return share if abs(share) >= MIN_SHARE else 0.0


def shade_of(share: float, n_shades: int) -> int:
    """Return a shade from 1 to ``n_shades``, negative for a negative share; 0: none."""
    shade = min(int(abs(share) * n_shades) + 1, n_shades) if share else 0
    return shade if share > 0 else -shade


def shaded_parts(
    explanation: Explanation, column: int
) -> Iterator[tuple[str, int | None, float]]:
    """Yield the parts of a text, the token's number that each is, and its share."""
    text, begin = explanation.text, 0
    values = explanation.contributions[:, column]
    scale = float(np.abs(values).max(initial=0.0))
    for number, token in enumerate(explanation.tokens):
        if token.start > begin:
            yield text[begin : token.start], None, 0.0
        share = share_of(float(values[number]), scale)
        yield text[token.start : token.stop], number, share
        begin = token.stop
    if begin < len(text):
        yield text[begin:], None, 0.0
