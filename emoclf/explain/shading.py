"""Strength of a word's colour, and the text in parts that have one colour each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from emoclf.explain.explanation import Explanation

#: Shares of the largest contribution below which a word has no colour.
MIN_SHARE = 0.05


def colour_scale(explanation: Explanation, column: int) -> float:
    """Return the contribution that has the strongest colour for a label."""
    return float(np.abs(explanation.contributions[:, column]).max(initial=0.0))


def share_of(value: float, scale: float) -> float:
    """Return a contribution as a part of the largest one, -1 to 1; 0: no colour."""
    share = value / scale if scale > 0 else 0.0
    return share if abs(share) >= MIN_SHARE else 0.0


def shade_of(value: float, scale: float, n_shades: int) -> int:
    """Return a shade from 1 to ``n_shades``, negative for a negative value; 0: none."""
    share = share_of(value, scale)
    shade = min(int(abs(share) * n_shades) + 1, n_shades) if share else 0
    return shade if share > 0 else -shade


def text_parts(explanation: Explanation) -> Iterator[tuple[str, int | None]]:
    """Yield the parts of a text, and the number of the token that each part is."""
    text, begin = explanation.text, 0
    for number, token in enumerate(explanation.tokens):
        if token.start > begin:
            yield text[begin : token.start], None
        yield text[token.start : token.stop], number
        begin = token.stop
    if begin < len(text):
        yield text[begin:], None
