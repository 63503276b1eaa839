"""Fitting again on all labelled texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import tiny_dataset, tiny_settings, tiny_split, tiny_trained

from emoclf import DataError, Predictor, train_classifier
from emoclf.cli import main
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import join_parts
from emoclf.workflow import refit as refit_module

pytestmark = pytest.mark.slow


def split_with_a_word_in_the_test_set_alone() -> tuple[Dataset, ...]:
    split = tiny_split()
    assert split.test is not None
    test = replace(
        split.test, texts=tuple(f"{text} zebra" for text in split.test.texts)
    )
    return split.train, split.valid, test


def test_all_texts_are_fitted_and_the_metrics_are_those_of_the_first_fit(
    tmp_path: Path,
) -> None:
    from emoclf.datasets.split import Split

    split = Split(*split_with_a_word_in_the_test_set_alone())
    trained = train_classifier(split, settings=tiny_settings(epochs=6))
    report = trained.evaluate()
    again = trained.refit()
    vocabulary = again.bundle.encoder.vocabulary
    assert "zebra" in vocabulary
    assert "zebra" not in trained.bundle.encoder.vocabulary
    metrics = again.bundle.metrics
    epochs = trained.result.best_epoch
    assert metrics["refit"] == {"texts": 60, "epochs": epochs}
    assert metrics["table"] == report.table_lines()
    assert metrics["temperature"] == trained.bundle.metrics["temperature"]
    assert metrics["texts"]["train"] == len(split.train)
    assert again.bundle.history == trained.bundle.history
    with pytest.raises(DataError, match="without a test set"):
        again.evaluate()
    data = join_parts(*split.parts().values(), source="all")
    actual = again.predict_proba(data.texts)
    right = (actual.argmax(1) == data.label_ids).mean()
    first = (trained.predict_proba(data.texts).argmax(1) == data.label_ids).mean()
    assert right >= first
    assert "reference" not in metrics
    again.save(tmp_path / "m")
    loaded = Predictor.load(tmp_path / "m")
    np.testing.assert_array_equal(
        loaded.predict_proba(data.texts), again.predict_proba(data.texts)
    )
    card = (tmp_path / "m" / "README.md").read_text()
    assert f"on all 60 labelled texts for {epochs} epochs" in card


def test_multilabel_thresholds_are_taken_over() -> None:
    data = tiny_dataset()
    labels = [[x, "any"] if i % 2 else [x] for i, x in enumerate(data.labels)]
    several = Dataset.from_lists(data.texts, labels)
    trained = train_classifier(several, settings=tiny_settings(epochs=3))
    again = trained.refit()
    np.testing.assert_array_equal(again.thresholds, trained.thresholds)


def test_a_loaded_classifier_has_no_texts() -> None:
    with pytest.raises(DataError, match="has no split"):
        replace(tiny_trained(), split=None).refit()


def test_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_dataset().to_frame().to_csv(tmp_path / "data.csv", index=False)
    options = "--filters=8 --dim=12 --no-ngrams --epochs=3 --batch-size=8 --refit"
    output, report = tmp_path / "m", tmp_path / "r.html"
    command = ["train", str(tmp_path / "data.csv"), "-o", str(output)]
    assert main([*command, *options.split(), "--report", str(report)]) == 0
    assert "Test set" in capsys.readouterr().out
    assert "texts of the test set" in report.read_text("utf-8")
    assert Predictor.load(output).bundle.metrics["refit"]["texts"] == 60


def test_an_interrupted_refit_is_no_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = tiny_trained()

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        return replace(trained, result=replace(trained.result, ended="interrupted"))

    monkeypatch.setattr(refit_module, "fit_prepared", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trained.refit()


def test_weights_of_the_training_texts_are_not_dropped() -> None:
    split = tiny_split()
    weights = np.linspace(0.5, 1.5, len(split.train))
    trained = train_classifier(
        split, settings=tiny_settings(epochs=1), sample_weight=weights
    )
    with pytest.raises(DataError, match="sample_weight"):
        trained.refit()
