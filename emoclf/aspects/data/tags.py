"""Tags of tokens (BIO, BIOES), and the way from character offsets to tokens and back.

Tokens are cut without a look at the terms: cutting them at the borders of gold terms
would tell the tagger, and its evaluation, where terms begin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

SCHEMES = ("BIO", "BIOES")
OUTSIDE = "O"


class TokenSpan(NamedTuple):
    """Tokens from ``first`` to before ``end``, and their label."""

    first: int
    end: int
    label: str | None = None


class AlignedSpans(NamedTuple):
    """Terms as tokens.

    Parameters
    ----------
    spans : list of TokenSpan
    n_moved : int
        Number of terms that do not lie on borders of tokens, and got whole tokens.
    n_dropped : int
        Number of terms without a token that is not in the term before.
    """

    spans: list[TokenSpan]
    n_moved: int
    n_dropped: int


def align_spans(
    terms: Iterable[Sequence], tokens: Sequence[tuple[int, int]]
) -> AlignedSpans:
    """Return the tokens that each term touches.

    Parameters
    ----------
    terms : iterable of (start, stop, label)
        In the order of their offsets, without overlaps.
    tokens : sequence of (start, stop)
        Offsets of all tokens of the text, in order.

    Examples
    --------
    >>> align_spans([(2, 9, None)], [(0, 5), (6, 9), (10, 12)])
    AlignedSpans(spans=[TokenSpan(first=0, end=2, label=None)], n_moved=1, n_dropped=0)
    """
    spans: list[TokenSpan] = []
    n_moved = n_dropped = index = 0
    for start, stop, label in terms:
        while index < len(tokens) and tokens[index][1] <= start:
            index += 1
        end = index
        while end < len(tokens) and tokens[end][0] < stop:
            end += 1
        if end == index:
            n_dropped += 1
            continue
        n_moved += (tokens[index][0], tokens[end - 1][1]) != (start, stop)
        spans.append(TokenSpan(index, end, label))
        # A token belongs to one term: the next begins after it.
        index = end
    return AlignedSpans(spans, n_moved, n_dropped)


def tag_names(labels: Sequence[str | None], scheme: str) -> list[str]:
    """Return the tags of a scheme, "O" first.

    Parameters
    ----------
    labels : sequence of str or None
        Labels of terms; ``[None]`` for terms of one kind.
    scheme : {"BIO", "BIOES"}

    Examples
    --------
    >>> tag_names([None], "BIO"), tag_names(["food"], "BIO")
    (['O', 'B', 'I'], ['O', 'B-food', 'I-food'])
    """
    letters = scheme.replace(OUTSIDE, "")
    ends = ["" if label is None else f"-{label}" for label in labels]
    return [OUTSIDE, *(f"{letter}{end}" for end in ends for letter in letters)]


def is_tag_set(tags: Sequence[str], schemes: Iterable[str] = SCHEMES) -> bool:
    """Say whether these are all tags of a scheme, in the order of :func:`tag_names`.

    Examples
    --------
    >>> is_tag_set(["O", "B", "I"]), is_tag_set(["O", "B"])
    (True, False)
    """
    labels = list(dict.fromkeys(x.label for tag in tags for x in decode_tags([tag])))
    return any(list(tags) == tag_names(labels, scheme) for scheme in schemes)


def encode_tags(n_tokens: int, spans: Iterable[TokenSpan], scheme: str) -> list[str]:
    """Return the tag of each token.

    Examples
    --------
    >>> encode_tags(4, [TokenSpan(1, 3)], "BIOES")
    ['O', 'B', 'E', 'O']
    """
    tags = [OUTSIDE] * n_tokens
    for first, end, label in spans:
        kind = "" if label is None else f"-{label}"
        tags[first:end] = ["I" + kind] * (end - first)
        tags[first] = "B" + kind
        if scheme == "BIOES":
            tags[end - 1] = ("S" if end - first == 1 else "E") + kind
    return tags


def decode_tags(tags: Iterable[str]) -> list[TokenSpan]:
    """Return the spans of tags of any scheme, well-formed or not.

    An I or E that continues nothing begins a span, as in the script of CoNLL; also
    "L" and "U", other names of E and S, are read.

    Examples
    --------
    >>> decode_tags(["B-food", "I-food", "I-staff"])
    [TokenSpan(first=0, end=2, label='food'), TokenSpan(first=2, end=3, label='staff')]
    """
    spans: list[TokenSpan] = []
    is_open = False
    for index, tag in enumerate(tags):
        letter, _, kind = tag.partition("-")
        if letter == OUTSIDE:
            is_open = False
            continue
        label = kind or None
        if is_open and letter in "IEL" and spans[-1].label == label:
            spans[-1] = spans[-1]._replace(end=index + 1)
        else:
            spans.append(TokenSpan(index, index + 1, label))
        is_open = letter in "BI"
    return spans
