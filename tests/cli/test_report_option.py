"""``--report`` on the commands that have results: pages, refusals, and what is safe."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny import tiny_dataset, tiny_trained
from warm_process import run

from emoclf.bundle.bundle import Bundle
from emoclf.bundle.bundle_folder import save_bundle
from emoclf.cli import main, report_option
from emoclf.predictor import Predictor

pytest.importorskip("jinja2")
pytestmark = pytest.mark.slow

SMALL = (
    "--filters=4 --kernel-sizes=1,2 --dim=8 --no-ngrams --epochs=3 --batch-size=8 "
    "--learning-rate=0.02 --near-duplicates=1 --quiet"
).split()


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    data = tiny_dataset()
    rows = [f"{text},{label}" for text, label in data]
    path.write_text("\n".join(["text,label", *rows]) + "\n")
    return path


def test_train_writes_a_page_with_all_its_sections(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, bundle = tmp_path / "report.html", tmp_path / "tiny.emoclf"
    done = run("-m", "emoclf", "train", csv, "-o", bundle, "--report", page, *SMALL)
    assert done.returncode == 0, done.stderr
    assert f"Report: {page}" in done.stdout
    assert "Probabilities are scaled by a temperature of" in done.stdout
    html = page.read_text(encoding="utf-8")
    ids = ("summary", "scores", "mistakes", "curves", "training", "data", "settings")
    places = [html.index(f'<section id="{name}"') for name in ids]
    assert places == sorted(places)
    assert "text_cnn on data.csv" in html
    assert "kernel_sizes = [" in html
    assert "Probabilities are scaled by a temperature of" in html
    assert "length in words" in html
    assert str(tmp_path) not in html
    # Before any work: nothing of an old run is touched.
    before = page.read_bytes()
    args = ["train", str(csv), "-o", str(tmp_path / "b"), "--report", str(page)]
    assert main(args) == 1
    error = capsys.readouterr().err
    assert "report.html exists already" in error
    assert "--overwrite" in error
    assert not (tmp_path / "b").exists()
    assert page.read_bytes() == before


def test_evaluate_writes_a_page_with_the_settings_of_the_model(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tiny_trained().predictor.save(tmp_path / "tiny.emoclf")
    page = tmp_path / "report.html"
    args = ["evaluate", str(bundle), str(csv), "--report", str(page), "--json"]
    assert main(args) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 60
    html = page.read_text(encoding="utf-8")
    assert "text_cnn on data.csv" in html
    assert "kernel_sizes = [" in html
    assert "tiny.emoclf" in html
    assert main(args) == 1
    assert "exists already" in capsys.readouterr().err
    assert main([*args, "--overwrite"]) == 0


def test_the_page_of_two_classifiers_compares_them(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = tiny_trained()
    good = trained.predictor.save(tmp_path / "good.emoclf")
    bad = save_bundle(_untrained(trained.bundle), tmp_path / "bad.emoclf")
    page = tmp_path / "report.html"
    args = ["evaluate", str(good), str(csv), "--against", str(bad)]
    assert main([*args, "--report", str(page), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    html = page.read_text(encoding="utf-8")
    (main_one,) = (x for x in found["comparisons"] if x["metric"] == "macro_f1")
    assert main_one["low"] > 0
    points = f"{100 * main_one['difference']:+.1f} points of macro-F1"
    words = "good.emoclf is better than bad.emoclf on the same 60 texts:"
    assert f"{words} {points}" in html
    assert f"{found['others'][0]['macro_f1']:.3f} (" in html
    assert "by paired bootstrap" in html
    assert "best baseline" not in html
    assert str(tmp_path) not in html


def _untrained(bundle: Bundle) -> Bundle:
    """Return a classifier that predicts one label for all texts."""
    parts = bundle.to_parts()
    weights = {path: 0 * array for path, array in parts.weights.items()}
    return replace(parts, weights=weights).to_bundle()


def test_a_missing_extra_is_said_before_any_work(
    csv: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    for command in ("train", "compare", "tune"):
        folder = tmp_path / command
        args = [command, str(csv), "-o", str(folder), "--report", str(tmp_path / "x")]
        assert main(args) == 1
        assert "pip install 'emoclf[report]'" in capsys.readouterr().err
        assert not folder.exists()


def test_a_report_that_fails_says_that_the_classifier_is_complete(
    csv: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("emoclf.report.html_report.new_file", fail)
    bundle, page = tmp_path / "tiny.emoclf", tmp_path / "report.html"
    args = ["train", str(csv), "-o", str(bundle), "--report", str(page), *SMALL]
    assert main(args) == 1
    said = capsys.readouterr()
    assert "The report" in said.err
    assert "No space left on device" in said.err
    assert f"{bundle} is complete." in said.err
    assert f"Saved: {bundle}" in said.out
    assert Predictor.load(bundle).label_names == ("anger", "fear", "joy")
    assert not page.exists()


def test_compare_writes_a_short_page(csv: Path, tmp_path: Path) -> None:
    page = tmp_path / "compared.html"
    where = ("-o", tmp_path / "compared", "--seeds", 1, "--report", page)
    done = run("-m", "emoclf", "compare", csv, *where, *SMALL)
    assert done.returncode == 0, done.stderr
    assert "mean ± standard deviation over seeds" in page.read_text(encoding="utf-8")


def test_without_the_option_nothing_is_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from argparse import Namespace

    report_option.write(Namespace(report=None, json=False), None)
    assert capsys.readouterr().out == ""
