"""An explanation as lines for a terminal, with or without colours."""

from __future__ import annotations

import os
import re
import sys

import numpy as np

from emoclf.display import align, printable, shorten_text
from emoclf.explain.explanation import OCCLUSION, Explanation
from emoclf.explain.shading import shade_of, shaded_parts

#: Narrower terminals get lines of so many columns.
MIN_WIDTH = 20
#: Words for and against a label, and phrases, that the tables list.
N_WORDS, N_PHRASES = 5, 4
#: Background and foreground of words for and against a label, the palest first, in the
#: 256 colours of terminals: blue and orange, which colour-blind readers tell apart.
FOR = ((195, 16), (153, 16), (75, 16), (26, 231))
AGAINST = ((230, 16), (223, 16), (215, 16), (166, 231))
MAX_NAME = 30
#: Smallest part of a logit that is shown as left over.
MIN_GAP = 0.005


def explanation_lines(
    explanation: Explanation, width: int = 80, colour: bool | None = None
) -> list[str]:
    """Return an explanation as lines; see :meth:`Explanation.lines`."""
    if colour is None:
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    lines: list[str] = []
    for label in explanation.labels:
        lines += [*_label_lines(explanation, label, width, colour), ""]
    for sentence in (explanation.description, *explanation.notes):
        lines += wrapped(printable(sentence), width)
    return lines


def _label_lines(
    explanation: Explanation, label: str, width: int, colour: bool
) -> list[str]:
    column = explanation.index(label)
    lines = wrapped(f"{shorten(label, MAX_NAME)} {sums_of(explanation, column)}", width)
    lines += _text_lines(explanation, column, width - 2, colour)
    rows = word_rows(explanation, column)
    lines += [f"  {line}" for line in align(rows, left=4)] if rows else []
    phrases = [
        f"{shorten(phrase.text, MAX_NAME)} {phrase.contributions[column]:+.2f}"
        for phrase in sorted(
            (phrase for phrase in explanation.phrases if len(phrase.tokens) > 1),
            key=lambda phrase: -abs(phrase.contributions[column]),
        )[:N_PHRASES]
    ]
    if phrases:
        lines += wrapped(f"  phrases: {'; '.join(phrases)}", width)
    return lines


def sums_of(explanation: Explanation, column: int) -> str:
    """Return the probability of a label, and the sums that its logit consists of."""
    words = explanation.contributions[:, column].sum()
    name = "log-odds" if explanation.method == OCCLUSION else "logit"
    sums = (
        f"{name} {explanation.logits[column]:+.2f} = words {words:+.2f}, "
        f"bias {explanation.bias[column]:+.2f}"
    )
    if abs(explanation.gap[column]) >= MIN_GAP:
        sums += f", remainder {explanation.gap[column]:+.2f}"
    return f"{explanation.probabilities[column]:.3f} ({sums})"


def word_rows(explanation: Explanation, column: int) -> list[list[str]]:
    """Return the words that count most for a label and against it, side by side.

    The last row has the number and the sum of those that are left out.
    """
    sides = []
    for sign in (1, -1):
        values = explanation.contributions[:, column] * sign
        order = [i for i in np.argsort(-values, kind="stable") if values[i] > 0]
        cells = []
        for i in order[:N_WORDS]:
            token = explanation.tokens[i]
            mark = "" if token.is_known else " (unknown)"
            word = shorten(explanation.text[token.start : token.stop], MAX_NAME - 10)
            cells.append([f"{word}{mark}", f"{values[i] * sign:+.2f}"])
        if left_out := order[N_WORDS:]:
            total = values[left_out].sum() * sign
            cells.append([f"{len(left_out)} more", f"{total:+.2f}"])
        sides.append(cells)
    if not any(sides):
        return []
    rows = [["for", "", "  against", ""]]
    for i in range(max(map(len, sides))):
        left, right = (side[i] if i < len(side) else ["", ""] for side in sides)
        rows.append([*left, f"  {right[0]}" if right[0] else "", right[1]])
    return rows


def _text_lines(
    explanation: Explanation, column: int, width: int, colour: bool
) -> list[str]:
    """Return the text, with a background for each word if colours are wanted."""
    width = max(width, MIN_WIDTH)
    lines: list[str] = []
    line, length = "", 0
    for part, _, share in shaded_parts(explanation, column):
        code = _code(share) if colour else ""
        for piece in re.findall(r"\s+|\S+", printable(part)):
            while piece:
                room = width - length
                moves = piece.isspace() or room < 1 or len(piece) <= width
                if len(piece) > room and length and moves:
                    piece = piece.lstrip()
                    lines, line, length = [*lines, line], "", 0
                    continue
                cut, piece = piece[:room], piece[room:]
                if cut.isspace() and not length:
                    continue
                line += f"\x1b[{code}m{cut}\x1b[0m" if code else cut
                length += len(cut)
    lines.append(line)
    return [f"  {line.rstrip()}" for line in lines if line.strip()]


def _code(share: float) -> str:
    """Return the colours of a word as the numbers of an escape sequence; "": none."""
    shade = shade_of(share, len(FOR))
    if not shade:
        return ""
    background, foreground = (FOR if shade > 0 else AGAINST)[abs(shade) - 1]
    return f"48;5;{background};38;5;{foreground}"


def shorten(text: str, length: int) -> str:
    """Return a text on one line, without controls and not longer than ``length``."""
    return shorten_text(printable(" ".join(text.split())), length)


def wrapped(text: str, width: int) -> list[str]:
    """Return a sentence as lines; those after the first are indented."""
    import textwrap

    indent = "  " if text.startswith("  ") else ""
    return textwrap.wrap(
        text.strip(),
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
    )
