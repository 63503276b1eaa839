"""Temperature scaling; also ``emoclf.models.heads.divide_logits`` and the training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny import tiny_dataset, tiny_settings

from emoclf import Predictor, export_classifier, load_exported, train_classifier
from emoclf.datasets.dataset import Dataset
from emoclf.evaluation.curves import expected_calibration_error
from emoclf.evaluation.metrics import log_loss
from emoclf.evaluation.temperature import (
    at_temperature,
    calibration_errors,
    calibration_sentence,
    fit_temperature,
)


def answers(n: int, multilabel: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities that are as sure as they are right, and labels."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (n, 4))
    if multilabel:
        probabilities = 1 / (1 + np.exp(-logits))
        return probabilities, (rng.random((n, 4)) < probabilities).astype(np.int64)
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return probabilities, (probabilities.cumsum(1) < rng.random((n, 1))).sum(1)


@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_is_found(multilabel: bool, temperature: float) -> None:
    honest, truth = answers(20_000, multilabel)
    boasting = at_temperature(honest, 1 / temperature, multilabel=multilabel)
    found = fit_temperature(boasting, truth)
    assert found == pytest.approx(temperature, rel=0.05)
    mended = at_temperature(boasting, found, multilabel=multilabel)
    assert log_loss(mended, truth) <= log_loss(boasting, truth)
    if not multilabel:
        np.testing.assert_array_equal(mended.argmax(1), boasting.argmax(1))


def test_a_few_right_answers_make_no_network_perfectly_sure() -> None:
    probabilities = np.full((6, 3), 0.2)
    truth = np.arange(6) % 3
    probabilities[np.arange(6), truth] = 0.6
    sure = at_temperature(
        probabilities, fit_temperature(probabilities, truth), multilabel=False
    )
    assert 0.65 < sure.max() < 0.95


@pytest.mark.slow
@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("ngrams", [False, True])
def test_a_trained_network_has_it_in_its_weights(
    multilabel: bool, ngrams: bool, tmp_path: Path
) -> None:
    data = tiny_dataset()
    if multilabel:
        labels = [[x, "any"] if i % 2 else [x] for i, x in enumerate(data.labels)]
        data = Dataset.from_lists(data.texts, labels)
    settings = tiny_settings(epochs=3, ngrams=ngrams)
    scaled = train_classifier(data, settings=settings)
    plain = train_classifier(data, settings=settings, calibrate=False)
    temperature = scaled.bundle.metrics["temperature"]
    assert temperature != 1.0
    assert plain.bundle.metrics["temperature"] == 1.0
    texts = ["", *data.texts[::7]]
    expected = at_temperature(
        plain.predictor.predict_proba(texts), temperature, multilabel=multilabel
    )
    actual = scaled.predictor.predict_proba(texts)
    np.testing.assert_allclose(actual, expected, atol=1e-5)
    assert scaled.split is not None
    valid = scaled.split.valid
    losses = [
        log_loss(trained.predictor.predict_proba(valid.texts), valid.label_ids)
        for trained in (scaled, plain)
    ]
    assert losses[0] < losses[1]
    errors = [
        expected_calibration_error(
            trained.predictor.predict_proba(valid.texts), valid.label_ids
        )
        for trained in (plain, scaled)
    ]
    stored = scaled.bundle.metrics["calibration"]
    assert [stored["before"], stored["after"]] == pytest.approx(errors, abs=1e-4)
    assert stored["before"] != stored["after"]
    words = calibration_sentence(scaled.bundle.metrics)
    assert f"{stored['after']:.3f}, before {stored['before']:.3f}." in words
    assert plain.bundle.metrics["calibration"] is None
    assert not calibration_sentence(plain.bundle.metrics)
    scaled.predictor.save(tmp_path / "m")
    loaded = Predictor.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict_proba(texts), actual)
    export_classifier(scaled.predictor, tmp_path / "f", to="folded")
    folded = load_exported(tmp_path / "f")
    np.testing.assert_allclose(folded.predict_proba(texts), actual, atol=1e-5)


def test_a_damaged_network_has_no_calibration_error() -> None:
    damaged = np.full((2, 3), np.nan)
    assert calibration_errors(damaged, np.array([0, 1]), 1.0) is None
