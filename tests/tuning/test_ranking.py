"""Which trial is best, and whether the noise that is claimed is the noise there is."""

from __future__ import annotations

import numpy as np
import pytest
from outcomes import noisy_scores, outcome
from tiny_search import tiny_plan

from emoclf.errors import SearchError
from emoclf.tuning.report.verdict import verdict
from emoclf.tuning.results.choice import choose
from emoclf.tuning.results.noise import noise
from emoclf.tuning.results.objective import Objective
from emoclf.tuning.results.outcome import FAILED, PRUNED
from emoclf.tuning.results.ranking import rank, score_gain

F1, LOSS = Objective("macro_f1"), Objective("log_loss")


def numbers(outcomes) -> list[int]:
    return [o.number for o in outcomes]


def trials(scores: np.ndarray, sizes=None):
    sizes = sizes or [1000] * len(scores)
    return [
        outcome(n, row, parameters=size)
        for n, (row, size) in enumerate(zip(scores, sizes, strict=True), 1)
    ]


@pytest.mark.parametrize("objective", [F1, LOSS], ids=lambda o: o.name)
def test_best_first_and_only_completed_trials(objective: Objective) -> None:
    found = [
        outcome(1, [0.5, 0.7]),
        outcome(2, [0.9], status=PRUNED),
        outcome(3, [0.7, 0.7]),
        outcome(4, [], status=FAILED),
        outcome(5, [0.6, 0.7]),
    ]
    assert numbers(rank(found, objective)) == [3, 5, 1]


def test_of_equal_scores_the_smaller_is_first_then_the_earlier() -> None:
    found = [
        outcome(1, [0.5], parameters=None),
        outcome(2, [0.5], parameters=20),
        outcome(4, [0.5], parameters=10),
        outcome(3, [0.5], parameters=10),
    ]
    assert numbers(rank(found, F1)) == [3, 4, 2, 1]


def test_noise_of_two_trials_is_the_paired_t_interval() -> None:
    from scipy.stats import t, ttest_rel

    one, other = [0.70, 0.75, 0.71, 0.78, 0.74], [0.69, 0.71, 0.70, 0.75, 0.74]
    found = noise(trials(np.array([one, other])), F1, kind="seeds")
    assert found is not None
    low, high = ttest_rel(one, other).confidence_interval(0.95)
    assert found.margin == pytest.approx((high - low) / 2)
    assert found.df == 4
    # Nadeau and Bengio: 1/5 + 1/4 in the place of 1/5.
    folds = noise(trials(np.array([one, other])), F1, kind="folds")
    assert folds is not None
    assert folds.standard_error / found.standard_error == pytest.approx(1.5)
    assert folds.margin == pytest.approx(t.ppf(0.975, 4) * folds.standard_error)


def test_the_level_of_a_repeat_is_no_noise() -> None:
    rng = np.random.default_rng(0)
    scores = noisy_scores(np.full(6, 0.7), 5, rng)
    harder = scores - np.array([0, 0.2, 0, 0.1, 0])
    one, other = (noise(trials(s), F1, kind="folds") for s in (scores, harder))
    assert one is not None
    assert other is not None
    assert one.margin == pytest.approx(other.margin)


def test_bad_trials_do_not_widen_the_noise_of_good_ones() -> None:
    rng = np.random.default_rng(0)
    good = noisy_scores(np.full(6, 0.7), 5, rng)
    bad = rng.normal(0.3, 0.2, (6, 5))
    alone = noise(trials(good), F1, kind="folds")
    among = noise(trials(np.vstack([bad, good])), F1, kind="folds")
    assert alone is not None
    assert among is not None
    # Four of six alone, all six beside six bad ones: alike, not twenty times as wide.
    assert among.standard_error < 1.5 * alone.standard_error


@pytest.mark.parametrize(
    "scores", [[[0.7], [0.8]], [[0.7, 0.8]], []], ids=["one repeat", "one", "none"]
)
def test_noise_is_unknown_from_one_repeat_or_one_trial(scores: list) -> None:
    assert noise(trials(np.array(scores)), F1, kind="folds") is None


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(SearchError, match=r"'folds' or 'seeds'. Got 'fold'"):
        noise([], F1, kind="fold")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "k", "shared"), [("seeds", 3, 0.0), ("folds", 5, 0.2), ("folds", 3, 1 / 3)]
)
@pytest.mark.parametrize("n", [2, 12])
def test_the_margin_covers_95_of_100_differences(
    kind: str, k: int, shared: float, n: int
) -> None:
    """Two of ``n`` trials, named beforehand, differ by less than the margin.

    Nadeau and Bengio take the correlation of two folds' scores to be the share of the
    texts that is held out, 1/k.
    """
    rng = np.random.default_rng(7)
    means = np.linspace(0.6, 0.7, n)
    hits, draws = 0, 800
    for _ in range(draws):
        found = trials(noisy_scores(means, k, rng, shared=shared))
        margin = noise(found, F1, kind=kind)
        assert margin is not None
        wrong = score_gain(found[-1], found[0], F1) - (means[-1] - means[0])
        hits += abs(wrong) <= margin.margin
    # 95 % of 800 have a standard deviation of 0.8 %.
    assert 0.925 <= hits / draws <= 0.975


def test_plain_margins_of_folds_would_be_too_narrow() -> None:
    """Say that the check above can fail: without the correction it does."""
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(300):
        found = trials(noisy_scores(np.full(6, 0.7), 5, rng, shared=0.2))
        margin = noise(found, F1, kind="seeds")
        assert margin is not None
        hits += abs(score_gain(found[0], found[1], F1)) <= margin.margin
    assert hits / 300 < 0.88


def test_luck_is_what_the_best_of_equal_trials_gains() -> None:
    """Of 20 equal trials the best beats the first one: often by noise, seldom by luck.

    This is why a report has to give both.
    """
    rng = np.random.default_rng(3)
    naive = corrected = 0
    for _ in range(300):
        found = trials(noisy_scores(np.full(20, 0.7), 5, rng))
        best = rank(found, F1)[0]
        margin = noise(found, F1, kind="seeds")
        assert margin is not None
        gain = score_gain(best, found[0], F1)
        naive += gain > margin.margin
        corrected += gain > margin.margin_of_best(19)
    assert naive / 300 > 0.2
    assert corrected / 300 < 0.05


def test_the_smallest_of_equals_is_chosen() -> None:
    rng = np.random.default_rng(0)
    levels = rng.normal(0, 0.1, 5)
    ripple = 0.01 * np.array([[1, -1, 0, 1, -1], [0, 1, -1, -1, 1], [1, 0, 1, -1, -1]])
    means = np.array([0.60, 0.702, 0.700])
    found = trials(means[:, None] + ripple + levels, [10, 900, 100])
    choice = choose(found, F1, kind="folds")
    assert choice.first.number == 2
    assert choice.second is not None
    assert choice.second.number == choice.chosen.number == 3
    assert numbers(choice.equals) == [2, 3]
    assert choice.gain == pytest.approx(0.1)
    assert choice.beats_defaults is True
    assert choice.luck is not None
    assert choice.noise is not None
    assert choice.luck > choice.noise.margin


def test_a_gain_in_log_loss_is_positive_where_loss_falls() -> None:
    rng = np.random.default_rng(0)
    found = trials(noisy_scores(np.array([0.60, 0.70]), 5, rng))
    choice = choose(found, LOSS, kind="seeds")
    assert choice.first.number == 2
    assert choice.gain == pytest.approx(0.1, abs=0.02)
    assert choice.beats_defaults is True


def test_defaults_that_are_as_good_and_not_larger_stay() -> None:
    rng = np.random.default_rng(1)
    scores = noisy_scores(np.full(4, 0.7), 5, rng)
    scores[1] = scores[0] + 0.0001
    scores[2:] -= 0.1
    choice = choose(trials(scores), F1, kind="folds")
    assert choice.first.number == 2
    assert choice.chosen.number == 2, "of one size the better one is taken"
    choice = choose(trials(scores, [10, 20, 20, 20]), F1, kind="folds")
    assert choice.chosen.number == 1
    assert (choice.gain, choice.beats_defaults) == (0.0, False)


def test_a_smaller_trial_that_is_behind_the_defaults_is_passed_over_in_words() -> None:
    ripple = 0.01 * np.array([[1, -1, 0, 1, -1], [0, 1, -1, -1, 1], [1, 0, 1, -1, -1]])
    means = np.array([0.702, 0.6, 0.700])
    found = trials(means[:, None] + ripple, [900, 10, 100])
    plan = tiny_plan(kind="folds", repeats=5)
    choice = choose(found, F1, kind="folds")
    assert numbers(choice.equals) == [1, 3]
    assert choice.chosen.number == 1
    said = " ".join(verdict(choice, plan))
    assert (
        "The smallest of them that is not worse than the defaults is chosen: trial 1"
        in said
    )
    # Where the defaults are behind too, size alone decides.
    found = trials(means[[1, 0, 2], None] + ripple, [10, 900, 100])
    said = " ".join(verdict(choose(found, F1, kind="folds"), plan))
    assert "The smallest of them is chosen: trial 3" in said


def test_what_is_unknown_is_none() -> None:
    choice = choose(trials(np.array([[0.6], [0.7]])), F1, kind="folds")
    assert choice.noise is choice.beats_defaults is choice.luck is None
    assert choice.gain == pytest.approx(0.1)
    assert numbers(choice.equals) == [2]
    alone = choose([outcome(4, [0.7, 0.8])], F1, kind="folds")
    assert alone.second is alone.gain is alone.beats_defaults is None
    with pytest.raises(SearchError, match="None of 1 trials was completed"):
        choose([outcome(1, [0.7], status=PRUNED)], F1, kind="folds")
