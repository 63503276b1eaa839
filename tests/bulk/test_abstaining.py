"""Withheld labels; ``emoclf.classifier`` and the road of ``emoclf predict``."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
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
    reasons = classifier.withheld(TEXTS, classifier.predict_proba(TEXTS), between)
    unsure = [None if label else "unsure" for label in expected[:2]]
    assert reasons == [*unsure, "no known word", "no known word"]


def test_wrong_values() -> None:
    predictor = tiny_trained().predictor
    for wrong in (1.5, -0.1, "0.5", float("nan")):
        with pytest.raises(SettingsError, match="must be a probability"):
            predictor.predict(TEXTS, abstain_below=wrong)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="train with higher thresholds"):
        random_predictor(multilabel=True).predict(TEXTS, abstain_below=0.5)


@pytest.mark.parametrize("to", ["saved-model", "onnx"])
def test_other_exports_know_their_words_too(
    tiny_export: Callable[[str], Path], to: str
) -> None:
    exported = load_exported(tiny_export(to))
    texts = [TEXTS[0], "xyzzyplugh", ""]
    assert exported.predict(texts, abstain_below=0.0) == ["joy", None, None]


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_files_keep_the_probabilities_and_say_why(tmp_path: Path, ending: str) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / f"out.{ending}"
    source.write_text("".join(json.dumps({"text": t}) + "\n" for t in TEXTS[:3]))
    workers = 2 if ending == "csv" else 1
    folded = tiny_folded(tmp_path)
    classifier = load_exported(folded)
    surest = classifier.predict_proba(TEXTS[:2]).max(1)
    options = {"abstain_below": float(surest.mean()), "workers": workers}
    summary = predict_file(folded, source, output, **options)
    assert (*summary, summary.withheld) == (3, 0, 2)
    rows = read_rows(output)
    columns = "probabilities" if ending == "jsonl" else "probability_joy"
    assert list(rows[0])[:3] == ["text", "label", "withheld"]
    assert all(row[columns] for row in rows)
    for row, label, p in zip(rows, classifier.predict(TEXTS[:2]), surest, strict=False):
        sure = p >= surest.mean()
        assert row["label"] == (label if sure else None)
        assert row["withheld"] == (None if sure else "unsure")
    assert (rows[2]["label"], rows[2]["withheld"]) == (None, "no known word")
    # A file of predictions is predicted again.
    again = tmp_path / f"again.{ending}"
    predict_file(folded, output, again, **options)
    assert read_rows(again)[2]["predicted_withheld"] == "no known word"
    # Without the option there is no such column.
    predict_file(folded, source, output, overwrite=True)
    assert "withheld" not in read_rows(output)[0]


def read_rows(path: Path) -> list[dict[str, object]]:
    """Return the rows of a file, with None for empty cells."""
    if path.suffix == ".parquet":
        import pandas as pd

        frame = pd.read_parquet(path)
        rows = frame.astype(object).where(frame.notna(), None)
        return rows.to_dict("records")
    lines = path.read_text().splitlines()
    if path.suffix == ".jsonl":
        return list(map(json.loads, lines))
    delimiter = "," if path.suffix == ".csv" else "\t"
    rows = csv.DictReader(lines, delimiter=delimiter)
    return [{name: cell or None for name, cell in row.items()} for row in rows]


def test_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture, caplog: pytest.LogCaptureFixture
) -> None:
    folded = str(tiny_folded(tmp_path))
    texts = ["--text", TEXTS[0], "--text", TEXTS[2]]
    assert main(["predict", folded, *texts, "--abstain-below", "0.01"]) == 0
    printed = capsys.readouterr()
    cells = [line.split("\t") for line in printed.out.splitlines()]
    assert [(row[0], row[2:]) for row in cells] == [
        ("joy", []),
        ("", ["no known word"]),
    ]
    assert "1 label withheld" in printed.err + caplog.text
    assert main(["predict", folded, *texts, "--abstain-below", "2"]) == 1
