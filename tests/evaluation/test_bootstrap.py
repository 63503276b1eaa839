"""Intervals that hold what they promise, and paired comparisons."""

import time

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from emoclf.errors import DataError
from emoclf.evaluation.bootstrap import interval, resampled_metrics, wilson_interval
from emoclf.evaluation.metrics import Evaluation, evaluate
from emoclf.evaluation.paired_comparison import compare

NAMES = ["a", "b", "c"]


def evaluation(predicted, truth, name="text_cnn"):
    return evaluate(predicted, truth, NAMES, name=name, part="test", draws=200)


def noisy(truth, right, seed):
    rng = np.random.default_rng(seed)
    wrong = (truth + rng.integers(1, 3, len(truth))) % 3
    return np.where(rng.random(len(truth)) < right, truth, wrong)


def test_about_95_percent_of_intervals_hold_the_true_share():
    rng = np.random.default_rng(0)
    truth, held = np.zeros(200, dtype=int), 0
    for seed in range(150):
        predicted = (rng.random(200) >= 0.7).astype(int)
        metrics = resampled_metrics(predicted, truth, 2, seed=seed, draws=200)
        low, high = interval(metrics["accuracy"])
        held += low <= 0.7 <= high
    assert 0.90 <= held / 150 <= 0.99


@pytest.mark.parametrize(("right", "n"), [(12, 12), (0, 12), (1, 1), (7, 20)])
def test_wilson_intervals_as_scipy(right, n):
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert wilson_interval(right, n) == pytest.approx(tuple(expected), abs=1e-6)


def test_no_interval_is_without_width():
    truth = np.arange(12) % 3
    for predicted, share in ((truth, 1.0), ((truth + 1) % 3, 0.0)):
        found = evaluation(predicted, truth)
        assert found.accuracy == share
        assert found.intervals == {"accuracy": wilson_interval(int(12 * share), 12)}
        assert {label.f1_interval for label in found.per_class} == {None}


def test_the_spread_is_that_of_a_binomial():
    truth = np.zeros(1000, dtype=int)
    predicted = (np.arange(1000) >= 600).astype(int)
    spread = resampled_metrics(predicted, truth, 2)["accuracy"].std()
    assert spread == pytest.approx(np.sqrt(0.6 * 0.4 / 1000), rel=0.1)


def test_a_draw_is_a_real_set_of_texts():
    # So few that draws leave out labels which were predicted all the same.
    truth = np.array([0, 0, 0, 1, 1, 2])
    predicted = np.array([0, 1, 2, 1, 0, 2])
    metrics = resampled_metrics(predicted, truth, 3, seed=5, draws=30)
    rng, left_out = np.random.default_rng(5), 0
    for accuracy, macro in zip(metrics["accuracy"], metrics["macro_f1"], strict=True):
        drawn = rng.integers(0, 6, 6)
        present = np.unique(truth[drawn])
        left_out += bool(set(predicted[drawn]) - set(present))
        assert accuracy == pytest.approx((predicted == truth)[drawn].mean())
        expected = f1_score(
            truth[drawn], predicted[drawn], labels=present, average="macro"
        )
        assert macro == pytest.approx(expected)
    assert left_out


def test_multilabel_accuracy_is_exact_match():
    truth = np.array([[1, 0], [1, 1], [0, 0], [0, 1]])
    half_right = 1 - truth
    half_right[:, 0] = truth[:, 0]
    metrics = resampled_metrics(half_right, truth, 2, draws=20)
    assert (metrics["accuracy"] == 0).all()


def test_multilabel_texts_have_micro_f1_too():
    truth = np.array([[1, 0], [1, 1], [0, 0]])
    metrics = resampled_metrics(truth, truth, 2, draws=50)
    # A draw of the empty text alone has nothing to find: 0, not NaN.
    assert set(np.unique(metrics["micro_f1"])) <= {0.0, 1.0}
    assert (metrics["accuracy"] == 1).all()


def test_the_seed_decides():
    truth = np.array([0, 1, 2, 0, 1])
    predicted = np.array([0, 1, 1, 0, 2])
    first, again, other = (
        resampled_metrics(predicted, truth, 3, seed=s)["macro_f1"] for s in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_ten_thousand_texts_are_no_wait():
    truth = np.random.default_rng(0).integers(0, 7, 10_000)
    began = time.process_time()
    resampled_metrics(np.roll(truth, 1), truth, 7)
    # Measured 0.45 s; the margin is for busy machines.
    assert time.process_time() - began < 5


def test_paired_draws_see_what_two_intervals_do_not():
    truth = np.random.default_rng(0).integers(0, 3, 400)
    baseline = noisy(truth, 0.6, seed=1)
    network = baseline.copy()
    missed = np.flatnonzero(baseline != truth)[:16]
    network[missed] = truth[missed]
    ours, theirs = evaluation(network, truth), evaluation(baseline, truth, "other")
    assert ours.intervals["accuracy"][0] < theirs.intervals["accuracy"][1]
    macro, accuracy = compare(ours, theirs, truth)
    assert (macro.metric, accuracy.metric) == ("macro_f1", "accuracy")
    assert accuracy.difference == pytest.approx(16 / 400)
    assert accuracy.beaten
    assert macro.low < macro.difference < macro.high
    assert "+4.0 points of accuracy (95 % interval +" in accuracy.points


def test_equal_predictions_are_never_ahead():
    truth = np.array([0, 1, 2, 0])
    found = evaluation(np.array([0, 1, 1, 0]), truth)
    for difference in compare(found, found, truth):
        assert (difference.low, difference.high) == (0, 0)
        assert not difference.beaten


def test_multilabel_classifiers_are_compared_by_micro_f1():
    truth = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]])
    found = evaluation(truth, truth)
    assert [c.metric for c in compare(found, found, truth)] == ["macro_f1", "micro_f1"]


def test_metrics_from_a_file_cannot_be_compared():
    truth = np.array([0, 1])
    found = evaluation(truth, truth)
    read = Evaluation.from_dict(found.to_dict())
    with pytest.raises(DataError, match="text_cnn on test must contain predictions"):
        compare(read, found, truth)
    with pytest.raises(DataError, match=r"shape \(3,\).* Got \(2,\) instead"):
        compare(found, found, np.array([0, 1, 1]))
