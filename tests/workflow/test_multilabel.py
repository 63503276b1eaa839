"""Multilabel texts, from a file to metrics and an export.

Covers emoclf.workflow.training_run and emoclf.datasets.split_files.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from tiny import PLACES, WORDS, tiny_settings

from emoclf.cli import main
from emoclf.datasets.split_files import read_split
from emoclf.evaluation.temperature import at_temperature
from emoclf.export.saved_model import export_saved_model
from emoclf.predictor import Predictor
from emoclf.serving import load_exported
from emoclf.training.thresholds import choose_thresholds
from emoclf.workflow.training_run import TrainingRun, run_training

pytestmark = pytest.mark.slow

NEW = ["a lovely gift", "trembling and furious", "it was by the river"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    folder = tmp_path_factory.mktemp("multilabel")
    rows = []
    for (a, b), place in itertools.product(
        itertools.combinations_with_replacement(WORDS, 2), PLACES
    ):
        for one, other in zip(WORDS[a], WORDS[b], strict=True):
            labels = "|".join(sorted({a, b}))
            rows.append(f"it was {one} and {other} {place}\t{labels}")
    # A separator alone: none of the labels applies.
    rows += [f"it was {place}\t|" for place in PLACES]
    path = folder / "multilabel.tsv"
    path.write_text("\n".join(["text\tlabels", *rows]) + "\n")
    settings = tiny_settings(label_separator="|", epochs=20)
    dataset, split = read_split(path, settings.data, seed=0)
    return run_training(dataset, split, settings, output=folder / "multilabel.emoclf")


def test_predictions_are_lists_of_labels(run: TrainingRun) -> None:
    assert run.path is not None
    predicted = Predictor.load(run.path).predict(NEW)
    assert predicted == [("joy",), ("anger", "fear"), ()]
    probabilities = run.trained.predictor.predict_proba(NEW)
    assert (np.abs(probabilities.sum(1) - 1) > 0.05).any()


def test_metrics_are_those_of_multilabel_texts(run: TrainingRun) -> None:
    table = "\n".join(run.report.lines())
    assert "micro-F1" in table
    assert run.report.network.n == len(run.split.test or ())
    assert run.report.network.macro_f1 > 0.9


def test_thresholds_are_chosen_for_each_label_and_saved(run: TrainingRun) -> None:
    assert run.path is not None
    ours, loaded = run.trained.predictor, Predictor.load(run.path)
    np.testing.assert_array_equal(ours.thresholds, loaded.thresholds)
    truth = run.trained.prepared.valid.targets
    probabilities = ours.predict_proba(run.split.valid.texts)
    # They decide as those of the logits that the temperature has not divided.
    temperature = run.trained.bundle.metrics["temperature"]
    before = at_temperature(probabilities, 1 / temperature, multilabel=True)
    chosen = choose_thresholds(before, truth)
    expected = at_temperature(chosen[None], temperature, multilabel=True)[0]
    np.testing.assert_allclose(ours.thresholds, expected, rtol=1e-4)
    assert len(set(ours.thresholds)) == 3


def test_average_precision_is_that_of_scikit_learn(run: TrainingRun) -> None:
    test = run.split.test
    assert test is not None
    probabilities = run.trained.predictor.predict_proba(test.texts)
    evaluation = run.report.network
    expected = average_precision_score(test.label_ids, probabilities, average=None)
    for metrics, value in zip(evaluation.per_class, expected, strict=True):
        np.testing.assert_allclose(metrics.average_precision, value)
    np.testing.assert_allclose(evaluation.average_precision, expected.mean())
    assert "average precision" in "\n".join(run.report.lines())


def test_an_export_predicts_the_same(run: TrainingRun, tmp_path: Path) -> None:
    path = export_saved_model(run.trained.predictor, tmp_path / "served")
    served, predictor = load_exported(path), run.trained.predictor
    np.testing.assert_allclose(
        served.predict_proba(NEW), predictor.predict_proba(NEW), atol=1e-6
    )
    assert served.predict(NEW) == predictor.predict(NEW)


def test_a_column_for_each_label_from_training_to_evaluation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        f"it was {word} {place}\t{int(label != 'joy')}\t{int(label == 'joy')}"
        for label in ("anger", "joy")
        for word in WORDS[label]
        for place in PLACES
    ]
    data, model = tmp_path / "2018-E-c.txt.tsv", str(tmp_path / "saved.emoclf")
    data.write_text("\n".join(["Tweet\tanger\tjoy", *rows]) + "\n")
    options = ["--label-columns", "anger,joy", "--epochs", "1", "--filters", "2"]
    assert main(["train", str(data), "-o", model, *options]) == 0
    assert "Exactly one label applies to each text" in capsys.readouterr().err
    assert main(["evaluate", model, str(data)]) == 0
    assert "micro-F1" in capsys.readouterr().out
    other = tmp_path / "one.csv"
    other.write_text("text,label\nso unfair,anger\nlovely,joy\n")
    command = ["evaluate", model, str(other), "--label-column", "label"]
    assert main(command) == 1
    assert "has one label for each text" in capsys.readouterr().err
    assert main([*command, "--label-separator", "|"]) == 0


def test_two_classes_may_have_a_sigmoid_each(tmp_path: Path) -> None:
    rows = [
        f"it was {word} {place}\t{label}"
        for label in ("anger", "joy")
        for word in WORDS[label]
        for place in PLACES
    ]
    path = tmp_path / "two.tsv"
    path.write_text("\n".join(["text\tlabel", *rows]) + "\n")
    settings = tiny_settings(label_separator="|", epochs=12, test_fraction=0)
    dataset, split = read_split(path, settings.data, seed=0)
    run = run_training(dataset, split, settings)
    model = run.trained.bundle.model
    assert model.get_layer("probabilities").activation.__name__ == "sigmoid"
    assert run.trained.predictor.predict(["lovely", "an unfair insult"]) == [
        ("joy",),
        ("anger",),
    ]
