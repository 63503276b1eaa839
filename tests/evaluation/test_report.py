"""Sentences that say what the metrics say, and tables that fit."""

import json
from dataclasses import replace

import numpy as np
import pytest

from emoclf.evaluation.evaluation_report import EvaluationReport
from emoclf.evaluation.metrics import evaluate
from emoclf.evaluation.paired_comparison import Comparison
from emoclf.evaluation.text_tables import (
    align,
    confusion_lines,
    detail_lines,
    metric_lines,
    per_class_lines,
)

SEVEN = ["anger", "disgust", "fear", "guilt", "joy", "sadness", "shame"]
SVM, MAJORITY = "TF-IDF + linear SVM", "majority class"


def evaluation(names=SEVEN, *, n=300, right=0.7, name="text_cnn", part="test", **rest):
    rng = np.random.default_rng(0)
    truth = np.resize(np.arange(len(names)), n)
    predicted = np.where(rng.random(n) < right, truth, rng.integers(0, len(names), n))
    return evaluate(predicted, truth, names, name=name, part=part, draws=50, **rest)


def report(svm, *others, **rest):
    """Return a report: the network against the SVM by macro-F1, and others."""
    network = evaluation(probabilities=np.full((300, 7), 1 / 7), **rest)
    baselines = [
        evaluation(right=r, name=f, **rest) for f, r in ((MAJORITY, 0), (SVM, 0.5))
    ]
    first = Comparison(SVM, network.part, "macro_f1", *svm)
    return EvaluationReport(
        (network, *baselines), (*others, first), ("word vectors.", "a search.")
    )


WON = (0.05, 0.02, 0.08)


def test_a_network_that_wins():
    found = report(WON, Comparison(MAJORITY, "test", "accuracy", 0.5, 0.4, 0.6))
    assert found.beats_baselines
    assert found.verdict() == [
        "On the test set the network is better than the best baseline, TF-IDF + linear "
        "SVM: +5.0 points of macro-F1 (95 % interval +2.0 to +8.0)."
    ]


@pytest.mark.parametrize(
    ("svm", "words"),
    [
        ((-0.05, -0.08, -0.02), "is worse than"),
        ((-0.01, -0.04, 0.02), "cannot be told apart from"),
        ((0.0, 0.0, 0.0), "cannot be told apart from"),
        ((0.01, -0.02, 0.04), "cannot be told apart from"),
    ],
)
def test_a_network_that_does_not_win(svm, words):
    found = report(svm)
    first, *tries = found.verdict()
    assert f"the network {words} the best baseline, TF-IDF + linear SVM" in first
    assert tries == ["Try: word vectors.", "Try: a search."]
    assert not found.beats_baselines


def test_the_best_baseline_is_the_one_that_is_nearest():
    found = report(WON, Comparison(MAJORITY, "test", "macro_f1", -0.03, -0.05, -0.01))
    assert found.decisive.baseline == MAJORITY
    assert "worse than the best baseline, majority class" in found.verdict()[0]


def test_without_a_test_set_the_scores_are_too_optimistic():
    found = report(WON, part="valid", chose_epoch=True)
    assert (
        "There is no test set: these scores are too optimistic" in found.verdict()[-1]
    )
    assert found.network.part == "valid"


def test_the_table_names_the_set_of_every_metric():
    test = report(WON)
    valid = [
        evaluation(part="valid", chose_epoch=True, name=n) for n in ("text_cnn", SVM)
    ]
    both = EvaluationReport((*valid, *test.evaluations), test.comparisons)
    lines = both.table_lines()
    assert lines[0] == "Validation set (chose the epoch), 300 texts"
    assert lines[5] == "Test set, 300 texts"
    assert lines[6].split() == ["accuracy", "macro-F1", "log", "loss"]
    assert lines[7].endswith("1.946")
    assert lines[8].endswith("–")
    # Within 80 columns, and the best macro-F1 is marked.
    assert max(map(len, lines)) <= 80
    assert ["*" in line for line in lines[7:10]] == [True, False, False]
    assert both.network is test.network


def test_wide_tables_give_up_intervals_but_not_that_of_the_main_metric():
    hot = np.eye(3, dtype=int)[np.arange(60) % 3]
    predicted = hot.copy()
    predicted[:9] = 1
    several = [
        evaluate(predicted, hot, list("abc"), name=n, part="test", draws=9,
                 probabilities=0.2 + 0.6 * hot)
        for n in ("text_cnn", SVM)
    ]  # fmt: skip
    lines = EvaluationReport(tuple(several), ()).table_lines()
    assert max(map(len, lines)) <= 80
    assert lines[-1].count("[") == 1
    assert " ".join(lines[1].split()) == "exact average log"
    alone = EvaluationReport(tuple(several[:1]), ()).table_lines()
    assert "*" not in "".join(alone)


def test_multilabel():
    hot = np.eye(3, dtype=int)[[0, 1, 2, 0]]
    found = evaluate(hot, hot, ["a", "b", "c"], name="text_cnn", part="test")
    lines = [*metric_lines([found]), *detail_lines(found)]
    assert lines[0] == "Test set, 4 texts"
    assert "micro-F1" in lines[1]
    assert "exact match" in lines[1]
    assert confusion_lines(found) == []
    assert lines[-1].startswith("c")


def test_confusion_of_seven_classes():
    lines = confusion_lines(evaluation())
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["true", "\\", "predicted", *SEVEN]
    assert len({len(line) for line in lines}) == 1


def test_confusion_of_long_names_keeps_them_apart():
    names = ["disappointment", "disapproval", "embarrassment", "nervousness", "relief"]
    head = confusion_lines(evaluation(names))[0]
    columns = head.removeprefix("true \\ predicted").split()
    assert len(set(columns)) == 5
    assert all(n.startswith(c) for n, c in zip(names, columns, strict=True))


def test_confusion_of_names_that_only_end_differently_is_numbered():
    names = [f"an emotion with a long name {letter}" for letter in "abcdef"]
    lines = confusion_lines(evaluation(names))
    assert lines[0].split()[3:] == list("123456")
    assert lines[1].startswith("1 an emotion")
    assert max(map(len, lines)) <= 80


def test_confusion_of_28_classes_is_its_most_frequent_mistakes():
    names = [f"emotion{number}" for number in range(28)]
    truth = np.repeat(np.arange(28), 10)
    predicted = truth.copy()
    predicted[:4] = 5
    found = evaluate(predicted, truth, names, name="text_cnn", part="test", draws=50)
    assert confusion_lines(found) == [
        "Most frequent mistakes",
        "true      predicted  texts  share of the label",
        "emotion0  emotion5       4                 40%",
    ]
    right = evaluate(truth, truth, names, name="text_cnn", part="test", draws=50)
    assert confusion_lines(right) == ["No mistakes."]


def test_a_class_without_texts_has_dashes():
    found = evaluate(
        np.array([0, 1, 2]), np.array([0, 1, 1]), SEVEN[:3], name="x", part="test"
    )
    assert per_class_lines(found)[-1].split() == ["fear", "0.000", "–", "–", "0"]
    note = "No text of the test set has the label 'fear': macro-F1 is the mean of the 2"
    assert " ".join(metric_lines([found, found])).count(note) == 1
    other = replace(found, part="some.csv")
    assert "None of these texts has the label 'fear'" in " ".join(metric_lines([other]))


def test_a_class_that_was_never_predicted_has_no_precision():
    predicted, truth = np.array([0, 1, 1]), np.array([0, 1, 2])
    found = evaluate(predicted, truth, SEVEN[:3], name="x", part="test")
    hot = np.eye(3, dtype=int)
    several = evaluate(hot[predicted], hot[truth], SEVEN[:3], name="x", part="test")
    for one in (found, several):
        assert per_class_lines(one)[-1].split() == ["fear", "–", "0.000", "0.000", "1"]
    assert "No text" not in " ".join(metric_lines([found]))


def test_align():
    assert align([["", "n"], ["joy", "12"]]) == ["      n", "joy  12"]


def test_json_and_back():
    found = report(WON)
    values = json.loads(json.dumps(found.to_dict()))
    assert EvaluationReport.from_dict({**values, "audit": {}}) == found
    assert values["table"] == found.table_lines()
    assert values["verdict"] == found.verdict()


def test_notebooks_show_text_as_it_is():
    found = evaluation(["<b>", "joy"], name="a<b")
    shown = EvaluationReport(
        (found,), (Comparison(SVM, "test", "accuracy", *WON),)
    )._repr_html_()
    assert "<b>" not in shown
    assert "a&lt;b" in shown
