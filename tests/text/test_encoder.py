"""Vocabulary, length and stop words are fitted on the training set.

Tests of emoclf.text: encoder and vocabulary.
"""

from __future__ import annotations

import numpy as np
import pytest

from emoclf.errors import DataError
from emoclf.settings import TextSettings
from emoclf.text.encoder import TextEncoder, choose_length, fit_encoder
from emoclf.text.tokenizer import Tokenizer
from emoclf.text.vocabulary import Vocabulary, build_vocabulary

TEXTS = ["The cat sat.", "the dog sat", "a bird"]


def fit(
    texts: list[str] = TEXTS, extra: tuple[str, ...] = (), **settings
) -> TextEncoder:
    return fit_encoder(Tokenizer().batch(texts), TextSettings(**settings), extra=extra)


def test_frequent_tokens_come_first() -> None:
    assert fit().vocabulary.tokens == ("sat", "the", ".", "a", "bird", "cat", "dog")


def test_ids_begin_at_two() -> None:
    encoder = fit()
    (ids,) = encoder.encode(["the Cat flew"])
    assert ids.dtype == np.int32
    assert ids.tolist() == [3, 7, 1]
    assert [encoder.vocabulary.token(i) for i in (0, 1, 2)] == ["", "�", "sat"]


def test_an_empty_text_has_no_ids() -> None:
    assert fit().encode(["", "  "])[0].shape == (0,)


def test_rare_and_surplus_words_are_unknown() -> None:
    assert fit(min_count=2).vocabulary.tokens == ("sat", "the")
    assert fit(max_size=1).vocabulary.tokens == ("sat",)


def test_words_of_the_vectors_are_added_once() -> None:
    encoder = fit(extra=("horse", "cat"), max_size=2)
    assert encoder.vocabulary.tokens == ("sat", "the", "horse", "cat")


def test_an_empty_vocabulary_is_an_error() -> None:
    with pytest.raises(DataError, match="7 different tokens, none of them 9 times"):
        fit(min_count=9)


def test_stop_words_are_left_out_everywhere() -> None:
    encoder = fit(stop_words=("THE", "a"), extra=("a",))
    assert "the" not in encoder.vocabulary
    assert "a" not in encoder.vocabulary
    (ids,) = encoder.encode(["the cat"])
    assert len(ids) == 1
    assert "the" not in encoder.count_tokens(Tokenizer().batch(TEXTS))


def test_the_training_set_decides_the_length() -> None:
    percentile = TextSettings(length_percentile=99)
    assert choose_length([20] * 99 + [400], percentile) == 24
    assert choose_length([3, 4], percentile) == 16
    assert choose_length([9000], percentile) == 512
    texts = ["w " * 20] * 99 + ["w " * 400]
    encoder = fit(texts, length_percentile=90)
    assert encoder.max_length == 20
    assert encoder.count_cut(Tokenizer().batch(texts)) == 1
    assert max(map(len, encoder.encode(texts))) == 20
    assert fit(texts, max_length=5).max_length == 5


def test_the_state_gives_the_same_encoder() -> None:
    encoder = fit(stop_words=("a",), max_length=3)
    copy = TextEncoder.from_state(*encoder.to_state())
    texts = ["The CAT sat on a mat", "a"]
    for one, other in zip(encoder.encode(texts), copy.encode(texts), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_vocabulary_has_each_token_once() -> None:
    with pytest.raises(DataError, match="twice"):
        Vocabulary(["a", "a"])
    assert build_vocabulary({"b": 1, "a": 1}).tokens == ("a", "b")
