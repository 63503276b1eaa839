"""Validation metrics equal those of scikit-learn, also in unusual cases."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss

from emoclf.errors import SettingsError
from emoclf.evaluation.metrics import evaluate_probabilities
from emoclf.training.best_weights import validation_metrics
from emoclf.training.sample_weights import example_weights
from emoclf.training.thresholds import choose_thresholds


def test_multilabel_metrics() -> None:
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(40, 3)), rng.integers(0, 2, (40, 3))
    probabilities = 1 / (1 + np.exp(-logits))
    metrics = validation_metrics(logits, targets.astype(np.float32))
    expected = np.mean([log_loss(targets[:, i], probabilities[:, i]) for i in range(3)])
    assert metrics["loss"] == pytest.approx(expected)
    # As the report has it, which gets the same thresholds.
    thresholds = choose_thresholds(probabilities, targets)
    report = evaluate_probabilities(
        probabilities, targets, "abc", thresholds=thresholds, name="x", part="valid"
    )
    assert metrics["macro_f1"] == pytest.approx(report.macro_f1)
    assert metrics["accuracy"] == ((logits > 0) == targets).all(1).mean()


def test_no_text_has_a_label() -> None:
    metrics = validation_metrics(np.full((3, 2), -2.0), np.zeros((3, 2), np.float32))
    assert metrics["accuracy"] == 1
    assert np.isfinite(metrics["macro_f1"])


def test_large_logits_do_not_overflow() -> None:
    metrics = validation_metrics(np.array([[1e4, -1e4], [0, 900]]), np.array([1, 1]))
    assert metrics["loss"] == pytest.approx(1e4)
    multilabel = validation_metrics(np.array([[1e4, -1e4]]), np.array([[0.0, 0.0]]))
    assert multilabel["loss"] == pytest.approx(5e3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_metrics_of_logits_that_are_not_finite_are_nan(value: float) -> None:
    metrics = validation_metrics(np.array([[0.0, value]]), np.array([0]))
    assert all(np.isnan(value) for value in metrics.values())


@pytest.mark.parametrize("weight", ["much", np.inf, np.nan, None])
def test_a_class_weight_is_a_number(weight: object) -> None:
    with pytest.raises(SettingsError, match=r"class_weight of 'b' must be a number"):
        example_weights(np.array([0, 1]), "ab", class_weight={"b": weight})  # type: ignore[dict-item]
