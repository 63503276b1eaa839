"""The threshold of each label has the best F1, and ties stay together."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from emoclf.training.thresholds import best_f1, choose_thresholds

RNG = np.random.default_rng(0)
TRUTH = (RNG.random((300, 4)) < [0.5, 0.2, 0.05, 0.3]).astype(int)
SCORES = np.clip(TRUTH * 0.35 + RNG.random((300, 4)) * 0.7, 0, 1)


@pytest.mark.slow
def test_no_other_threshold_is_better() -> None:
    for label, f1 in enumerate(best_f1(SCORES, TRUTH)):
        truth, scores = TRUTH[:, label], SCORES[:, label]
        best = max(f1_score(truth, scores >= cut) for cut in np.unique(scores))
        np.testing.assert_allclose(f1, best)


def test_thresholds_are_near_the_best_and_vary_less() -> None:
    def drawn(seed: int, draws: int) -> np.ndarray:
        rows = np.random.default_rng(seed).integers(0, 300, 300)
        return choose_thresholds(SCORES[rows], TRUTH[rows], draws=draws)

    thresholds = choose_thresholds(SCORES, TRUTH)
    chosen_f1 = f1_score(TRUTH, thresholds <= SCORES, average="macro")
    assert chosen_f1 > best_f1(SCORES, TRUTH).mean() - 0.1
    assert chosen_f1 > f1_score(TRUTH, SCORES >= 0.5, average="macro")
    one = np.std([drawn(seed, 1) for seed in range(20)], axis=0)
    many = np.std([drawn(seed, 30) for seed in range(20)], axis=0)
    assert many.mean() < 0.8 * one.mean()


def test_equal_scores_are_taken_together() -> None:
    scores = np.array([[0.9], [0.4], [0.4], [0.4], [0.1]] * 5)
    truth = np.array([[1], [1], [0], [0], [0]] * 5)
    (threshold,) = choose_thresholds(scores, truth)
    assert 0.4 < threshold < 0.9
    np.testing.assert_allclose(best_f1(scores, truth), [2 * 5 / (5 + 10)])


def test_a_label_with_few_texts_gets_the_median_threshold() -> None:
    truth = TRUTH.copy()
    truth[:, 1] = 0
    truth[:3, 1] = 1
    thresholds = choose_thresholds(SCORES, truth)
    assert thresholds[1] == np.median(thresholds[[0, 2, 3]])
    truth[:, 1] = 0
    assert np.isnan(best_f1(SCORES, truth)[1])
    assert choose_thresholds(SCORES[:2], truth[:2]).tolist() == [0.5] * 4
