"""A saved tokenizer uses its own data, not those of this version.

Tests of emoclf.text: tokenizer and validation.
"""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from emoclf.errors import DataError
from emoclf.text.tokenizer import Tokenizer


def test_a_saved_tokenizer_keeps_its_own_emoticons() -> None:
    settings, arrays = Tokenizer().to_state()
    older = Tokenizer.from_state({**settings, "emoticons": ["(-:"]}, arrays)
    assert older.tokens("so (-: :)") == ["so", "(-:", ":", ")"]
    assert older != Tokenizer()
    assert Tokenizer.from_state(*older.to_state()) == older


@pytest.mark.parametrize("kind", ["words", "characters", "jieba"])
def test_tokenizers_can_be_sent_to_a_worker(kind: str) -> None:
    tokenizer = Tokenizer(kind)
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert copy == tokenizer
    assert copy.tokens("味道很好 :)") == tokenizer.tokens("味道很好 :)")


@pytest.mark.slow
def test_jieba_loads_where_warnings_are_errors(tmp_path) -> None:
    code = "from emoclf.text.tokenizer import Tokenizer as T; T('jieba').tokens('很好')"
    # A cold cache, so that jieba is compiled and its invalid escapes are met.
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", f"pycache_prefix={tmp_path}", "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_jieba_drops_every_kind_of_space() -> None:
    tokenizer, text = Tokenizer("jieba"), "很好\u200b， OK \x00"
    spans = tokenizer.spans(text)
    written = [text[a:b].lower().replace("，", ",") for a, b in spans]
    assert written == tokenizer.tokens(text)
    assert not any("\u200b" in text[a:b] or "\x00" in text[a:b] for a, b in spans)


def test_the_position_of_a_wrong_text_is_named() -> None:
    tokenizer = Tokenizer()
    with pytest.raises(DataError, match="The text at index 1 must be a str"):
        tokenizer.batch(["a", None])  # type: ignore[list-item]
    with pytest.raises(DataError, match="single str 'abc'"):
        tokenizer.batch("abc")
    for method in (tokenizer.tokens, tokenizer.spans, Tokenizer("jieba").tokens):
        with pytest.raises(DataError, match=r"Got b'ab' \(bytes\) instead"):
            method(b"ab")  # type: ignore[arg-type]
