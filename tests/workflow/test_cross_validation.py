"""Cross-validation: each text is predicted once, by a network that has not seen it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_rel
from tiny import tiny_dataset, tiny_settings

from emoclf import DataError, Dataset, SettingsError, cross_validate
from emoclf.cli import main
from emoclf.evaluation import evaluate as evaluation
from emoclf.evaluation.metrics import evaluate
from emoclf.workflow.cross_validation import CrossValidation

SVM = "TF-IDF + linear SVM"


@pytest.fixture(scope="module")
def result() -> CrossValidation:
    return cross_validate(tiny_dataset(), tiny_settings(), folds=3)


@pytest.mark.slow
def test_every_text_is_predicted_once(result: CrossValidation) -> None:
    data = tiny_dataset()
    assert [fold[0].n for fold in result.evaluations] == [20, 20, 20]
    assert result.names() == ["text_cnn", "majority class", SVM]
    assert result.pooled.n == 60
    predictions = result.pooled.predictions
    assert predictions is not None
    assert predictions.texts == data.texts
    np.testing.assert_allclose(predictions.probabilities.sum(1), 1, atol=1e-5)
    right = sum(fold[0].accuracy * fold[0].n for fold in result.evaluations)
    assert right == pytest.approx(result.pooled.accuracy * 60)
    assert result.pooled.accuracy > 0.6
    frame = result.to_frame()
    assert len(frame) == 9
    assert set(frame["fold"]) == {1, 2, 3}
    lines = result.lines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("In 3 folds the network") for line in lines)
    json.dumps(result.to_dict())


@pytest.mark.slow
@pytest.mark.parametrize("refit", [False, True])
def test_no_network_has_seen_its_fold(refit: bool) -> None:
    """Labels that are drawn at random are not predicted better than by chance."""
    data = tiny_dataset()
    texts = [f"word{number} other{number}" for number in range(len(data))]
    random = Dataset.from_lists(texts, data.labels)
    found = cross_validate(random, tiny_settings(epochs=8), folds=2, refit=refit)
    assert found.pooled.accuracy < 0.55


@pytest.mark.slow
def test_networks_and_baselines_are_fitted_again_on_all_of_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fitted: list[int] = []
    fit = evaluation.fit_baselines
    monkeypatch.setattr(
        evaluation,
        "fit_baselines",
        lambda inputs, labels: (fitted.append(len(labels)), fit(inputs, labels))[1],
    )
    found = cross_validate(tiny_dataset(), tiny_settings(), folds=3, refit=True)
    assert found.train_ratio == 2.0
    assert fitted == [40, 40, 40]
    assert found.pooled.accuracy > 0.6


@pytest.mark.slow
def test_multilabel_and_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tiny_dataset()
    pairs = enumerate(zip(data.texts, data.labels, strict=True))
    rows = [f"{t},{x};any" if i % 2 else f"{t},{x}" for i, (t, x) in pairs]
    path = tmp_path / "data.csv"
    path.write_text("\n".join(["text,label", *rows]))
    options = (
        "--folds 2 --filters 4 --dim 8 --no-ngrams --epochs 2 --batch-size 8 --refit"
    )
    command = ["crossval", str(path), "--label-separator", ";", *options.split()]
    command += ["-o", str(tmp_path / "folds")]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "micro-F1" in printed
    # Shown again from the finished folds.
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["folds"]) == 2
    assert found["pooled"]["n"] == 60
    assert found["comparison"]["baseline"] in printed


def made(ours: list[float], theirs: list[float]) -> CrossValidation:
    truth = np.array([0, 1])
    blank = evaluate(truth, truth, "ab", name="x", part="test", draws=2)

    def one(name: str, macro_f1: float) -> Any:
        return replace(blank, name=name, macro_f1=macro_f1)

    folds = tuple(
        (one("text_cnn", a), one("majority class", 0.1), one(SVM, b))
        for a, b in zip(ours, theirs, strict=True)
    )
    return CrossValidation(folds, blank, train_ratio=4.0)


def test_the_interval_is_wider_than_that_of_independent_folds() -> None:
    ours, theirs = [0.61, 0.66, 0.64, 0.63, 0.65], [0.60, 0.63, 0.60, 0.62, 0.61]
    baseline, gain, low, high = made(ours, theirs).difference()
    assert baseline == SVM
    plain = ttest_rel(ours, theirs).confidence_interval()
    assert gain == pytest.approx(np.mean(np.subtract(ours, theirs)))
    # sqrt(1/5 + 1/4) in place of sqrt(1/5).
    assert high - low == pytest.approx((plain.high - plain.low) * 1.5)


@pytest.mark.parametrize(
    ("shift", "words"),
    [(0.2, "is better than"), (-0.2, "is worse than"), (0.0, "cannot be told apart")],
)
def test_the_verdict(shift: float, words: str) -> None:
    theirs = [0.50, 0.52, 0.51]
    ours = [x + shift + d for x, d in zip(theirs, (0.01, -0.01, 0.0), strict=True)]
    assert words in made(ours, theirs).verdict()


def test_folds_without_a_label_are_told() -> None:
    found = made([0.6, 0.7], [0.5, 0.5])
    assert "no text has" not in " ".join(found.lines())
    zeros = np.array([0, 0])
    alone = evaluate(zeros, zeros, "ab", name="text_cnn", part="test", draws=2)
    first, second = found.evaluations
    lines = replace(found, evaluations=((alone, *first[1:]), second)).lines()
    assert (
        "In 1 of them no text has some label, such as 'b': their macro-F1 is"
        in " ".join(lines)
    )


def test_wrong_calls() -> None:
    with pytest.raises(SettingsError, match="at least 2 folds"):
        cross_validate(tiny_dataset(), tiny_settings(), folds=1)
    parts = replace(tiny_dataset(), parts=("train",) * 60)
    with pytest.raises(SettingsError, match="makes folds of all"):
        cross_validate(parts, tiny_settings())
    with pytest.raises(DataError):
        cross_validate(tiny_dataset()[:4], tiny_settings(), folds=30)
