"""Check what texts contain: missing answers, markup, wrong encodings, other scripts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache
from html.entities import html5

from emoclf.audit.audited_texts import AuditedTexts
from emoclf.datasets.audit_report import is_no_answer
from emoclf.doctor.findings import Finding
from emoclf.text.tokenizer import Tokenizer

_TAGS = (
    "a|abbr|b|blockquote|br|center|code|div|em|font|h[1-6]|hr|i|iframe|img|li|ol|p|pre"
    "|s|script|small|span|strong|style|sub|sup|table|tbody|td|th|tr|u|ul"
)
_HTML = re.compile(
    rf"</?(?:{_TAGS})(?:\s[^<>]{{0,500}})?/?>|&(?:[A-Za-z]{{2,8}}|#\d{{1,7}}|#x[\da-f]+);",
    re.IGNORECASE,
)
# What the bytes 80 to BF of UTF-8 become in Latin-1 and in Windows-1252.
_WINDOWS = bytes(range(0x80, 0xA0)).decode("cp1252", "ignore")
_NEXT = "[\x80-\xbf" + re.escape(_WINDOWS) + "]"
# Two bytes of Latin letters, three of punctuation, four of emoji; Greek, Cyrillic and
# other scripts need several letters in a row, since one may be chance.
_MOJIBAKE = re.compile(
    rf"[ÂÃÄÅ]{_NEXT}|â{_NEXT}{{2}}|ð{_NEXT}{{3}}|(?:[Æ-ß]{_NEXT}){{3}}"
    rf"|(?:[à-ï]{_NEXT}{{2}}){{2}}|\ufffd"
)
_MOJIBAKE_LEADS = re.compile("[Â-ßà-ïð\ufffd]")
#: Scripts that are written together, as one.
_SAME_SCRIPT = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "BOPOMOFO": "CJK"}
MIN_LETTERS = 4
#: Share of a text's letters that are of another script than most texts.
OTHER_SCRIPT_SHARE = 0.5
#: Share of all letters that must be of one script, so that others are a surprise.
MAIN_SCRIPT_SHARE = 0.8
SHORT_WORDS = 3


def check_texts(texts: AuditedTexts) -> Iterator[Finding]:
    """Yield the findings about the texts themselves.

    Parameters
    ----------
    texts : AuditedTexts
    """
    words = Tokenizer().words

    def is_very_short(text: str) -> bool:
        return sum(map(len, words(text))) < SHORT_WORDS and not is_no_answer(text)

    yield from texts.finding(
        "non-answers",
        "warning",
        texts.where(is_no_answer),
        "look like a missing answer",
        ("people who had nothing to say", "cells that a program filled in"),
        ("delete these rows",),
    )
    yield from texts.finding(
        "very-short",
        "note",
        texts.where(is_very_short),
        f"have fewer than {SHORT_WORDS} words",
        ("texts that were cut", "answers of one word"),
        ("read some of them",),
    )
    yield from texts.finding(
        "html",
        "warning",
        texts.where(has_html),
        "contain HTML",
        ("pages from which the text was not extracted",),
        ("remove tags, and replace entities: html.unescape(text)",),
    )
    yield from texts.finding(
        "mojibake",
        "warning",
        texts.where(has_mojibake),
        "contain characters of a wrong encoding",
        ("UTF-8 that was read as Latin-1 or Windows-1252",),
        ("read the original file again, with its encoding",),
    )
    yield from _other_script(texts)


def has_html(text: str) -> bool:
    """Say whether a text contains a tag or an entity of HTML.

    Examples
    --------
    >>> has_html("so <br /> bad"), has_html("R&amp;B"), has_html("a < b & c > d; <3")
    (True, True, False)
    """
    if "<" not in text and "&" not in text:
        return False
    return any(
        not match.startswith("&") or match[1] == "#" or match[1:] in html5
        for match in _HTML.findall(text)
    )


def has_mojibake(text: str) -> bool:
    """Say whether a text contains UTF-8 that was read as Latin-1 or Windows-1252.

    Also U+FFFD, which replaces bytes that could not be read.

    Examples
    --------
    >>> garbled = "It’s a café".encode().decode("cp1252")
    >>> has_mojibake(garbled), has_mojibake("It’s a café, à l’Âge")
    (True, False)
    """
    if text.isascii() or not _MOJIBAKE_LEADS.search(text):
        return False
    return bool(_MOJIBAKE.search(text))


@cache
def script_of(letter: str) -> str:
    """Return the script of a letter; "" for other characters.

    Examples
    --------
    >>> script_of("é"), script_of("ж"), script_of("の"), script_of("7")
    ('LATIN', 'CYRILLIC', 'CJK', '')
    """
    if not letter.isalpha():
        return ""
    name = unicodedata.name(letter, "").split(" ")[0]
    return "" if name in ("FULLWIDTH", "HALFWIDTH") else _SAME_SCRIPT.get(name, name)


def _other_script(texts: AuditedTexts) -> Iterator[Finding]:
    counts = [_scripts(text) for text in texts.texts]
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    if not total:
        return
    main, letters = total.most_common(1)[0]
    if letters < MAIN_SCRIPT_SHARE * total.total():
        return
    positions = [
        i
        for i, count in enumerate(counts)
        if (n := sum(count.values())) >= MIN_LETTERS
        and n - count.get(main, 0) > OTHER_SCRIPT_SHARE * n
    ]
    scripts = Counter(max(counts[i], key=lambda x: counts[i][x]) for i in positions)
    names = ", ".join(f"{name.title()} {n:,}" for name, n in scripts.most_common(5))
    yield from texts.finding(
        "other-script",
        "warning",
        positions,
        f"are in another script than the others, which are {main.title()}: {names}",
        ("texts of another language",),
        ("delete these rows, or train a classifier for each language",),
        main=main.title(),
        scripts=dict(scripts),
    )


def _scripts(text: str) -> dict[str, int]:
    if text.isascii():
        letters = sum(map(str.isalpha, text))
        return {"LATIN": letters} if letters else {}
    count = Counter(map(script_of, text))
    count.pop("", None)
    return count
