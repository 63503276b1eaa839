"""Metrics against scikit-learn, and by hand where that is possible."""

import json

import numpy as np
import pytest
from sklearn import metrics as sk

from emoclf.errors import DataError
from emoclf.evaluation.metric_names import (
    METRICS,
    MONITORS,
    MULTILABEL,
    OBJECTIVES,
    ONE_LABEL,
    compared_metrics,
    shown_metrics,
)
from emoclf.evaluation.metrics import Evaluation, evaluate, evaluate_probabilities
from emoclf.evaluation.paired_comparison import compare
from emoclf.evaluation.text_tables import metric_lines
from emoclf.training.best_weights import validation_metrics

NAMES = ["anger", "joy", "shame"]
WHO = {"name": "text_cnn", "part": "test"}


def random_ids(n=400, k=3, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    return np.where(rng.random(n) < 0.6, truth, rng.integers(0, k, n)), truth


def random_hot(n=300, k=3, seed=0):
    rng = np.random.default_rng(seed)
    truth = (rng.random((n, k)) < [0.5, 0.2, 0.1]).astype(np.float32)
    return np.where(rng.random((n, k)) < 0.8, truth, 1 - truth), truth


def test_by_hand():
    found = evaluate(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2]), NAMES, **WHO)
    anger, joy, shame = found.per_class
    assert (anger.precision, anger.recall, anger.support) == (0.5, 1.0, 1)
    assert (joy.precision, joy.recall, joy.support) == (1.0, 0.5, 2)
    assert (shame.label, shame.f1) == ("shame", 1.0)
    assert found.accuracy == found.micro_f1 == 0.75
    assert found.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert found.confusion == ((1, 0, 0), (1, 1, 0), (0, 0, 1))
    assert (found.n, found.log_loss, found.multilabel) == (4, None, False)


def test_one_label_as_scikit_learn():
    predicted, truth = random_ids()
    found = evaluate(predicted, truth, NAMES, **WHO)
    assert found.accuracy == pytest.approx(sk.accuracy_score(truth, predicted))
    assert found.macro_f1 == pytest.approx(
        sk.f1_score(truth, predicted, average="macro")
    )
    np.testing.assert_array_equal(
        found.confusion, sk.confusion_matrix(truth, predicted)
    )


def test_multilabel_as_scikit_learn():
    predicted, truth = random_hot()
    found = evaluate(predicted, truth, NAMES, **WHO)
    assert found.accuracy == pytest.approx(sk.accuracy_score(truth, predicted))
    for average, value in (("macro", found.macro_f1), ("micro", found.micro_f1)):
        assert value == pytest.approx(sk.f1_score(truth, predicted, average=average))
    assert found.multilabel
    assert set(found.intervals) == {"accuracy", "macro_f1", "micro_f1"}


def test_log_loss_as_scikit_learn():
    rng = np.random.default_rng(1)
    truth, probabilities = rng.integers(0, 3, 50), rng.dirichlet([1, 1, 1], 50)
    found = evaluate_probabilities(probabilities, truth, NAMES, **WHO)
    assert found.log_loss == pytest.approx(sk.log_loss(truth, probabilities))
    np.testing.assert_array_equal(found.predicted, probabilities.argmax(1))


def test_log_loss_of_a_certain_mistake_is_finite():
    found = evaluate_probabilities(
        np.array([[0.0, 1.0]]), np.array([0]), ["no", "yes"], **WHO
    )
    assert found.log_loss == pytest.approx(-np.log(1e-7))


def test_multilabel_log_loss_is_per_decision():
    found = evaluate_probabilities(
        np.array([[0.8, 0.5]]), np.array([[1, 0]]), ["a", "b"], **WHO
    )
    assert found.log_loss == pytest.approx(-(np.log(0.8) + np.log(0.5)) / 2)


def test_thresholds_one_for_all_or_one_for_each():
    probabilities, truth = np.array([[0.5, 0.4, 0.1]]), np.array([[1, 1, 0]])
    one = evaluate_probabilities(probabilities, truth, NAMES, **WHO)
    assert one.predicted.tolist() == [[1, 0, 0]]
    each = evaluate_probabilities(
        probabilities, truth, NAMES, thresholds=[0.6, 0.4, 0.05], **WHO
    )
    assert each.predicted.tolist() == [[0, 1, 1]]


def test_a_class_without_support_has_no_say_in_the_mean():
    predicted, truth = np.array([0, 0, 1, 2]), np.array([0, 0, 1, 1])
    found = evaluate(predicted, truth, NAMES, **WHO)
    present = sk.f1_score(truth, predicted, labels=[0, 1], average="macro")
    assert found.macro_f1 == pytest.approx(present)
    assert (found.per_class[2].support, found.per_class[2].f1) == (0, 0.0)
    low, high = found.intervals["macro_f1"]
    assert 0 <= low <= found.macro_f1 <= high <= 1


def test_no_label_on_any_text():
    found = evaluate(np.zeros((3, 3)), np.zeros((3, 3)), NAMES, **WHO)
    assert (found.accuracy, found.macro_f1, found.micro_f1) == (1.0, 0.0, 0.0)


def test_a_single_label_that_texts_have_or_not():
    truth, predicted = np.array([[1], [0], [1]]), np.array([[1], [1], [0]])
    found = evaluate(predicted, truth, ["joy"], **WHO)
    joy = found.per_class[0]
    assert (joy.precision, joy.recall, joy.support) == (0.5, 0.5, 2)


def test_a_single_text():
    found = evaluate(np.array([1]), np.array([1]), NAMES, **WHO)
    assert found.intervals == {"accuracy": (pytest.approx(0.2065, abs=1e-4), 1.0)}


@pytest.mark.parametrize("make", [random_ids, random_hot])
def test_json_and_back(make):
    predicted, truth = make()
    found = evaluate(predicted, truth, NAMES, chose_epoch=True, **WHO)
    again = Evaluation.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again == found
    assert again.part_name == "test (chose the epoch)"
    assert again.predicted is None


def test_what_to_dict_returns_is_a_copy():
    found = evaluate(np.array([0, 1]), np.array([0, 1]), NAMES, **WHO)
    found.to_dict()["per_class"][0]["f1"] = 9.0
    assert found.per_class[0].f1 == 1.0


@pytest.mark.parametrize(
    ("predicted", "truth", "match"),
    [
        ([], [], "there are no texts"),
        ([0, 1], [0], r"Got \(2,\) and \(1,\)"),
        ([[1, 0]], [[1, 0]], r"\(n, 3\)\. Got \(1, 2\)"),
        ([3], [0], "text_cnn on test: 3 is not a whole number from 0 to 2"),
        ([0], [-1], "-1 is not a whole number"),
        ([[0.5, 0, 1]], [[1, 0, 1]], "0.5 is not a whole number from 0 to 1"),
    ],
)
def test_what_cannot_be_evaluated(predicted, truth, match):
    with pytest.raises(DataError, match=match):
        evaluate(np.array(predicted), np.array(truth), NAMES, **WHO)


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ([0.5, 0.5], r"must have the shape \(1, 3\)"),
        ([np.nan, 0.5, 0.5], "Text 1 has nan"),
        ([4.0, -1.0, 0.0], "Text 1 has 4.0 instead. Logits need"),
    ],
)
def test_what_is_no_probability(row, match):
    with pytest.raises(DataError, match=match):
        evaluate_probabilities(np.array([row]), np.array([0]), NAMES, **WHO)


@pytest.mark.parametrize(
    ("make", "task"), [(random_ids, ONE_LABEL), (random_hot, MULTILABEL)]
)
def test_the_table_of_metrics_is_true_of_evaluations(make, task):
    predicted, truth = make()
    found = evaluate(predicted, truth, NAMES, **WHO)
    shown = shown_metrics(task)
    missing = {name for name in shown if getattr(found, name) is None}
    assert missing == {name for name in shown if METRICS[name].needs_probabilities}
    assert set(found.intervals) == {*shown} - missing
    probabilities = np.full((len(truth), 3), 1 / 3)
    full = evaluate_probabilities(probabilities, truth, NAMES, **WHO)
    assert None not in [getattr(full, name) for name in shown]
    labels = [METRICS[name].label_for(task) for name in shown]
    table = "\n".join(metric_lines([full]))
    assert all(label.rpartition(" ")[2] in table for label in labels)
    compared = tuple(comparison.metric for comparison in compare(found, found, truth))
    assert compared == compared_metrics(task)
    assert compared[0] == "macro_f1"


def test_the_table_of_metrics_is_true_of_monitors_and_objectives():
    assert {*validation_metrics(np.eye(3), np.arange(3))} == {*MONITORS}
    assert {*OBJECTIVES} == {*METRICS} - {"loss"}
    worst_first = {"max": (0.2, 0.9), "min": (0.9, 0.2)}
    for metric in METRICS.values():
        worse, better = worst_first[metric.direction]
        assert metric.sign * worse < metric.sign * better
