"""Predictions beside an evaluation: what is right, how sure, and where it errs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from emoclf.evaluation.metrics import Evaluation, evaluate_probabilities
from emoclf.evaluation.predicted_texts import confused_pairs

PROBABILITIES = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
WHO = {"name": "network", "part": "test"}


def test_an_evaluation_keeps_its_predictions_in_memory_only() -> None:
    found = evaluate_probabilities(
        PROBABILITIES, np.array([0, 0, 0]), ("a", "b"), texts=["x", "y", "z"], **WHO
    )
    kept = found.predictions
    assert kept.right.tolist() == [True, False, False]
    assert kept.confidence.tolist() == [0.9, 0.6, 0.8]
    assert kept.confident_mistakes() == [2, 1]
    assert kept.confident_mistakes(1) == [2]
    assert kept.names_of(1) == "b"
    stored = json.loads(json.dumps(found.to_dict()))
    assert not {"predictions", "predicted"} & set(stored)
    again = Evaluation.from_dict(stored)
    assert again == found
    assert again.predictions is None


def test_several_labels_are_right_together() -> None:
    found = evaluate_probabilities(
        PROBABILITIES,
        np.array([[1, 0], [1, 1], [0, 0]]),
        ("a", "b"),
        thresholds=[0.3, 0.7],
        **WHO,
    ).predictions
    assert found.predicted.tolist() == [[1, 0], [1, 0], [0, 1]]
    assert found.right.tolist() == [True, False, False]
    assert found.confidence == pytest.approx([0.9 * 0.9, 0.4 * 0.4, 0.8 * 0.8])
    assert found.names_of(found.targets[1]) == "a, b"
    assert found.names_of(found.targets[2]) == "no label"


def test_confused_pairs_come_with_their_share_of_the_label() -> None:
    pairs = confused_pairs([[5, 3, 0], [1, 9, 0], [0, 0, 4]], ("a", "b", "c"))
    assert [(p.true, p.predicted, p.count) for p in pairs] == [
        ("a", "b", 3),
        ("b", "a", 1),
    ]
    assert pairs[0].share == pytest.approx(3 / 8)
    assert confused_pairs([[2, 0], [0, 2]], ("a", "b")) == []
