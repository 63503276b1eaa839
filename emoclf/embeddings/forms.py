"""Under which forms a word may stand in somebody else's vectors.

Vectors follow the tokenizer of their makers: one file knows "didn't", another "did" and
"n't", a third "didnt", and GoogleNews writes every digit of a longer number as "#".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

AS_IT_STANDS = "as it stands"
OTHER_CASE = "other case"
OTHER_SPELLING = "other spelling"
PARTS = "parts"
SUB_WORDS = "sub-words"
WAYS = (AS_IT_STANDS, OTHER_CASE, OTHER_SPELLING, PARTS, SUB_WORDS)

_DIGIT = re.compile(r"\d")


def forms_of(word: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the ways to find a word, best first.

    Yields
    ------
    way, parts : str, tuple of str
        All parts have to be in the file; the word's vector is their mean.

    Examples
    --------
    >>> [parts for way, parts in forms_of("can't") if way == PARTS]
    [('ca', "n't"), ('can', "'t"), ('can', 't')]
    """
    yield AS_IT_STANDS, (word,)
    for other in dict.fromkeys((word.lower(), _title(word), word.upper())):
        if other != word:
            yield OTHER_CASE, (other,)
    yield from ((OTHER_SPELLING, (other,)) for other in _spellings(word))
    yield from ((PARTS, parts) for parts in _parts(word))


def _title(word: str) -> str:
    # str.title() makes "Didn'T".
    return word[:1].upper() + word[1:]


def _spellings(word: str) -> Iterator[str]:
    if "'" in word.strip("'"):
        yield word.replace("'", "’")
        yield word.replace("'", "")
    if _DIGIT.search(word):
        hashes = _DIGIT.sub("#", word)
        zeros = _DIGIT.sub("0", word)
        yield from (form for form in (hashes, zeros) if form != word)
    if len(word) > 1 and len(set(word)) == 1 and not word.isalnum():
        # A run of marks: "!!" or "!!!" where the file has "!" alone.
        yield word[0]


def _parts(word: str) -> Iterator[tuple[str, ...]]:
    if word.endswith("n't") and len(word) > 3:
        # Penn Treebank, and GloVe after it.
        yield word[:-3], "n't"
    head, apostrophe, tail = word.partition("'")
    if head and tail and apostrophe:
        yield head, f"'{tail}"
        yield head, tail
