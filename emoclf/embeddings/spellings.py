"""Under which forms a word may stand in somebody else's vectors.

Vectors follow the tokenizer of their makers: one file knows "didn't", another "did" and
"n't", a third "didnt", and GoogleNews writes every digit of a longer number as "#".
What a file does is told by words that only its own convention would give: a file with
"n't" splits as the Penn Treebank does, and there "were" is no spelling of "we're".
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import NamedTuple

AS_IT_STANDS = "as it stands"
OTHER_CASE = "other case"
PARTS = "parts"
OTHER_SPELLING = "other spelling"
SUB_WORDS = "sub-words"
WAYS = (AS_IT_STANDS, OTHER_CASE, PARTS, OTHER_SPELLING, SUB_WORDS)

TREEBANK = "splits n't"
SPLITS = "splits at apostrophes"
DROPS = "drops apostrophes"
HASHES = "# for digits"
ZEROS = "0 for digits"

#: Convention → words of which one has to be in the file, words of which none may be.
_EVIDENCE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    TREEBANK: (("n't",), ()),
    SPLITS: (("didn", "doesn", "wasn"), ("didn't", "don't", "n't")),
    DROPS: (("didnt", "dont", "doesnt"), ("didn't", "don't", "n't")),
    HASHES: (("##",), ("10", "12", "20")),
    ZEROS: (("00", "0000"), ("10", "12", "20", "##")),
}
WITNESSES = frozenset(
    word for signs, against in _EVIDENCE.values() for word in (*signs, *against)
)

#: Words without an apostrophe that the Penn Treebank splits (its tokenizer.sed).
_TREEBANK_PARTS = {
    "cannot": ("can", "not"),
    "gimme": ("gim", "me"),
    "gonna": ("gon", "na"),
    "gotta": ("got", "ta"),
    "lemme": ("lem", "me"),
    "wanna": ("wan", "na"),
}
_DIGIT = re.compile(r"\d")


class Form(NamedTuple):
    """One way to find a word: the mean of all parts, if the file has the convention."""

    way: str
    parts: tuple[str, ...]
    convention: str | None = None


def conventions_of(words: Container[str]) -> frozenset[str]:
    """Tell a file's conventions from the witnesses that it holds.

    Examples
    --------
    >>> sorted(conventions_of({"did", "n't"}))
    ["splits n't"]
    """
    return frozenset(
        name
        for name, (signs, against) in _EVIDENCE.items()
        if any(sign in words for sign in signs)
        and not any(sign in words for sign in against)
    )


def forms_of(word: str) -> Iterator[Form]:
    """Yield the ways to find a word, best first.

    Examples
    --------
    >>> [form.parts for form in forms_of("can't") if form.way == PARTS]
    [('ca', "n't"), ('can', "'t"), ('can', 't')]
    """
    yield Form(AS_IT_STANDS, (word,))
    for other in cases_of(word)[1:]:
        yield Form(OTHER_CASE, (other,))
    yield from _parts(word)
    yield from _spellings(word)


def cases_of(word: str) -> list[str]:
    """Return a word as it stands and in its other cases.

    Examples
    --------
    >>> cases_of("didn't")
    ["didn't", "Didn't", "DIDN'T"]
    """
    lower = word.lower()
    # str.title() makes "Didn'T".
    title = lower[:1].upper() + lower[1:]
    return list(dict.fromkeys((word, lower, title, word.upper())))


def _parts(word: str) -> Iterator[Form]:
    lower = word.lower()
    if lower in _TREEBANK_PARTS:
        yield Form(PARTS, _TREEBANK_PARTS[lower], TREEBANK)
    if lower.endswith("n't") and len(word) > 3:
        yield Form(PARTS, (word[:-3], word[-3:]), TREEBANK)
    head, _, tail = word.rpartition("'")
    if head and tail:
        # A file with "'s" as a word shows its convention by that.
        yield Form(PARTS, (head, f"'{tail}"))
        pieces = tuple(piece for piece in word.split("'") if piece)
        yield Form(PARTS, pieces, SPLITS)
    pieces = tuple(piece for piece in word.split("-") if piece)
    if len(pieces) > 1:
        yield Form(PARTS, pieces)


def _spellings(word: str) -> Iterator[Form]:
    inner = word.strip("'’")
    for mark, other in (("'", "’"), ("’", "'")):
        if mark in inner:
            yield Form(OTHER_SPELLING, (word.replace(mark, other),))
            yield Form(OTHER_SPELLING, (word.replace(mark, ""),), DROPS)
    if _DIGIT.search(word):
        yield Form(OTHER_SPELLING, (_DIGIT.sub("#", word),), HASHES)
        yield Form(OTHER_SPELLING, (_DIGIT.sub("0", word),), ZEROS)
    if word == "...":
        yield Form(OTHER_SPELLING, ("…",))
    if word == "…":
        yield Form(OTHER_SPELLING, ("...",))
    if len(word) > 1 and len(set(word)) == 1 and not word.isalnum():
        # A run of marks: "!!" or "!!!" where the file has "!" alone.
        yield Form(OTHER_SPELLING, (word[0],))
