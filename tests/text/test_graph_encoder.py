"""Tokens and ids of the graph are those of Python, for any text.

That it needs no package, once it is saved, is tested in ``tests/export``.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from emoclf.errors import ExportError
from emoclf.text.encoder import TextEncoder
from emoclf.text.graph_encoder import GraphEncoder
from emoclf.text.tokenizer import EMOTICONS, Tokenizer
from emoclf.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary(
    ["a", "b", "1.2", "don't", "!", "!!!", ":)", "我", "👍🏽", "é", "d:"]
)
# What rules speak of is frequent here; plain st.text() rarely hits two in a row.
PIECES = [
    *"abZİΣ'’09.,:;!?-*~_=#@( \t\x00\u200b\u200d\ufe0f\u0301\u20e3",
    *"我ไย한👍👩🏽🇫🇷🇩\ufffd",
    *(f" {emoticon}" for emoticon in EMOTICONS),
    *("👩\u200d👩", "!!!!", "1.2", "don't", "  "),
]
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=30),
)


@cache
def pair(
    kind: str, lowercase: bool
) -> tuple[TextEncoder, tf.types.experimental.GenericFunction]:
    """Return an encoder, and a graph: texts to tokens, ids, tokens and offsets."""
    encoder = TextEncoder(
        Tokenizer(kind, lowercase), VOCABULARY, max_length=9, stop_words=["b", "!"]
    )
    graph = GraphEncoder(encoder)

    def encode(texts: tf.Tensor) -> tuple[tf.Tensor, ...]:
        cut = graph.cut(texts)
        base = tf.gather(cut.row_starts, cut.tokens.value_rowids())
        of_bytes = [tf.gather(cut.offsets, x) for x in (cut.first, cut.end)]
        places = [tf.cast(x, tf.int64) - base for x in (cut.first, cut.end)]
        rows = tf.stack([*places, *of_bytes], 1)
        return (
            graph.tokens(texts),
            graph(texts),
            cut.tokens,
            cut.tokens.with_flat_values(rows),
        )

    signature = [tf.TensorSpec([None], tf.string)]
    return encoder, tf.function(encode, input_signature=signature)


def decoded(tokens: tf.RaggedTensor) -> list[list[str]]:
    return [[token.decode() for token in row] for row in tokens.to_list()]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["words", "characters"])
@pytest.mark.parametrize("lowercase", [True, False])
@settings(max_examples=150, deadline=None)
@given(texts=st.lists(TEXTS, min_size=0, max_size=24))
def test_equal_tokens_ids_and_offsets(
    kind: str, lowercase: bool, texts: list[str]
) -> None:
    encoder, traced = pair(kind, lowercase)
    tokens, ids, cut_tokens, places = traced(tf.constant(texts, tf.string))
    expected = encoder.tokenizer.batch(texts)
    assert decoded(tokens) == expected
    assert decoded(cut_tokens) == expected
    expected_ids = encoder.encode_tokens(expected)
    assert ids.to_list() == [row.tolist() for row in expected_ids]
    for text, row in zip(texts, places.to_list(), strict=True):
        assert [tuple(x[:2]) for x in row] == encoder.tokenizer.spans(text)
        for start, stop, first, end in row:
            assert text.encode()[first:end].decode() == text[start:stop]


def test_lone_surrogates_are_replaced_before_encoding() -> None:
    encoder, traced = pair("words", True)
    text = "a\ud800b"
    at_the_door = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    _, ids, *_ = traced(tf.constant([at_the_door]))
    assert ids.to_list() == [encoder.encode([text])[0].tolist()]


def test_bytes_that_are_not_utf8_count_as_replacement_characters() -> None:
    _, traced = pair("words", True)
    tokens, *_ = traced(tf.constant([b"a \xff\xfe b"]))
    assert tokens.to_list()[0][0] == b"a"
    assert "�".encode() in tokens.to_list()[0]


def test_a_hundred_thousand_characters() -> None:
    encoder, traced = pair("words", True)
    text = "don't a 我 " * 10_000
    tokens, ids, *_ = traced(tf.constant([text, "", text]))
    assert tokens.row_lengths().numpy().tolist() == [30_000, 0, 30_000]
    assert ids.row_lengths().numpy().tolist() == [9, 0, 9]
    np.testing.assert_array_equal(ids[0].numpy(), encoder.encode([text])[0])


def test_jieba_cannot_run_in_a_graph() -> None:
    encoder = TextEncoder(Tokenizer("jieba"), VOCABULARY, max_length=9)
    with pytest.raises(ExportError, match=r"Python only.*tokenizer='characters'"):
        GraphEncoder(encoder)
