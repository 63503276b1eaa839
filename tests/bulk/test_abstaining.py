"""Withheld labels; ``emoclf.classifier`` and the road of ``emoclf predict``."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from networks import untrained
from random_networks import random_predictor
from tiny import tiny_folded, tiny_trained

from emoclf import SettingsError, load_exported
from emoclf.bulk.file_prediction import predict_file
from emoclf.classifier import Classifier
from emoclf.cli import main

pytestmark = pytest.mark.slow
TEXTS = ["it was lovely at home", "it was dark by the river", "xyzzy plugh", ""]


@pytest.fixture(params=["bundle", "folded"])
def classifier(request: pytest.FixtureRequest, tmp_path: Path) -> Classifier:
    if request.param == "bundle":
        return tiny_trained().predictor
    return load_exported(tiny_folded(tmp_path))


def test_labels_below_and_texts_without_known_words(classifier: Classifier) -> None:
    surest = classifier.predict_proba(TEXTS).max(1)
    labels = classifier.predict(TEXTS)
    between = float(np.sort(surest[:2]).mean())
    expected = [
        label if p >= between and number < 2 else None
        for number, (label, p) in enumerate(zip(labels, surest, strict=True))
    ]
    assert sorted(map(str, expected[:2])) != sorted(labels[:2])
    assert classifier.predict(TEXTS, abstain_below=between) == expected
    # Even where every probability is enough.
    assert classifier.predict(TEXTS, abstain_below=0) == [*labels[:2], None, None]
    assert classifier.predict([], abstain_below=0.5) == []


def test_wrong_values() -> None:
    predictor = tiny_trained().predictor
    for wrong in (1.5, -0.1, "0.5", float("nan")):
        with pytest.raises(SettingsError, match="must be a probability"):
            predictor.predict(TEXTS, abstain_below=wrong)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="raise the thresholds instead"):
        random_predictor(multilabel=True).predict(TEXTS, abstain_below=0.5)


@pytest.mark.parametrize("to", ["saved-model", "onnx"])
def test_other_exports_know_their_words_too(tmp_path: Path, to: str) -> None:
    from emoclf import export_classifier

    predictor = untrained("mean_embedding")
    export_classifier(predictor, tmp_path / "e", to=to)
    exported = load_exported(tmp_path / "e")
    texts = ["I was happy", "xyzzyplugh", ""]
    label, *rest = exported.predict(texts, abstain_below=0.0)
    assert (label, rest) == (predictor.predict(texts)[0], [None, None])


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_files_keep_the_probabilities(tmp_path: Path, ending: str) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / f"out.{ending}"
    source.write_text("".join(json.dumps({"text": t}) + "\n" for t in TEXTS[:3]))
    workers = 2 if ending == "csv" else 1
    folded = tiny_folded(tmp_path)
    summary = predict_file(folded, source, output, abstain_below=0.01, workers=workers)
    assert (*summary, summary.withheld) == (3, 0, 1)
    if ending == "csv":
        rows = list(csv.DictReader(output.read_text().splitlines()))
        labels = [row["label"] or None for row in rows]
        sure = [float(row["probability_joy"]) > 0 for row in rows]
    else:
        import pandas as pd

        read = pd.read_parquet if ending == "parquet" else pd.read_json
        options = {} if ending == "parquet" else {"lines": True}
        frame = read(output, **options)
        labels = [None if pd.isna(label) else label for label in frame["label"]]
        columns = "probabilities" if ending == "jsonl" else "probability_joy"
        sure = [bool(value) for value in frame[columns]]
    assert labels == [*load_exported(folded).predict(TEXTS[:2]), None]
    assert sure == [True] * 3


def test_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture, caplog: pytest.LogCaptureFixture
) -> None:
    folded = str(tiny_folded(tmp_path))
    texts = ["--text", TEXTS[0], "--text", TEXTS[2]]
    assert main(["predict", folded, *texts, "--abstain-below", "0.01"]) == 0
    printed = capsys.readouterr()
    assert [line.split("\t")[0] for line in printed.out.splitlines()] == ["joy", ""]
    assert "1 label withheld" in printed.err + caplog.text
    assert main(["predict", folded, *texts, "--abstain-below", "2"]) == 1
