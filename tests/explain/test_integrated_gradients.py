"""Integrated gradients and occlusion: explanations that are not exact.

Covers integrated_gradients.py and occlusion.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import random_networks as networks

from emoclf.classifier import Classifier
from emoclf.errors import SettingsError
from emoclf.explain.occlusion import log_odds
from emoclf.explain.text_explainer import explain_text
from emoclf.folded.head import probabilities
from emoclf.models.registry import ARCHITECTURES
from emoclf.serving import load_exported

TEXTS = ["It was lovely.", networks.texts()[1]]


ROWS: list[dict[str, Any]] = [
    {"filters": 9, "hidden": 7, "ngrams": True, "multilabel": True},
    {"filters": 9, "embedding": "two-channel", "pooling": "local-average"},
    *(
        {"architecture": name, **of.tiny}
        for name, of in ARCHITECTURES.items()
        if name != "sentence_head"
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_integrated_gradients_are_complete(row: dict[str, Any]) -> None:
    predictor = networks.random_predictor(**row)
    multilabel = predictor.multilabel
    for text in TEXTS:
        found = explain_text(predictor, text, method="integrated-gradients")
        assert not found.is_exact
        odds = log_odds(predictor.predict_proba([text]), multilabel=multilabel)
        logits = found.logits[None].copy()
        same = log_odds(
            probabilities(logits, multilabel=multilabel), multilabel=multilabel
        )
        np.testing.assert_allclose(same, odds, atol=1e-4)
        assert np.abs(found.gap).max() < 0.02
        assert np.abs(found.contributions).max() > 10 * np.abs(found.gap).max()
        assert "with an error of at most" in found.description
    empty = explain_text(predictor, "", method="integrated-gradients")
    np.testing.assert_allclose(empty.logits, empty.bias, atol=1e-5)


def test_a_sentence_head_is_explained_by_occlusion() -> None:
    # Its mean vector has length one, even where a text has hardly begun.
    predictor = networks.random_predictor(architecture="sentence_head")
    assert explain_text(predictor, TEXTS[1]).method == "occlusion"
    with pytest.raises(SettingsError, match="sentence_head have none"):
        explain_text(predictor, TEXTS[1], method="integrated-gradients")


def test_integrated_gradients_agree_with_exact_shares() -> None:
    # A linear network has the same answer in both ways.
    predictor = networks.random_predictor(
        architecture="mean_embedding", bigram_buckets=50
    )
    for text in (TEXTS[1], "Word"):
        exact = explain_text(predictor, text)
        found = explain_text(predictor, text, method="integrated-gradients")
        np.testing.assert_allclose(found.logits, exact.logits, atol=1e-5)
        np.testing.assert_allclose(found.bias, exact.bias, atol=1e-5)
        np.testing.assert_allclose(found.contributions, exact.contributions, atol=1e-5)


def test_log_odds_of_certain_classes_are_finite() -> None:
    rows = np.array([[1.0, 0.0], [0.5, 0.5]], np.float32)
    for multilabel in (False, True):
        found = log_odds(rows, multilabel=multilabel)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found[1], 0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("export_format", ["onnx", "litert", "saved-model"])
def test_occlusion_explains_exports(
    export_format: str, tiny_export: Callable[[str], Path]
) -> None:
    classifier = load_exported(tiny_export(export_format))
    text = "it was lovely at home"
    found = explain_text(classifier, text)
    assert found.method == "occlusion"
    assert found.description.startswith("Not exact (occlusion)")
    assert max(found.words("joy"), key=lambda word: word[1])[0] == "lovely"
    whole, without = classifier.predict_proba([text, "it was at home"])
    odds = log_odds(np.stack([whole, without]), multilabel=False)
    np.testing.assert_allclose(found.contributions[2], odds[0] - odds[1], atol=1e-4)
    with pytest.raises(SettingsError, match="no exact explanation"):
        explain_text(classifier, text, method="exact")
    assert explain_text(classifier, "").notes


class WordCounter(Classifier):
    """A classifier that has neither a network nor a tokenizer of ours."""

    label_names = ("bad", "good")  # type: ignore[assignment]
    multilabel = False  # type: ignore[assignment]
    thresholds = np.full(2, 0.5)  # type: ignore[assignment]

    def token_ids(self, texts: list[str]) -> list[np.ndarray]:
        return [np.ones(len(text.split()), np.int32) for text in texts]

    def predict_proba(self, texts: Any) -> np.ndarray:
        logits = np.array([text.split().count("good") for text in texts], float)
        good = 1 / (1 + np.exp(-logits))
        return np.stack([1 - good, good], axis=1)


def test_occlusion_explains_any_classifier() -> None:
    found = explain_text(WordCounter(), "good day, good night")
    assert found.method == "occlusion"
    np.testing.assert_allclose(found.contributions[:, 1], [1, 0, 1, 0], atol=1e-5)
    assert [word for word, _ in found.words("good")][1] == "day,"
