"""Candidates for a word: the spellings under which other people's vectors have it.

Vectors follow the tokenizer of their makers: one file has "didn't", another "did" and
"n't", a third "didnt", and GoogleNews writes every digit of a longer number as "#".
A file's convention is recognised by words that no other convention gives: a file with
"n't" splits as the Penn Treebank does, and there "were" is no spelling of "we're".
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Container, Iterator
from typing import NamedTuple

# Kinds of matches; the values are keys of saved coverage reports.
EXACT = "as it stands"
OTHER_CASE = "other case"
PARTS = "parts"
OTHER_SPELLING = "other spelling"
SUB_WORDS = "sub-words"
#: Kind of match → label for people.
MATCH_LABELS = {
    EXACT: "exact",
    OTHER_CASE: "in another case",
    PARTS: "from parts",
    OTHER_SPELLING: "in another spelling",
    SUB_WORDS: "from sub-words",
}

TREEBANK = "splits n't"
SPLITS = "splits at apostrophes"
DROPS = "drops apostrophes"
HASHES = "# for digits"
ZEROS = "0 for digits"

#: Convention → words of which the file must have one, words of which it may have none.
_EVIDENCE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    TREEBANK: (("n't",), ()),
    SPLITS: (("didn", "doesn", "wasn"), ("didn't", "don't", "n't")),
    DROPS: (("didnt", "dont", "doesnt"), ("didn't", "don't", "n't")),
    HASHES: (("##",), ("10", "12", "20")),
    ZEROS: (("00", "0000"), ("10", "12", "20", "##")),
}
EVIDENCE_WORDS = frozenset().union(*itertools.chain(*_EVIDENCE.values()))

#: Words without an apostrophe that the Penn Treebank splits (its tokenizer.sed).
_TREEBANK_PARTS = {
    "cannot": ("can", "not"),
    "gimme": ("gim", "me"),
    "gonna": ("gon", "na"),
    "gotta": ("got", "ta"),
    "lemme": ("lem", "me"),
    "wanna": ("wan", "na"),
}
_ELLIPSES = {"...": "…", "…": "..."}
_DIGIT = re.compile(r"\d")


class Candidate(NamedTuple):
    """A way to find a word: the mean of all parts, if the file has the convention."""

    kind: str
    parts: tuple[str, ...]
    convention: str | None = None


def find_conventions(words: Container[str]) -> frozenset[str]:
    """Return the conventions of a file that contains these words.

    Examples
    --------
    >>> sorted(find_conventions({"did", "n't"}))
    ["splits n't"]
    """
    return frozenset(
        name
        for name, (signs, against) in _EVIDENCE.items()
        if any(sign in words for sign in signs)
        and not any(sign in words for sign in against)
    )


def candidates(word: str) -> Iterator[Candidate]:
    """Yield the ways to find a word, best first.

    Examples
    --------
    >>> [c.parts for c in candidates("can't") if c.kind == PARTS]
    [('ca', "n't"), ('can', "'t"), ('can', 't')]
    """
    yield Candidate(EXACT, (word,))
    for variant in case_variants(word)[1:]:
        yield Candidate(OTHER_CASE, (variant,))
    yield from _split_candidates(word)
    yield from _respelled_candidates(word)


def case_variants(word: str) -> list[str]:
    """Return a word as it is and in its other cases.

    Examples
    --------
    >>> case_variants("didn't")
    ["didn't", "Didn't", "DIDN'T"]
    """
    lower = word.lower()
    # str.title() makes "Didn'T".
    title = lower[:1].upper() + lower[1:]
    return list(dict.fromkeys((word, lower, title, word.upper())))


def _split_candidates(word: str) -> Iterator[Candidate]:
    lower = word.lower()
    if lower in _TREEBANK_PARTS:
        yield Candidate(PARTS, _TREEBANK_PARTS[lower], TREEBANK)
    if lower.endswith("n't") and len(word) > 3:
        yield Candidate(PARTS, (word[:-3], word[-3:]), TREEBANK)
    head, _, tail = word.rpartition("'")
    if head and tail:
        # A file that has "'s" as a word splits there: no further evidence is needed.
        yield Candidate(PARTS, (head, f"'{tail}"))
        pieces = tuple(piece for piece in word.split("'") if piece)
        yield Candidate(PARTS, pieces, SPLITS)
    pieces = tuple(piece for piece in word.split("-") if piece)
    if len(pieces) > 1:
        yield Candidate(PARTS, pieces)


def _respelled_candidates(word: str) -> Iterator[Candidate]:
    inner = word.strip("'’")
    for mark, variant in (("'", "’"), ("’", "'")):
        if mark in inner:
            yield Candidate(OTHER_SPELLING, (word.replace(mark, variant),))
            yield Candidate(OTHER_SPELLING, (word.replace(mark, ""),), DROPS)
    if _DIGIT.search(word):
        yield Candidate(OTHER_SPELLING, (_DIGIT.sub("#", word),), HASHES)
        yield Candidate(OTHER_SPELLING, (_DIGIT.sub("0", word),), ZEROS)
    if word in _ELLIPSES:
        yield Candidate(OTHER_SPELLING, (_ELLIPSES[word],))
    if len(word) > 1 and len(set(word)) == 1 and not word.isalnum():
        # Repeated punctuation: "!!" or "!!!" where the file has "!" alone.
        yield Candidate(OTHER_SPELLING, (word[0],))
