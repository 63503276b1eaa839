"""The page of a search: its plots, its trials, and the scores of the winner."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from platform import node

import pytest
from tiny_search import run, tiny_plan

from emoclf import write_report
from emoclf.evaluation.temperature import calibration_sentence
from emoclf.tuning.finish import SearchResult, read_result, read_trials
from emoclf.tuning.folder import SearchFolder

pytest.importorskip("jinja2")
pytestmark = pytest.mark.slow


#: One epoch of few filters, so that there are mistakes to explain.
PLAN = tiny_plan(
    {"filters": {"choices": [1, 2]}, "learning_rate": {"low": 0.005, "high": 0.01}},
    {"epochs": 1},
)


def check_search(result: SearchResult, page: str, folder: Path) -> None:
    """Check what the page says about the trials."""
    for title in ("Score of each trial", "Score and time", "Score by setting"):
        assert f"<h3>{title}</h3>" in page
    assert "<caption>All trials</caption>" in page
    assert f"Trial {result.choice.chosen.number} of 2 was chosen" in page
    assert f"{result.report.network.macro_f1:.3f}" in page
    assert "Confusion matrix" in page
    assert ">worker<" not in page
    assert node() not in page
    assert "learning_rate = " in page
    assert "http" not in page.replace("http-equiv", "")
    assert str(folder) not in page
    for name in ("scores", "time", "effects", "parallel"):
        drawn = getattr(result, f"plot_{name}")()
        ax = drawn[0] if name == "effects" else drawn
        assert ax.lines
        import_module("matplotlib.pyplot").close(ax.figure)


def test_the_winner_is_shown_as_a_training_is(tmp_path: Path) -> None:
    for attempt in ("fresh", "continued"):
        result = run(tmp_path / "search", PLAN, trials=2)
        report = result.report_with_texts()
        found = report.network.predictions
        assert found is not None
        assert found.texts == result.split.test.texts
        assert report.network.accuracy == found.right.mean()
        assert not found.right.all()
        page = write_report(result, tmp_path / f"{attempt}.html").read_text("utf-8")
        ids = ("mistakes", "curves", "groups", "texts", "training", "data", "settings")
        assert [name for name in ids if f'<section id="{name}"' not in page] == []
        found_ids = re.findall(r'<[a-z]+ [^>]*?\bid="([^"]+)"', page)
        assert len(found_ids) == len(set(found_ids)) > 20
        for title in ("Explained predictions", "Most confident mistakes"):
            assert title in page
        assert f"Epoch 1 of {len(result.predictor.bundle.history['loss'])}" in page
        assert calibration_sentence(result.predictor.bundle.metrics) in page
        assert "Texts are cut after 16 tokens: 0 of them." in page
        if attempt == "fresh":
            check_search(result, page, tmp_path)
    # Without the texts the page has what the folder has.
    folder = SearchFolder(tmp_path / "search")
    stored = read_result(folder, *read_trials(folder))
    page = write_report(stored, tmp_path / "stored.html").read_text("utf-8")
    assert "Confusion matrix" in page
    assert "Explained predictions" not in page
    assert '<section id="training"' in page
