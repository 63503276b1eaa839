"""The tokenizer: tables over code points, a list of emoticons, and one expression.

The rules depend only on neighbouring code points and on the class of the last code
point that is not a mark, so that a TensorFlow graph can apply them as well
(``graph_encoder.py``); a property test checks that the tokens are equal.

- A word is letters and digits with their marks; an apostrophe between two letters
  belongs to it ("didn't"), a hyphen does not. Between two digits ``. , :`` belong to
  the number ("3.5", "10:30").
- Characters of scripts without spaces are tokens of their own.
- An emoji sequence is one token, a pair of regional indicators too.
- A run of one of ``! ? . , : ; - * ~ _ = #`` is one token, of three marks at most.
- A piece between spaces that is an emoticon, such as ":-)", is one token.
- Every other mark or symbol is a token of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from itertools import chain
from typing import Any

import numpy as np

from emoclf.errors import DataError, SettingsError, did_you_mean
from emoclf.optional import require
from emoclf.text import code_points as tables
from emoclf.text.code_point_pages import Pages
from emoclf.text.code_points import IN_NUMBERS, RUNS, SPACE, CodePoints
from emoclf.text.validation import as_texts

KINDS = ("words", "characters", "jieba")
MAX_RUN = 3
_EMOTICONS = r"""
    :) :-) :)) :( :-( :(( ;) ;-) :D :-D =) =( =D :P :-P ;P :p xD XD :O :-O :o :/ :-/
    :\ :| :-| :* :-* :'( :'-( :') :] :[ <3 </3 ^^ ^_^ -_- >_< o_O O_o T_T ;_; :3
    >:( D: \o/ ¯\_(ツ)_/¯
"""
EMOTICONS = tuple(_EMOTICONS.split())

_WORD = r"(?:L[MJ]*(?:A(?=L))?|D[MJ]*(?:[" + re.escape(IN_NUMBERS) + r"](?=D))?)+"
_REST = (
    r"|[ET][MJT]*(?:(?<=J)E[MJT]*)*"
    r"|RR?[MJ]*"
    r"|Z+"
    r"|[^SMJ][MJ]*"
    r"|[MJ]+"
)
_RUN = "".join(rf"|{re.escape(mark)}+[MJ]*" for mark in RUNS)
# The expressions match everything, spaces too, so that the lengths of the pieces give
# their positions: findall is twice as fast as finditer. Plain words come first, with
# the space after them; L++ does not give letters back to make the look-ahead true.
_PATTERNS = {
    "words": r"L++(?![MJAD])S?|S+|" + _WORD + _RUN + _REST,
    "characters": "S+" + _REST,
}
# Words without the punctuation that a token may contain ("didn't", "3.5").
_BARE_WORDS = re.compile("[LD][LDMJ]*|(C[CMJ]*)")
_ALONE = re.compile("C[MJ]*")


class Tokenizer:
    """Cut texts into tokens.

    Parameters
    ----------
    kind : {"words", "characters", "jieba"}, default="words"
        "characters" makes a token of every code point with its marks; "jieba" cuts
        Chinese into words (``pip install 'emoclf[chinese]'``) and runs in Python only.
    lowercase : bool, default=True
        Fold letters to lower case, one code point to one code point.
    points : CodePoints or Pages, optional
        Tables of an older model; by default those of this version.
    emoticons : iterable of str
        All emoticons; an older model has its own.

    Examples
    --------
    >>> Tokenizer().tokens("I didn't know... :-) 我")
    ['i', "didn't", 'know', '...', ':-)', '我']
    """

    def __init__(
        self,
        kind: str = "words",
        lowercase: bool = True,
        points: CodePoints | Pages | None = None,
        emoticons: Iterable[str] = EMOTICONS,
    ) -> None:
        if kind not in KINDS:
            raise SettingsError(
                f"There is no tokenizer {kind!r}.{did_you_mean(kind, KINDS)} "
                f"Known: {', '.join(KINDS)}."
            )
        self.kind = kind
        self.lowercase = lowercase
        self.points: CodePoints | Pages = points or tables.packaged()
        self._classes: Any
        self._forms: Any
        self._classes, self._forms = self.points.strings(lowercase)
        self.emoticons = frozenset(
            "".join(self._forms[ord(char)] for char in emoticon)
            for emoticon in emoticons
        )
        if kind == "jieba":
            _jieba()  # raise for a missing package now, not at the first text
        self._pieces = re.compile(_PATTERNS.get(kind, _PATTERNS["words"])).findall

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of a text, in their normal form."""
        if self.kind == "jieba":
            normal = self._translate(text)[0]
            return [word for word in _jieba().lcut(normal) if word.strip(" ")]
        normal, classes = self._translate(text)
        tokens, start = [], 0
        for piece in self._pieces(classes):
            stop = start + len(piece)
            if piece[-1] != "S":
                token = normal[start:stop]
                if len(token) > MAX_RUN and piece[0] in RUNS:
                    token = _capped(token, piece)
                tokens.append(token)
            elif piece[0] != "S":
                tokens.append(normal[start : stop - 1])
            start = stop
        return tokens

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return start and stop of each token in the text."""
        if self.kind == "jieba":
            normal = self._translate(text)[0]
            return [
                (start, stop)
                for word, start, stop in _jieba().tokenize(normal)
                if word.strip(" ")
            ]
        spans, start = [], 0
        for piece in self._pieces(self._translate(text)[1]):
            stop = start + len(piece)
            if piece[0] != "S":
                spans.append((start, stop - (piece[-1] == "S")))
            start = stop
        return spans

    def words(self, text: str) -> list[list[str]]:
        """Return the words of a text, for comparing and counting them.

        Words are letters and digits with their marks; punctuation (also within a token
        such as "didn't"), emoticons and emoji are left out. Each word is a list of one
        item, and each run of a script without spaces is the list of its characters.

        Examples
        --------
        >>> Tokenizer().words("Didn't :-) 非常!")
        [['didn'], ['t'], ['非', '常']]
        """
        if (plain := self._ascii_words(text)) is not None:
            return [[word] for word in plain]
        normal, classes = self._translate(text)
        words = []
        for match in _BARE_WORDS.finditer(classes):
            start, stop = match.span()
            if match.lastindex and stop - start > 1:
                spans = (
                    alone.span() for alone in _ALONE.finditer(classes, start, stop)
                )
                words.append([normal[a:b] for a, b in spans])
            else:
                words.append([normal[start:stop]])
        return words

    def _ascii_words(self, text: str) -> list[str] | None:
        """Return the words of an ASCII text without emoticons; None for other texts.

        ASCII has no marks, joiners or scripts without spaces, so that its words are
        its runs of letters and digits; most texts take this short way.
        """
        if not (isinstance(text, str) and text.isascii()):
            return None
        if not self.emoticons.isdisjoint(text.translate(self._forms).split(" ")):
            return None
        return text.translate(self._ascii_table).split()

    @cached_property
    def _ascii_table(self) -> str:
        """Forms of letters and digits; a space for everything else in ASCII."""
        return "".join(
            self._forms[code] if self._classes[code] in "LD" else " "
            for code in range(128)
        )

    def batch(self, texts: Iterable[str]) -> list[list[str]]:
        """Return the tokens of each text.

        Raises
        ------
        DataError
            If one of the texts is not a str; the message names it.
        """
        return [self.tokens(text) for text in as_texts(texts)]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tokenizer):
            return False
        return (
            (self.kind, self.lowercase) == (other.kind, other.lowercase)
            and self.emoticons == other.emoticons
            and all(map(np.array_equal, self.points.whole(), other.points.whole()))
        )

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the settings and the tables for a bundle."""
        settings = {
            "kind": self.kind,
            "lowercase": self.lowercase,
            "emoticons": sorted(self.emoticons),
        }
        return settings, tables.pack(self.points.whole())

    @classmethod
    def from_state(
        cls, settings: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> Tokenizer:
        """Return a saved tokenizer."""
        return cls(
            settings["kind"],
            settings["lowercase"],
            tables.unpack(arrays),
            settings["emoticons"],
        )

    def _translate(self, text: str) -> tuple[str, str]:
        """Return the normal form and the classes, one for each code point."""
        if not isinstance(text, str):
            raise DataError(
                f"A text must be a str. Got {text!r} ({type(text).__name__}) instead; "
                "drop it, or turn it into a str."
            )
        normal = text.translate(self._forms)
        classes = text.translate(self._classes)
        if self.kind == "words":
            pieces = normal.split(" ")
            if not self.emoticons.isdisjoint(pieces):
                classes = self._with_emoticons(pieces, classes)
        return normal, classes

    def _with_emoticons(self, pieces: Sequence[str], classes: str) -> str:
        """Give the class "Z" to every piece between spaces that is an emoticon."""
        changed, start = [], 0
        for piece in pieces:
            stop = start + len(piece)
            is_emoticon = piece in self.emoticons
            changed.append("Z" * len(piece) if is_emoticon else classes[start:stop])
            start = stop + 1
        return SPACE.join(changed)


def _capped(token: str, piece: str) -> str:
    """Return a run of marks with at most three of them."""
    run = len(piece) - len(piece.lstrip(piece[0]))
    return token[: min(run, MAX_RUN)] + token[run:]


@cache
def _jieba() -> Any:
    import logging
    import warnings

    with warnings.catch_warnings():
        # jieba has invalid escapes and imports pkg_resources; where warnings are
        # errors, importing it would fail.
        warnings.simplefilter("ignore")
        jieba = require("jieba", extra="chinese", needed_by="the tokenizer 'jieba'")
    # At every start jieba logs that it loads its dictionary.
    jieba.setLogLevel(logging.WARNING)
    return jieba


def token_counts(token_lists: Iterable[Sequence[str]]) -> Counter[str]:
    """Count each token."""
    return Counter(chain.from_iterable(token_lists))
