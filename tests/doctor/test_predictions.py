"""Checks of predictions."""

from __future__ import annotations

import numpy as np
import pytest

from emoclf.doctor.findings import Finding
from emoclf.doctor.predictions import check_collapse, check_stuck, check_unseen

NAMES = ("anger", "fear", "joy")
EVEN = np.full(3, 1 / 3)


def name(finding: Finding | None) -> str | None:
    return finding and finding.name


def test_collapse_says_how_far_imbalance_explains_it() -> None:
    truth = np.repeat([0, 1, 2], 40)
    always = np.zeros(120, int)
    even = check_collapse(always, truth, NAMES, prior=EVEN)
    assert even is not None
    assert "100% of the texts get the label 'anger', which 33% have" in even.message
    assert "imbalance" not in even.causes[0]
    skewed = check_collapse(always, truth, NAMES, prior=np.array([0.8, 0.1, 0.1]))
    assert skewed is not None
    assert skewed.causes[0] == "imbalance: 80% of the training texts have it"
    assert skewed.cures[0] == "class_weight='balanced'"


def test_a_class_that_nearly_all_texts_have_is_no_collapse() -> None:
    truth = np.array([0] * 96 + [1] * 4)
    assert check_collapse(np.zeros(100, int), truth, NAMES, prior=EVEN) is None
    assert check_collapse(truth, truth, NAMES, prior=EVEN) is None
    nothing = np.empty(0, int)
    assert check_collapse(nothing, nothing, NAMES, prior=EVEN) is None


def test_labels_that_are_never_predicted() -> None:
    truth = np.array([0] * 20 + [1] * 9 + [2] * 12)
    finding = check_unseen(np.zeros(41, int), truth, NAMES, prior=EVEN)
    assert finding is not None
    # Nine texts of 'fear' are too few.
    assert finding.evidence["labels"] == "joy"
    multilabel = np.eye(3, dtype=int)[truth]
    finding = check_unseen(multilabel * 0, multilabel, NAMES, prior=EVEN)
    assert finding is not None
    assert finding.evidence["labels"] == "anger, joy"


@pytest.mark.parametrize(
    ("mean", "prior", "expected"),
    [
        ([0.608, 0.392], [0.608, 0.392], "stuck-at-prior"),
        ([0.5, 0.5], [0.608, 0.392], "stuck-at-uniform"),
        ([0.5, 0.5], [0.5, 0.5], "stuck-at-uniform"),
        ([0.9, 0.1], [0.608, 0.392], "stuck-at-a-constant"),
    ],
)
def test_probabilities_that_do_not_vary(mean: list, prior: list, expected: str) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 50)
    flat = np.array(mean) + rng.normal(0, 0.003, (50, 1)) * [1, -1]
    finding = check_stuck(flat, truth, prior=np.array(prior))
    assert name(finding) == expected
    varying = np.array(mean) + rng.normal(0, 0.1, (50, 1)) * [1, -1]
    assert check_stuck(varying, truth, prior=np.array(prior)) is None
    multilabel = (rng.random((50, 2)) < 0.5).astype(int)
    half = np.full((50, 2), 0.5) + rng.normal(0, 1e-3, (50, 2))
    finding = check_stuck(half, multilabel, prior=np.array([0.1, 0.2]))
    assert name(finding) == "stuck-at-uniform"
    # Flat, but correct: it has begun to learn.
    right = np.array([0.5, 0.5]) + np.where(truth, -1, 1)[:, None] * [0.004, -0.004]
    assert check_stuck(right, truth, prior=np.array([0.5, 0.5])) is None
