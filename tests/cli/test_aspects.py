"""``emoclf aspects``: train, predict, evaluate."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tiny_aspects import tiny_aspects, tiny_model

from emoclf.aspects.aspect_model import AspectModel
from emoclf.aspects.data.aspect_formats import write_aspects
from emoclf.aspects.exports import exported_aspects
from emoclf.cli import main

#: They share a model, whose training takes some seconds.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model().save(tmp_path_factory.mktemp("cli") / "tiny.aspects")


load_once = cache(exported_aspects.load_aspect_predictor)


@pytest.fixture
def loaded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the model, which is loaded and traced once for all tests."""
    monkeypatch.setattr(exported_aspects, "load_aspect_predictor", load_once)
    return folder


def test_train_prints_scores_beside_baselines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_aspects(tiny_aspects(), tmp_path / "terms.xml")
    target = tmp_path / "trained.aspects"
    options = "--vectors none --dim 8 --epochs 2 --near-duplicates 1 --units 4 --quiet"
    options += " --network cnn --members 1"
    page = tmp_path / "report.html"
    argv = ["aspects", "train", str(data), "-o", str(target), *options.split()]
    assert main([*argv, "--report", str(page), "--test-fraction", "0"]) == 1
    assert "--report shows the scores on a test set" in capsys.readouterr().err
    assert main([*argv, "--report", str(page)]) == 0
    out = capsys.readouterr().out
    for words in ("terms, dictionary: F1", "  polarity, majority class", "Test set:"):
        assert words in out
    shown = out[out.index("Test set:") :]
    assert "terms, dictionary of the training terms: F1" in shown
    assert "\npolarity, majority class: accuracy" in shown
    assert f"Report: {page}" in shown
    html = page.read_text(encoding="utf-8")
    assert "Aspect terms of terms.xml" in html
    assert 'id="mistakes"' in html
    assert str(tmp_path) not in html
    test = json.loads((target / "figures.json").read_text())["test"]
    assert test["baselines"]["terms"]["n_gold"] == test["model"]["terms"]["n_gold"] > 0
    assert "polarity of" in out
    assert (target / "aspects.json").is_file()
    assert main(argv) == 1
    assert "--overwrite" in capsys.readouterr().err


def test_train_with_a_test_file_and_without_any(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # What is trained is tested above: here a trained model is taken.
    given: list[int] = []

    def train(data: Any, **_: Any) -> AspectModel:
        given.append(len(data))
        return AspectModel.load(folder)

    monkeypatch.setattr(AspectModel, "train", train)
    data = write_aspects(tiny_aspects(), tmp_path / "terms.xml")
    argv = ["aspects", "train", str(data), "-o", str(tmp_path / "trained.aspects")]
    argv += ["--near-duplicates", "1", "--json", "--overwrite"]
    assert main([*argv, "--test", str(data)]) == 0
    captured = capsys.readouterr()
    assert "80 of 80 sentences of" in captured.err
    assert json.loads(captured.out)["test"]["terms"]["n_gold"] == 80
    assert main([*argv, "--test-fraction", "0"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["test"] == {}
    assert "network" in shown["validation"]["polarity"]
    assert given == [80, 80]


def test_an_encoder_that_would_be_ignored_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(write_aspects(tiny_aspects(), tmp_path / "terms.xml"))
    target = tmp_path / "trained.aspects"
    argv = ["aspects", "train", data, "-o", str(target), "--encoder", "somewhere"]
    assert main([*argv, "--no-learn-polarity"]) == 1
    assert "none is trained on" in capsys.readouterr().err
    for command in ("evaluate", "predict"):
        argv = ["aspects", command, str(folder), data, "--encoder", "somewhere"]
        assert main(argv) == 1
        assert "Leave it out" in capsys.readouterr().err
    assert not target.exists()


def test_predict_and_summary(
    loaded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "reviews.txt"
    source.write_text("the screen is great\nnothing\nthe bill is awful\n")
    assert main(["aspects", "predict", str(loaded), str(source)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("screen (positive ")
    assert lines[1] == ""
    assert main(["aspects", "predict", str(loaded), str(source), "--json"]) == 0
    rows = list(map(json.loads, capsys.readouterr().out.splitlines()))
    assert [row["terms"] for row in rows] == [["screen"], [], ["bill"]]
    assert main(["aspects", "predict", str(loaded), str(source), "--summary"]) == 0
    assert "2 terms in 3 texts" in capsys.readouterr().out
    target = tmp_path / "out.csv"
    argv = ["aspects", "predict", str(loaded), str(source), "-o", str(target)]
    assert main(argv) == 0
    assert "Found 2 terms in 3 texts" in capsys.readouterr().err
    assert len(target.read_text().splitlines()) == 4
    assert main([*argv, "--summary"]) == 1
    assert "--summary are for standard output" in capsys.readouterr().err


def test_evaluate(
    loaded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_aspects(tiny_aspects(), tmp_path / "terms.jsonl")
    assert main(["aspects", "evaluate", str(loaded), str(data)]) == 0
    out = capsys.readouterr().out
    assert "80 sentences, 80 terms" in out
    assert "polarity of 80 true terms: accuracy" in out
    assert "terms with the right polarity: precision" in out
    assert "polarity  precision  recall" in out
    assert "as negative" in out
    # JSON, and a page beside it.
    page = tmp_path / "report.html"
    argv = ["aspects", "evaluate", str(loaded), str(data), "--report", str(page)]
    assert main([*argv, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["terms"]["f1"] > 0.95
    html = page.read_text(encoding="utf-8")
    assert "tiny.aspects" in html
    assert str(tmp_path) not in html
    before = page.read_bytes()
    assert main(argv) == 1
    assert "exists already" in capsys.readouterr().err
    assert page.read_bytes() == before


def test_a_plot_of_the_summary(
    loaded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "reviews.txt"
    source.write_text("the screen is great\nnothing\nthe bill is awful\n")
    plot, target = tmp_path / "terms.svg", tmp_path / "out.csv"
    argv = ["aspects", "predict", str(loaded), str(source), "--summary-plot", str(plot)]
    assert main([*argv, "-o", str(target)]) == 0
    assert f"Plot: {plot}" in capsys.readouterr().err
    assert plot.read_text(encoding="utf-8").rstrip().endswith("</svg>")
    assert len(target.read_text().splitlines()) == 4
    before = plot.read_bytes()
    # Before any work: nothing is read or written.
    assert main([*argv, "-o", str(tmp_path / "no.csv")]) == 1
    assert "terms.svg exists already" in capsys.readouterr().err
    assert not (tmp_path / "no.csv").exists()
    assert plot.read_bytes() == before
    png = [*argv[:-1], str(tmp_path / "terms.png")]
    assert main([*png, "--summary"]) == 0
    assert "2 terms in 3 texts" in capsys.readouterr().out
    assert (tmp_path / "terms.png").read_bytes().startswith(b"\x89PNG")
    assert main([*argv[:-1], str(tmp_path / "terms.doc")]) == 1
    assert "must end in .svg, .png, .pdf" in capsys.readouterr().err


def test_no_plot_of_no_terms(
    loaded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "reviews.txt", tmp_path / "out.jsonl"
    source.write_text("nothing\n")
    plot = tmp_path / "terms.svg"
    argv = ["aspects", "predict", str(loaded), str(source), "--summary-plot", str(plot)]
    assert main([*argv, "-o", str(target)]) == 1
    error = capsys.readouterr().err
    assert "terms.svg was not written: no terms were found in 1 text. " in error
    assert "out.jsonl is complete." in error
    assert not plot.exists()
    assert len(target.read_text().splitlines()) == 1


def test_the_export_of_classifiers_names_the_one_of_aspects(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out"
    argv = ["export", str(folder), "--to", "folded", "-o", str(target)]
    assert main(argv) == 1
    error = capsys.readouterr().err
    assert (
        "tiny.aspects is an aspect model, not a bundle: 'emoclf aspects export' and "
        "AspectModel.load take it." in error
    )
    assert not target.exists()


def test_a_wrong_folder_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["aspects", "predict", str(tmp_path / "no"), "-"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "emoclf aspects train" in error


def test_values_out_of_range(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for value in ("nan", "1.5", "-0.1"):
        argv = ["aspects", "train", "x.xml", "-o", str(tmp_path / "m")]
        assert main([*argv, f"--test-fraction={value}"]) == 1
        assert "--test-fraction must be from 0 to 0.9" in capsys.readouterr().err
    assert main(["aspects", "predict", str(folder), "x", "--summary", "--top=-1"]) == 1
    assert "--top must be at least 1" in capsys.readouterr().err
