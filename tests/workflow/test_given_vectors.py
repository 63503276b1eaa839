"""Networks on vectors from elsewhere: training, bundle, evaluation, commands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tiny import tiny_split

import emoclf
from emoclf.cli import main
from emoclf.datasets.dataset import Dataset
from emoclf.errors import (
    DataError,
    ModelError,
    ResumeError,
    SearchError,
    SettingsError,
)
from emoclf.predictor import Predictor
from emoclf.settings import RunSettings
from emoclf.workflow.automatic_settings import resolve
from emoclf.workflow.trained_classifier import TrainedClassifier

SETTINGS = {"filters": 8, "kernel_sizes": (1, 2), "epochs": 15, "learning_rate": 0.02}


def samples(n: int, seed: int = 0) -> tuple[list[np.ndarray], list[str]]:
    """Return vectors whose mean depends on their label."""
    rng = np.random.default_rng(seed)
    labels = ["anger", "joy"] * (n // 2)
    return [
        rng.normal(1 if label == "joy" else -1, 1.0, (rng.integers(1, 6), 4))
        for label in labels
    ], labels


def dataset(n: int = 120) -> Dataset:
    vectors, labels = samples(n)
    return Dataset.from_vectors(vectors, labels)


@pytest.fixture(scope="module")
def trained() -> TrainedClassifier:
    return emoclf.train_classifier(dataset(), **SETTINGS, ema=None, verbose=0)


def test_a_linear_layer_on_given_vectors_has_a_rate_of_its_own() -> None:
    def rate(**flat: object) -> float:
        settings = RunSettings.from_flat(architecture="sentence_head", **flat)
        return resolve(settings, dataset(4)).training.rate

    assert rate() == 0.003
    assert rate(optimizer="sgd") == 0.1
    assert rate(learning_rate=0.002) == 0.002
    assert resolve(RunSettings(), dataset(4)).training.learning_rate is None


@pytest.mark.slow
def test_train_evaluate_save(trained: TrainedClassifier, tmp_path: Path) -> None:
    report = trained.evaluate()
    assert report.network.accuracy > 0.85
    names = {evaluation.name for evaluation in report.evaluations}
    assert names == {"text_cnn", "majority class", "mean vector + linear SVM"}
    path = trained.save(tmp_path / "a.emoclf")
    loaded = Predictor.load(path)
    vectors, labels = samples(30, seed=1)
    probabilities = loaded.predict_proba(vectors)
    np.testing.assert_array_equal(probabilities, trained.predict_proba(vectors))
    assert np.mean([a == b for a, b in zip(loaded.predict(vectors), labels)]) > 0.8  # noqa: B905
    alone = np.concatenate([loaded.predict_proba([rows]) for rows in vectors])
    np.testing.assert_allclose(alone, probabilities, atol=1e-6)
    withheld = [label is None for label in loaded.predict(vectors, abstain_below=0.9)]
    assert withheld == (probabilities.max(1) < 0.9).tolist()
    assert loaded.predict(vectors, abstain_below=0.0) == loaded.predict(vectors)
    assert [label is None for label in trained.predict(vectors, abstain_below=0.9)] \
        == withheld  # fmt: skip
    assert trained.architecture == "text_cnn"
    padded = np.zeros((30, 9, 4), np.float32)
    for rows, given in zip(padded, vectors, strict=True):
        rows[: len(given)] = given
    np.testing.assert_allclose(loaded.predict_proba(padded), probabilities, atol=1e-6)
    again = emoclf.evaluate_classifier(loaded, Dataset.from_vectors(vectors, labels))
    assert again.evaluations[0].n == 30


@pytest.mark.slow
def test_what_needs_words(trained: TrainedClassifier) -> None:
    assert trained.predict_proba(np.zeros((0, 3, 4))).shape == (0, 2)
    assert not {"texts-unknown", "texts-cut"} & {
        x.name for x in trained.result.findings
    }
    assert not any("word vectors" in line for line in trained.evaluate().lines())
    with pytest.raises(DataError, match="drift is measured on words"):
        emoclf.check_drift(trained.predictor, ["a text"])
    with pytest.raises(DataError, match="there is nothing to audit"):
        emoclf.audit_dataset(dataset())


@pytest.mark.slow
def test_folds_of_other_vectors_are_not_continued(tmp_path: Path) -> None:
    vectors, labels = samples(40)
    flat = {"architecture": "mean_embedding", "epochs": 1, "folds": 2}
    data = Dataset.from_vectors(vectors, labels)
    emoclf.cross_validate(data, folder=tmp_path / "folds", **flat)
    other = Dataset.from_vectors([2 * rows for rows in vectors], labels)
    with pytest.raises(ResumeError, match="texts differ"):
        emoclf.cross_validate(other, folder=tmp_path / "folds", **flat)


@pytest.mark.slow
def test_wrong_inputs(trained: TrainedClassifier, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="takes precomputed vectors instead of"):
        trained.predict(["a text"])
    with pytest.raises(DataError, match="have 5 dimensions, and those of the"):
        trained.predict([np.ones((2, 5))])
    with pytest.raises(SettingsError, match="counts n-grams"):
        emoclf.train_classifier(dataset(), ngrams=True, verbose=0)
    with pytest.raises(SettingsError, match="contains vectors of its own"):
        emoclf.train_classifier(dataset(), encoder="some/encoder", verbose=0)
    with pytest.raises(SearchError, match="contains vectors from elsewhere"):
        emoclf.search_settings(dataset(), folder=tmp_path / "a.search")
    words = emoclf.train_classifier(tiny_split(), epochs=1, dim=3, verbose=0)
    with pytest.raises(DataError, match="without their texts"):
        words.predictor.predict_dataset(dataset())
    with pytest.raises(DataError, match="This classifier reads texts"):
        words.predict([np.ones((2, 5))])


@pytest.mark.slow
def test_estimator() -> None:
    vectors, labels = samples(80)
    flat = {name: value for name, value in SETTINGS.items() if name != "ema"}
    estimator = emoclf.EmotionClassifier(**flat, random_state=0)
    estimator.fit(vectors, labels)
    assert estimator.score(*samples(40, seed=2)) > 0.8
    assert estimator.predict_proba(vectors[:3]).shape == (3, 2)


@pytest.mark.slow
def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vectors, labels = samples(120)
    padded = np.zeros((120, 6, 4), np.float32)
    for rows, given in zip(padded, vectors, strict=True):
        rows[: len(given)] = given
    data, bundle = tmp_path / "data.npz", str(tmp_path / "a.emoclf")
    np.savez(data, vectors=padded, label=np.array(labels))
    arguments = ["--epochs", "8", "--learning-rate", "0.02", "--ema", "none"]
    assert main(["train", str(data), "-o", bundle, *arguments]) == 0
    assert "mean vector + linear SVM" in capsys.readouterr().out
    assert main(["evaluate", bundle, str(data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] > 0.8
    new = tmp_path / "new.npy"
    np.save(new, padded[:7])
    output = tmp_path / "out.jsonl"
    assert main(["predict", bundle, str(new), "-o", str(output)]) == 0
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["text"] for row in rows[:2]] == ["sample 1", "sample 2"]
    expected = Predictor.load(bundle).predict_proba(padded[:7])
    found = [row["probabilities"]["anger"] for row in rows]
    np.testing.assert_allclose(found, expected[:, 0], atol=1e-6)
