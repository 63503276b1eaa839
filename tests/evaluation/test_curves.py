"""Curves of probabilities: against scikit-learn, by hand, and where none is defined."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from emoclf.errors import DataError
from emoclf.evaluation.curves import (
    calibration_curve,
    coverage_curve,
    expected_calibration_error,
    precision_recall_curves,
    roc_curves,
)

NAMES = ("anger", "fear", "joy")


def random_case(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 3, 200)
    scores = rng.random((200, 3)) + 0.7 * (targets[:, None] == np.arange(3))
    return scores / scores.sum(1, keepdims=True), targets


def test_areas_are_those_of_scikit_learn() -> None:
    probabilities, targets = random_case()
    truth = targets[:, None] == np.arange(3)
    roc = roc_curves(probabilities, targets, NAMES)
    expected = metrics.roc_auc_score(truth, probabilities, average=None)
    assert [one.area for one in roc.labels] == pytest.approx(expected.tolist())
    assert roc.macro_area == pytest.approx(expected.mean())
    assert roc.micro.area == pytest.approx(
        metrics.roc_auc_score(truth, probabilities, average="micro")
    )
    recall = precision_recall_curves(probabilities, targets, NAMES)
    expected = metrics.average_precision_score(truth, probabilities, average=None)
    assert [one.area for one in recall.labels] == pytest.approx(expected.tolist())
    # The same texts as rows of 0 and 1.
    rows = precision_recall_curves(probabilities, truth.astype(int), NAMES)
    assert rows.micro.area == pytest.approx(recall.micro.area)


def test_a_roc_curve_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    roc = roc_curves(probabilities, np.array([0, 0, 1, 1]), ("a", "b"))
    # Of the four pairs of an a and a b, one is in the wrong order.
    assert roc.labels[0].area == pytest.approx(0.75)
    assert (roc.labels[0].x[0], roc.labels[0].y[-1]) == (0, 1)


def test_a_label_without_texts_has_no_curve_and_is_left_out_of_the_mean() -> None:
    probabilities, targets = random_case()
    targets = np.minimum(targets, 1)
    for curves in (roc_curves, precision_recall_curves):
        found = curves(probabilities, targets, NAMES)
        assert found.labels[2].area is None
        assert not len(found.labels[2].x)
        first = [one.area for one in found.labels[:2]]
        assert found.macro_area == pytest.approx(np.mean(first))
    everything = np.ones((200, 3), int)
    assert roc_curves(probabilities, everything, NAMES).macro_area is None
    assert precision_recall_curves(probabilities, everything, NAMES).macro_area == 1


def test_calibration_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1]] * 4 + [[0.45, 0.55]] * 2)
    targets = np.array([0, 0, 0, 1, 1, 0])
    found = calibration_curve(probabilities, targets, n_bins=10)
    assert found.confidence == pytest.approx([0.55, 0.9])
    assert found.accuracy == pytest.approx([0.5, 0.75])
    assert found.counts.tolist() == [2, 4]
    assert found.error == pytest.approx((2 * 0.05 + 4 * 0.15) / 6)
    # The upper end belongs to a bin: 0.9 is in (0.8, 0.9].
    assert found.edges[1] == pytest.approx([0.8, 0.9])
    assert expected_calibration_error(np.eye(2), np.array([0, 1])) == 0
    assert expected_calibration_error(np.eye(2), np.array([1, 0])) == 1


def test_calibration_of_several_labels_counts_decisions() -> None:
    probabilities = np.array([[0.2, 0.9], [0.2, 0.9]])
    found = calibration_curve(probabilities, np.array([[0, 1], [1, 1]]))
    assert found.unit == "decisions"
    assert found.error == pytest.approx((2 * 0.3 + 2 * 0.1) / 4)
    assert found.error == expected_calibration_error(
        probabilities, np.array([[0, 1], [1, 1]])
    )


def test_coverage_takes_equal_confidences_together() -> None:
    found = coverage_curve(
        np.array([0.5, 0.9, 0.9, 0.3]), np.array([False, True, False, True])
    )
    assert found.coverage.tolist() == [0.5, 0.75, 1.0]
    assert found.accuracy == pytest.approx([1 / 2, 1 / 3, 2 / 4])
    assert found.confidence.tolist() == [0.9, 0.5, 0.3]
    assert found.accuracy_at(0.5) == found.accuracy_at(0.2) == 0.5
    assert found.accuracy_at(1.0) == 0.5


def test_wrong_shapes_and_numbers_are_errors() -> None:
    with pytest.raises(DataError, match=r"shape \(3, 2\)"):
        roc_curves(np.full((2, 2), 0.5), np.array([0, 1, 0]), ("a", "b"))
    with pytest.raises(DataError, match=r"\(n,\) or \(n, 2\). Got \(2, 3\)"):
        calibration_curve(np.full((2, 2), 0.5), np.zeros((2, 3)))
    with pytest.raises(DataError, match="between 0 and 1"):
        expected_calibration_error(np.full((2, 2), 1.5), np.array([0, 1]))
    with pytest.raises(DataError, match=r"shapes \(2,\) and \(3,\)"):
        coverage_curve(np.zeros(2), np.zeros(3, bool))
