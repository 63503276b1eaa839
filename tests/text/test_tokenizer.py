"""Tokens of every kind of text."""

from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoclf.errors import MissingDependency, SettingsError
from emoclf.text import code_points as tables
from emoclf.text.tokenizer import EMOTICONS, Tokenizer

WORDS = Tokenizer()

CASES = {
    "I didn't know.": ["i", "didn't", "know", "."],
    "I didn’t KNOW": ["i", "didn't", "know"],
    "'quoted' rock'n'roll": ["'", "quoted", "'", "rock'n'roll"],
    "well-known": ["well", "-", "known"],
    "3.5 and 1,000 at 10:30.": ["3.5", "and", "1,000", "at", "10:30", "."],
    "covid19 2nd": ["covid19", "2nd"],
    "no!!! really?? yes!": ["no", "!!!", "really", "??", "yes", "!"],
    "no!!!!!!!!": ["no", "!!!"],
    "hm... -- ***": ["hm", "...", "--", "***"],
    "?!": ["?", "!"],
    "good :-) bad :((": ["good", ":-)", "bad", ":(("],
    "smile:) (:": ["smile", ":", ")", "(", ":"],
    "xD XD": ["xd", "xd"],
    "e\u0301te\u0301 ÉTÉ": ["e\u0301te\u0301", "été"],
    "İstanbul STRASSE ΟΔΟΣ": ["istanbul", "strasse", "οδοσ"],
    "我很高兴!": ["我", "很", "高", "兴", "!"],
    "iPhone很好": ["iphone", "很", "好"],
    "好！！ＯＫ？": ["好", "!!", "ok", "?"],
    "a) b)": ["a", ")", "b", ")"],
    "한국어 문장": ["한국어", "문장"],
    "👩‍👩‍👧‍👦👍🏽": ["👩‍👩‍👧‍👦", "👍🏽"],
    "🇫🇷🇩🇪🇮": ["🇫🇷", "🇩🇪", "🇮"],
    "1️⃣ ❤️": ["1️⃣", "❤️"],
    "a\u200bb\x00c\u2028d": ["a", "b", "c", "d"],
    "\ud800": ["\ufffd"],
    "שלום عليكم": ["שלום", "عليكم"],
    "": [],
    " \t\r\n\x85\u3000": [],
}


@pytest.mark.parametrize(("text", "expected"), CASES.items(), ids=map(repr, CASES))
def test_words(text: str, expected: list[str]) -> None:
    assert WORDS.tokens(text) == expected


def test_case_can_be_kept() -> None:
    assert Tokenizer(lowercase=False).tokens("Don’t PANIC İ") == ["Don't", "PANIC", "İ"]


def test_characters() -> None:
    tokenizer = Tokenizer("characters")
    assert tokenizer.tokens("Ab 我1.2!!") == [*"ab我1.2!!"]
    assert tokenizer.tokens("e\u0301👍🏽") == ["e\u0301", "👍🏽"]


@pytest.mark.parametrize("emoticon", EMOTICONS)
def test_every_emoticon_is_one_token(emoticon: str) -> None:
    tokenizer = Tokenizer(lowercase=False)
    assert tokenizer.tokens(f"so {emoticon} then {emoticon}").count(emoticon) == 2


@pytest.mark.parametrize("kind", ["words", "characters"])
@given(text=st.text(max_size=60))
def test_spans_are_in_the_original_text(kind: str, text: str) -> None:
    tokenizer = Tokenizer(kind)
    spans, tokens = tokenizer.spans(text), tokenizer.tokens(text)
    assert len(spans) == len(tokens)
    end = 0
    covered = set()
    for (start, stop), token in zip(spans, tokens, strict=True):
        assert end <= start < stop
        end = stop
        covered |= set(range(start, stop))
        alone = tokenizer.tokens(text[start:stop])
        # An emoticon's letters are one token only where spaces stand around it.
        assert "".join(alone) == token
    for place, char in enumerate(text):
        spaced = chr(tables.packaged().classes[ord(char)]) == tables.SPACE
        assert spaced != (place in covered)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=30))
def test_one_code_point_becomes_one_code_point(text: str) -> None:
    assert len(text.translate(WORDS._forms)) == len(text)


def test_tables_are_saved_with_the_tokenizer(tmp_path) -> None:
    settings, arrays = WORDS.to_state()
    np.savez_compressed(tmp_path / "t.npz", **arrays)
    assert (tmp_path / "t.npz").stat().st_size < 30_000
    with np.load(tmp_path / "t.npz", allow_pickle=False) as read:
        copy = Tokenizer.from_state(settings, dict(read))
    assert copy == WORDS
    assert copy != Tokenizer(lowercase=False)
    changed = {**arrays, "classes": arrays["classes"].copy()}
    changed["classes"][ord("-")] = ord(tables.LETTER)
    assert Tokenizer.from_state(settings, changed).tokens("well-known") == [
        "well-known"
    ]
    with pytest.raises(ValueError, match="'classes' is missing or cut short"):
        tables.unpack({})


def test_unicodedata_is_not_used_at_run_time() -> None:
    code = (
        "import sys\n"
        "from emoclf.text.tokenizer import Tokenizer\n"
        "print(Tokenizer().tokens('Ein \\u1e9e ẞ'))\n"
        "assert not {'tensorflow', 'pandas', 'unicodedata'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(SettingsError, match="Did you mean 'words'"):
        Tokenizer("word")


def test_jieba_cuts_chinese_into_words() -> None:
    tokenizer = Tokenizer("jieba")
    text = "味道很好， 送餐速度快 OK"
    assert tokenizer.tokens(text)[:2] == ["味道", "很"]
    assert "ok" in tokenizer.tokens(text)
    assert all(token.strip() for token in tokenizer.tokens(text))
    # Full-width marks fold to ASCII, in one code point.
    written = [text[a:b].lower().replace("，", ",") for a, b in tokenizer.spans(text)]
    assert written == tokenizer.tokens(text)


def test_without_jieba_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from emoclf.text import tokenizer

    tokenizer._jieba.cache_clear()
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(MissingDependency, match=r"pip install 'emoclf\[chinese\]'"):
        Tokenizer("jieba")
    tokenizer._jieba.cache_clear()


def test_the_short_way_of_ascii_words_gives_the_same(monkeypatch):
    rng = random.Random(0)
    pieces = [":)", ":D", "xD", "B1", "3.5", "don't", ":p", "_", "\x1c", "a-b", "D:"]
    texts = [" ".join(rng.choices(pieces, k=5)) for _ in range(300)]
    texts += ["".join(map(chr, rng.choices(range(128), k=30))) for _ in range(300)]
    words = list(map(Tokenizer().words, texts))
    monkeypatch.setattr(Tokenizer, "_ascii_words", lambda self, text: None)
    assert words == list(map(Tokenizer().words, texts))
