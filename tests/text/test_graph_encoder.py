"""Tokens and ids of the graph are those of Python, for any text."""

from __future__ import annotations

import subprocess
import sys
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
    encoder = TextEncoder(
        Tokenizer(kind, lowercase), VOCABULARY, max_length=9, stop_words=["b", "!"]
    )
    graph = GraphEncoder(encoder)
    signature = [tf.TensorSpec([None], tf.string)]
    traced = tf.function(
        lambda t: (graph.tokens(t), graph(t)), input_signature=signature
    )
    return encoder, traced


@cache
def cutter(kind: str, lowercase: bool) -> tf.types.experimental.GenericFunction:
    """Return a graph from texts to tokens, their offsets, and those of their bytes."""
    graph = GraphEncoder(pair(kind, lowercase)[0])

    def cut(texts: tf.Tensor) -> tuple[tf.Tensor, ...]:
        found = graph.cut(texts)
        base = tf.gather(found.row_starts, found.tokens.value_rowids())
        of_bytes = [tf.gather(found.offsets, x) for x in (found.first, found.end)]
        places = [tf.cast(x, tf.int64) - base for x in (found.first, found.end)]
        rows = tf.stack([*places, *of_bytes], 1)
        return found.tokens, found.tokens.with_flat_values(rows)

    return tf.function(cut, input_signature=[tf.TensorSpec([None], tf.string)])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["words", "characters"])
@pytest.mark.parametrize("lowercase", [True, False])
@settings(max_examples=150, deadline=None)
@given(texts=st.lists(TEXTS, min_size=0, max_size=24))
def test_equal_tokens_and_ids(kind: str, lowercase: bool, texts: list[str]) -> None:
    encoder, traced = pair(kind, lowercase)
    tokens, ids = traced(tf.constant(texts, tf.string))
    found = [[token.decode() for token in row] for row in tokens.to_list()]
    assert found == encoder.tokenizer.batch(texts)
    assert ids.to_list() == [row.tolist() for row in encoder.encode(texts)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["words", "characters"])
@pytest.mark.parametrize("lowercase", [True, False])
@settings(max_examples=100, deadline=None)
@given(texts=st.lists(TEXTS, min_size=0, max_size=24))
def test_equal_offsets(kind: str, lowercase: bool, texts: list[str]) -> None:
    tokenizer = pair(kind, lowercase)[0].tokenizer
    tokens, places = cutter(kind, lowercase)(tf.constant(texts, tf.string))
    found = [[token.decode() for token in row] for row in tokens.to_list()]
    assert found == tokenizer.batch(texts)
    for text, row in zip(texts, places.to_list(), strict=True):
        assert [tuple(x[:2]) for x in row] == tokenizer.spans(text)
        for start, stop, first, end in row:
            assert text.encode()[first:end].decode() == text[start:stop]


def test_lone_surrogates_are_replaced_before_encoding() -> None:
    encoder, traced = pair("words", True)
    text = "a\ud800b"
    at_the_door = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    _, ids = traced(tf.constant([at_the_door]))
    assert ids.to_list() == [encoder.encode([text])[0].tolist()]


def test_bytes_that_are_not_utf8_count_as_replacement_characters() -> None:
    _, traced = pair("words", True)
    tokens, _ = traced(tf.constant([b"a \xff\xfe b"]))
    assert tokens.to_list()[0][0] == b"a"
    assert "�".encode() in tokens.to_list()[0]


def test_a_hundred_thousand_characters() -> None:
    encoder, traced = pair("words", True)
    text = "don't a 我 " * 10_000
    tokens, ids = traced(tf.constant([text, "", text]))
    assert tokens.row_lengths().numpy().tolist() == [30_000, 0, 30_000]
    assert ids.row_lengths().numpy().tolist() == [9, 0, 9]
    np.testing.assert_array_equal(ids[0].numpy(), encoder.encode([text])[0])


LOADER = """
import sys, json
sys.modules["emoclf"] = None
import tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
print(json.dumps(loaded.encode(tf.constant(json.loads(sys.argv[2]))).to_list()))
"""


@pytest.mark.slow
def test_a_saved_graph_needs_no_package(tmp_path) -> None:
    import json

    encoder, _ = pair("words", True)
    module = tf.Module()
    module.graph = GraphEncoder(encoder)
    module.encode = tf.function(
        module.graph.__call__, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    tf.saved_model.save(module, str(tmp_path / "saved"))
    texts = ["don't a 我!!!!", "", "👍🏽 :)"]
    done = subprocess.run(
        [sys.executable, "-c", LOADER, str(tmp_path / "saved"), json.dumps(texts)],
        capture_output=True,
        text=True,
        check=True,
    )
    expected = [row.tolist() for row in encoder.encode(texts)]
    assert json.loads(done.stdout) == expected


def test_jieba_cannot_run_in_a_graph() -> None:
    encoder = TextEncoder(Tokenizer("jieba"), VOCABULARY, max_length=9)
    with pytest.raises(ExportError, match=r"Python only.*tokenizer='characters'"):
        GraphEncoder(encoder)
