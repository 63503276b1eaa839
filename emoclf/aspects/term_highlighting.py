"""Texts with their terms as HTML, for notebooks and pages: no script, no other file.

A term that was found has a coloured background, a true one is underlined. Polarities
differ in colour and in a mark, so that nothing depends on colours, which are those of
Okabe and Ito (2008, "Color Universal Design") and transparent: they suit light and dark
pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby, pairwise
from typing import Any

from emoclf.display import printable
from emoclf.plots.term_plots import POLARITY_COLOURS

#: Mark of each polarity after its term; other labels are written out.
MARKS = {"positive": "+", "negative": "−", "neutral": "○", "conflict": "±"}
#: Also of neutral terms: the light grey of plots is too pale here.
_OTHER_COLOUR = "#808080"
_COLOURS = {**POLARITY_COLOURS, "neutral": _OTHER_COLOUR}
_OPACITY = 0.32
_UNDERLINED = '<u style="text-decoration:underline 2px;text-underline-offset:0.25em">'


def highlight(text: str, found: Sequence[Any], true: Sequence[Any] = ()) -> str:
    """Return a text as HTML with its terms highlighted.

    Parameters
    ----------
    text : str
    found, true : sequence of (start, stop, label)
        Terms as they were found, and as they are; those of one sequence do not overlap.
        The mark of a true one is written where it differs from that of a term which was
        found with the same end.

    Examples
    --------
    >>> highlight("no term", [])
    'no term'
    """
    found, true = _within(found, text), _within(true, text)
    cuts = {0, len(text)}.union(*(term[:2] for term in (*found, *true)))
    # No term begins or ends within one of these pieces.
    pieces = pairwise(sorted(cuts))
    parts = []
    for term, group in groupby(pieces, key=lambda piece: _covering(found, piece[0])):
        inside, behind = "", ""
        for start, stop in group:
            shown = _safe(text[start:stop])
            true_term = _covering(true, start)
            inside += shown if true_term is None else f"{_UNDERLINED}{shown}</u>"
            is_last = true_term is not None and true_term[1] == stop
            if is_last and (term is None or term[1:] != true_term[1:]):
                behind += _mark(true_term[2], "true")
            if term is None:
                inside, behind = inside + behind, ""
        if term is not None:
            inside += _mark(term[2], "found")
            inside = f'<mark style="{_box(term[2])}">{inside}</mark>'
        parts.append(inside + behind)
    return "".join(parts)


def _within(terms: Sequence[Any], text: str) -> list[tuple[int, int, str | None]]:
    """Return the parts of terms that are within a text, which may be cut."""
    return [
        (start, min(stop, len(text)), label)
        for start, stop, label in terms
        if start < len(text)
    ]


def _covering(terms: Sequence[Any], offset: int) -> Any:
    """Return the term that covers an offset of its text, or None."""
    return next((x for x in terms if x[0] <= offset < x[1]), None)


def key_to_marks(labels: Iterable[str | None], *, true: bool = False) -> str:
    """Return the key to the marks of these labels, as HTML.

    Parameters
    ----------
    labels : iterable of str or None
    true : bool, default=False
        Explain the underlines of true terms too.
    """
    box = f'<mark style="{_box(None)}">'
    words = [f"{box}found</mark>"]
    if true:
        words += [f"{_UNDERLINED}true</u>", f"{box}{_UNDERLINED}both</u></mark>"]
    present = {*labels}
    words += [
        f'<mark style="{_box(name)}"><b>{mark}</b></mark> {name}'
        for name, mark in MARKS.items()
        if name in present
    ]
    if true and present & {*MARKS}:
        words.append("a mark outside of a box: the true polarity")
    parts = (f'<span style="display:inline-block">{x}</span>' for x in words)
    return " &emsp; ".join(parts)


def _box(label: str | None) -> str:
    colour = _COLOURS.get(label or "", _OTHER_COLOUR)
    rgb = ",".join(map(str, bytes.fromhex(colour.removeprefix("#"))))
    return (
        f"color:inherit;background:rgba({rgb},{_OPACITY});"
        "border-radius:3px;padding:0.1em 0.15em"
    )


def _mark(label: str | None, kind: str) -> str:
    """Return the mark of a label; nothing if there is none."""
    if not label:
        return ""
    return (
        f'<b role="img" aria-label="{_safe(f"{kind}: {label}")}" '
        f'style="font-size:85%;padding-left:0.2em">{_safe(MARKS.get(label, label))}</b>'
    )


def _safe(text: str) -> str:
    """Return a text for HTML, with escapes for its characters and for controls."""
    return escape(printable(text, lines=True))
