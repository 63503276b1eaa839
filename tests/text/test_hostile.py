"""Every code point, malformed bytes and very many emoticons.

Tests of emoclf.text: tokenizer and graph_encoder.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from emoclf.text.encoder import TextEncoder
from emoclf.text.graph_encoder import GraphEncoder
from emoclf.text.tokenizer import EMOTICONS, MAX_RUN, Tokenizer
from emoclf.text.vocabulary import Vocabulary

WORDS = Tokenizer()
PIECES = [
    *"aZİ'’09.,:!-( \x00\u200b\u200d\ufe0f\u0301我ไ👍🏽🇫\ud800",
    "!!!!",
    *EMOTICONS,
]


@pytest.fixture(scope="module")
def graph_tokens():
    graph = GraphEncoder(TextEncoder(WORDS, Vocabulary(["a"]), max_length=9))
    signature = [tf.TensorSpec([None], tf.string)]
    traced = tf.function(graph.tokens, input_signature=signature)
    return lambda texts: [
        [token.decode() for token in row]
        for row in traced(tf.constant(texts, tf.string)).to_list()
    ]


@pytest.mark.slow
def test_code_points_of_every_plane(graph_tokens) -> None:
    # All of the first planes' busy parts, then every 97th; in contexts of each rule.
    codes = [*range(0xD800), *range(0xE000, 0x10000), *range(0x1F000, 0x1FB00)]
    codes += range(0x10000, 0x110000, 97)
    for start in range(0, len(codes), 20_000):
        texts = ["{0}a{0}1{0}.{0}👍{0}".format(chr(c)) for c in codes[start:][:20_000]]
        assert graph_tokens(texts) == WORDS.batch(texts)


@pytest.mark.parametrize(
    "tail", [b"\xe6\x88", b"\xf0\x9f\x91", b"\xed\xa0\x80", b"\xff"]
)
def test_malformed_bytes_stay_in_their_text(graph_tokens, tail: bytes) -> None:
    rows = graph_tokens([b"ab" + tail, "cd 👍".encode()])
    assert rows == [WORDS.tokens((b"ab" + tail).decode(errors="replace")), ["cd", "👍"]]


@pytest.mark.parametrize("lowercase", [True, False])
@given(text=st.lists(st.sampled_from(PIECES), max_size=16).map("".join))
def test_a_token_is_the_normal_form_of_its_span(lowercase: bool, text: str) -> None:
    tokenizer = Tokenizer(lowercase=lowercase)
    spans = tokenizer.spans(text)
    for (start, stop), token in zip(spans, tokenizer.tokens(text), strict=True):
        normal = text[start:stop].translate(tokenizer._forms)
        if len(normal) != len(token):  # a run is cut to its cap
            assert normal.startswith(token[:MAX_RUN])
            assert set(token[:MAX_RUN]) == {token[0]}
        else:
            assert normal == token


def test_time_grows_with_the_length_alone() -> None:
    def seconds(repeats: int) -> float:
        text, times = ":) a: x'y " * repeats, []
        for _ in range(3):
            start = time.perf_counter()
            WORDS.tokens(text)
            times.append(time.perf_counter() - start)
        return float(np.min(times))

    # 16 times the text; 256 times the time if anything were quadratic.
    assert seconds(32_000) < 80 * seconds(2_000)
