"""The page of a search: its plots, its trials, and the scores of the winner."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from platform import node

import pytest
from tiny_search import run

from emoclf import write_report

pytest.importorskip("jinja2")
pytestmark = pytest.mark.slow


def test_a_search_has_a_page(tmp_path: Path) -> None:
    result = run(tmp_path / "search")
    page = write_report(result, tmp_path / "search.html").read_text(encoding="utf-8")
    for title in ("Score of each trial", "Score and time", "Score by setting"):
        assert f"<h3>{title}</h3>" in page
    assert "<caption>All trials</caption>" in page
    assert f"Trial {result.choice.chosen.number} of 3 was chosen" in page
    assert f"{result.report.network.macro_f1:.3f}" in page
    assert "Confusion matrix" in page
    assert ">worker<" not in page
    assert node() not in page
    assert "learning_rate = " in page
    assert "http" not in page.replace("http-equiv", "")
    assert str(tmp_path) not in page
    for name in ("scores", "time", "effects", "parallel"):
        drawn = getattr(result, f"plot_{name}")()
        ax = drawn[0] if name == "effects" else drawn
        assert ax.lines
        import_module("matplotlib.pyplot").close(ax.figure)
