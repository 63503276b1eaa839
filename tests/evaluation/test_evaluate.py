"""A network and its baselines, on the split that it was trained with."""

from dataclasses import replace

import pytest
from tiny import tiny_split, tiny_trained

from emoclf.datasets.dataset import Dataset
from emoclf.evaluation.advice import advice
from emoclf.evaluation.baselines import MAJORITY, TFIDF_SVM
from emoclf.evaluation.evaluate import evaluate_classifier, evaluate_part, judge
from emoclf.settings import RunSettings


@pytest.fixture(scope="module")
def report():
    return evaluate_classifier(tiny_trained().predictor, tiny_split())


def test_all_are_evaluated_on_all_datasets(report):
    found = [(e.part_name, e.name) for e in report.evaluations]
    who = ["text_cnn", MAJORITY, TFIDF_SVM]
    assert found == [
        (part, name)
        for part in ("validation (chose the epoch)", "test")
        for name in who
    ]
    assert [e.log_loss is None for e in report.evaluations] == [False, True, True] * 2


def test_the_test_set_decides(report):
    assert {c.part for c in report.comparisons} == {"test"}
    assert [(c.baseline, c.metric) for c in report.comparisons] == [
        (baseline, metric)
        for baseline in (MAJORITY, TFIDF_SVM)
        for metric in ("macro_f1", "accuracy")
    ]
    assert report.network.n == len(tiny_split().test)


def test_without_a_test_set_the_validation_set_does():
    split = replace(tiny_split(), test=None)
    with pytest.warns(DeprecationWarning, match="emoclf.judge is deprecated"):
        report = judge(tiny_trained(), split)
    assert {c.part for c in report.comparisons} == {"valid"}
    assert any("There is no test set" in line for line in report.verdict())


def test_a_dataset_alone(report):
    found = evaluate_part(tiny_trained().predictor, tiny_split().test, part="test")
    assert found == report.network


def test_other_texts_have_the_baselines_of_the_split(report):
    test = tiny_split().test
    found = tiny_trained().evaluate(test)
    expected = [replace(one, part=test.source) for one in report.evaluations[3:]]
    assert list(found.evaluations) == expected
    assert [c.difference for c in found.comparisons] == [
        c.difference for c in report.comparisons
    ]
    assert found.verdict()[0].startswith("On these 9 texts the network ")
    # Classes in another order.
    train = replace(tiny_split().train, label_names=("joy", "fear", "anger"))
    predictor = tiny_trained().predictor
    assert evaluate_classifier(predictor, test, train=train).network == found.network
    assert evaluate_classifier(predictor, test, train=train) == found
    alone = evaluate_classifier(predictor, test)
    assert alone.evaluations == (found.network,)
    assert alone.beats_baselines is None
    assert "baselines" not in repr(alone)
    assert "beats the baselines" in repr(found)


def data(*counts, multilabel=False):
    labels = [f"c{i}" for i, count in enumerate(counts) for _ in range(count)]
    dataset = Dataset.from_lists([f"text {i}" for i in range(len(labels))], labels)
    if multilabel:
        rows = tuple((label,) for label in dataset.labels)
        return replace(dataset, labels=rows, multilabel=True)
    return dataset


@pytest.mark.parametrize(
    ("flat", "train", "said", "unsaid"),
    [
        ({}, data(5, 5), ["pre-trained", "10 are few", "tune"], ["balanced", "corr"]),
        ({}, data(20, 5), ["the setting class_weight", "4.0 times"], []),
        ({"class_weight": "balanced"}, data(20, 5), [], ["class_weight"]),
        ({"vectors": "words.bin"}, data(1200, 1200), ["tune"], ["pre-tr", "are few"]),
        ({}, data(9, 1, multilabel=True), ["9.0 times"], []),
    ],
)
def test_advice_knows_what_was_done(flat, train, said, unsaid):
    words = " ".join(advice(RunSettings.from_flat(**flat), train, {}))
    assert all(word in words for word in said)
    assert not any(word in words for word in unsaid)


def test_advice_has_evidence():
    disputed = Dataset.from_lists(["good", "good", "bad"], ["a", "b", "b"])
    settings = RunSettings.from_flat(epochs=7, vectors="words.bin")
    metrics = {
        "best_epoch": 7,
        "ended": "all epochs",
        "coverage": {"share_of_running": 0.34},
    }
    words = " ".join(advice(settings, disputed, metrics))
    assert "correcting the labels: 1 training texts" in words
    assert "the last of 7 was the best" in words
    assert "cover 34% of the tokens" in words
    early = {**metrics, "best_epoch": 6, "coverage": {"share_of_running": 0.97}}
    words = " ".join(advice(settings, data(5, 5), early))
    assert "epochs" not in words
    assert "cover" not in words
