"""Several labels per text, from a file to figures and an export."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from tiny import PLACES, WORDS, tiny_settings

from emoclf.export.saved_model import export_saved_model
from emoclf.predictor import Predictor
from emoclf.serving import load_exported
from emoclf.training.thresholds import choose_thresholds
from emoclf.workflow.training_run import TrainingRun, read_split, run_training

NEW = ["a lovely gift", "trembling and furious", "it was by the river"]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    folder = tmp_path_factory.mktemp("several labels")
    rows = []
    for (a, b), place in itertools.product(
        itertools.combinations_with_replacement(WORDS, 2), PLACES
    ):
        for one, other in zip(WORDS[a], WORDS[b], strict=True):
            labels = "|".join(sorted({a, b}))
            rows.append(f"it was {one} and {other} {place}\t{labels}")
    # A separator alone: none of the labels applies.
    rows += [f"it was {place}\t|" for place in PLACES]
    path = folder / "several.tsv"
    path.write_text("\n".join(["text\tlabels", *rows]) + "\n")
    settings = tiny_settings(label_separator="|", epochs=20)
    dataset, split = read_split(path, settings.data, seed=0)
    return run_training(dataset, split, settings, output=folder / "several.emoclf")


def test_answers_are_lists_of_labels(job: TrainingRun) -> None:
    assert job.path is not None
    found = Predictor.load(job.path).predict(NEW)
    assert found == [("joy",), ("anger", "fear"), ()]
    chances = job.trained.predictor.predict_proba(NEW)
    assert (np.abs(chances.sum(1) - 1) > 0.05).any()


def test_figures_are_those_of_several_labels(job: TrainingRun) -> None:
    table = "\n".join(job.report.lines())
    assert "micro-F1" in table
    assert job.report.network.n == len(job.split.test or ())
    assert job.report.network.macro_f1 > 0.9


def test_thresholds_are_chosen_for_each_label_and_travel(job: TrainingRun) -> None:
    assert job.path is not None
    ours, loaded = job.trained.predictor, Predictor.load(job.path)
    np.testing.assert_array_equal(ours.thresholds, loaded.thresholds)
    truth = job.trained.prepared.valid.targets
    chances = ours.predict_proba(job.split.valid.texts)
    np.testing.assert_allclose(ours.thresholds, choose_thresholds(chances, truth))
    assert len(set(ours.thresholds)) == 3


def test_average_precision_is_that_of_scikit_learn(job: TrainingRun) -> None:
    test = job.split.test
    assert test is not None
    chances = job.trained.predictor.predict_proba(test.texts)
    found = job.report.network
    expected = average_precision_score(test.label_ids, chances, average=None)
    for metrics, value in zip(found.per_class, expected, strict=True):
        np.testing.assert_allclose(metrics.average_precision, value)
    np.testing.assert_allclose(found.average_precision, expected.mean())
    assert "avg precision" in "\n".join(job.report.lines())


def test_an_export_answers_the_same(job: TrainingRun, tmp_path: Path) -> None:
    path = export_saved_model(job.trained.predictor, tmp_path / "served")
    served, predictor = load_exported(path), job.trained.predictor
    np.testing.assert_allclose(
        served.predict_proba(NEW), predictor.predict_proba(NEW), atol=1e-6
    )
    assert served.predict(NEW) == predictor.predict(NEW)


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
    job = run_training(dataset, split, settings)
    model = job.trained.bundle.model
    assert model.get_layer("probabilities").activation.__name__ == "sigmoid"
    assert job.trained.predictor.predict(["lovely", "an unfair insult"]) == [
        ("joy",),
        ("anger",),
    ]
