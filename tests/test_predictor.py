"""The predictor: raw texts to labels and probabilities."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from tiny import tiny_trained

from emoclf.classifier import CHUNK_TEXTS
from emoclf.errors import DataError
from emoclf.predictor import Predictor


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return tiny_trained().predictor


def test_labels_and_probabilities_agree(predictor: Predictor) -> None:
    texts = ["what a lovely gift", "alone in the dark", "an unfair insult"]
    probabilities = predictor.predict_proba(texts)
    assert probabilities.shape == (3, 3)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)
    assert predictor.predict(texts) == ["joy", "fear", "anger"]
    for prediction, row in zip(
        predictor.predict_stream(texts), probabilities, strict=True
    ):
        assert list(prediction.probabilities) == ["anger", "fear", "joy"]
        np.testing.assert_array_equal(list(prediction.probabilities.values()), row)


def test_a_prediction_does_not_depend_on_other_texts(predictor: Predictor) -> None:
    texts = ["lovely", "", "dark " * 40, "it was unfair at school, so unfair"]
    together = predictor.predict_proba(texts)
    alone = np.vstack([predictor.predict_proba([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize(
    "collection",
    [list, tuple, pd.Series, np.array, iter, lambda texts: np.array(texts, object)],
)
def test_texts_can_be_any_collection(predictor: Predictor, collection) -> None:
    texts = ["a lovely day", "dark"]
    expected = predictor.predict_proba(texts)
    np.testing.assert_array_equal(predictor.predict_proba(collection(texts)), expected)


def test_no_texts_give_no_predictions(predictor: Predictor) -> None:
    assert predictor.predict_proba([]).shape == (0, 3)
    assert predictor.predict([]) == []
    assert list(predictor.predict_stream([])) == []


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one text", "put it into a list"),
        (["a", None], "The text at index 1 must be a str. Got None"),
        ([1.5], "The text at index 0 must be a str. Got 1.5"),
        (5, "must be a list of str. Got 5"),
        (np.array([["a", "b"]]), r"shape \(1, 2\)"),
    ],
)
def test_something_else_is_not_a_text(
    predictor: Predictor, texts, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        predictor.predict_proba(texts)


@pytest.mark.slow
def test_a_stream_needs_constant_memory(predictor: Predictor) -> None:
    def lines(count: int) -> Iterator[str]:
        for number in range(count):
            yield f"it was lovely number {number}"

    def peak(count: int) -> int:
        tracemalloc.start()
        for _ in predictor.predict_stream(lines(count)):
            pass
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(CHUNK_TEXTS)
    assert peak(8 * CHUNK_TEXTS) < 1.1 * peak(2 * CHUNK_TEXTS)


def test_lone_surrogates_are_accepted(predictor: Predictor) -> None:
    assert predictor.predict_proba(["lovely \ud800 day"]).shape == (1, 3)
