"""Test files that contain training texts: counted, named, and shown apart."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import tiny_folded, tiny_split, tiny_trained

from emoclf import BundleError, Dataset, Predictor, evaluate_classifier, load_exported
from emoclf.bundle.summary import TEXT_HASHES, read_summary
from emoclf.cli import main
from emoclf.evaluation.training_overlap import training_overlap

pytestmark = pytest.mark.slow


def overlapping() -> Dataset:
    """Return new texts and, after them, two training texts."""
    train, test = tiny_split().train, tiny_split().test
    assert test is not None
    texts = [*test.texts, train.texts[0].upper(), f" {train.texts[1]}  "]
    return Dataset.from_lists(texts, [*test.labels, *train.labels[:2]])


def test_training_texts_are_counted_in_the_library(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trained, data = tiny_trained(), overlapping()
    evaluate_classifier(trained, tiny_split())
    evaluate_classifier(trained, tiny_split().test)
    assert not caplog.records
    seen = training_overlap(trained.predictor, data)
    assert seen is not None
    assert seen.tolist() == [False] * (len(data) - 2) + [True] * 2
    caplog.clear()
    report = evaluate_classifier(trained, data)
    (message,) = (record.getMessage() for record in caplog.records)
    places = f"{data.place(len(data) - 2)}, {data.place(len(data) - 1)}"
    assert message.startswith(f"2 of {len(data)} texts of ")
    assert f"({places}): scores on them are too optimistic. Leave them" in message
    assert report.verdict()[1:] == [message]


def test_the_command_counts_and_compares_them(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    bundle, file = tmp_path / "tiny.emoclf", tmp_path / "d.csv"
    tiny_trained().predictor.save(bundle)
    data = overlapping()
    data.to_frame().to_csv(file, index=False)
    assert main(["evaluate", str(bundle), str(file)]) == 0
    printed = capsys.readouterr()
    words = f"2 of {len(data)} texts of d.csv are training texts of tiny.emoclf"
    assert words in printed.err + caplog.text
    assert f"line {len(data)}, line {len(data) + 1}" in printed.err + caplog.text
    assert "training text" in printed.out
    assert main(["evaluate", str(bundle), str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["training_texts"] == 2
    groups = {
        x["value"]: x["n"] for x in found["segments"] if "training" in x["column"]
    }
    assert groups == {"yes": 2, "no": len(data) - 2}
    pytest.importorskip("jinja2")
    page = tmp_path / "page.html"
    assert main(["evaluate", str(bundle), str(file), "--report", str(page)]) == 0
    html = page.read_text("utf-8")
    assert words in html
    assert "Accuracy by training text" in html
    assert str(tmp_path) not in html
    capsys.readouterr()
    # Exports keep no hashes, and nothing is said.
    folded = str(tiny_folded(tmp_path / "f"))
    caplog.clear()
    assert main(["evaluate", folded, str(file), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["training_texts"] is None
    assert "training texts" not in printed.err + caplog.text
    assert training_overlap(load_exported(folded), data) is None


def test_nobody_has_to_read_hashes(tmp_path: Path) -> None:
    bundle = tmp_path / "tiny.emoclf"
    tiny_trained().predictor.save(bundle)
    assert TEXT_HASHES in Predictor.load(bundle).bundle.metrics
    assert TEXT_HASHES not in read_summary(bundle)["metrics"]


def test_old_and_damaged_bundles() -> None:
    bundle, data = tiny_trained().bundle, overlapping()
    old = {x: value for x, value in bundle.metrics.items() if x != TEXT_HASHES}
    assert training_overlap(Predictor(replace(bundle, metrics=old)), data) is None
    bad = Predictor(replace(bundle, metrics={**old, TEXT_HASHES: {"bytes": 4}}))
    with pytest.raises(
        BundleError, match=r"hashes .* are damaged: .* Restore its folder"
    ):
        training_overlap(bad, data)


def test_a_classifier_that_was_fitted_again_has_seen_the_validation_set() -> None:
    trained, valid = tiny_trained(), tiny_split().valid
    for classifier, share in ((trained, 0.0), (trained.refit(), 1.0)):
        seen = training_overlap(classifier.predictor, valid)
        assert seen is not None
        assert seen.mean() == share
