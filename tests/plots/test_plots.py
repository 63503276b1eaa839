"""Every plot draws its numbers, and returns the axes that it was given.

Covers all modules of emoclf.plots but network_plots, and
emoclf.evaluation.evaluation_plots.
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emoclf import plots
from emoclf.errors import DataError, MissingDependency
from emoclf.evaluation.curves import (
    calibration_curve,
    coverage_curve,
    precision_recall_curves,
    roc_curves,
)
from emoclf.evaluation.evaluation_report import EvaluationReport
from emoclf.evaluation.metrics import Evaluation, evaluate, evaluate_probabilities

NAMES = ("anger", "_joy", "fear")
HISTORY = {"loss": [1.0, 0.5, 0.4], "val_loss": [1.1, 0.7, 0.9], "accuracy": [0.1] * 3}


@pytest.fixture(autouse=True)
def _agg() -> Iterator[None]:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    yield
    import_module("matplotlib.pyplot").close("all")


def case(n_labels: int = 3, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, n_labels, n)
    scores = rng.random((n, n_labels)) + (targets[:, None] == np.arange(n_labels))
    return scores / scores.sum(1, keepdims=True), targets


def network(**who: Any) -> Evaluation:
    probabilities, targets = case()
    return evaluate_probabilities(
        probabilities, targets, NAMES, name="network", part="test", draws=10, **who
    )


P, T = case()
DRAWN: dict[str, Callable[..., Any]] = {
    "confusion": lambda ax: plots.plot_confusion([[3, 1], [0, 2]], ["a", "b"], ax),
    "roc": lambda ax: plots.plot_roc(roc_curves(P, T, NAMES), ax),
    "precision_recall": lambda ax: plots.plot_precision_recall(
        precision_recall_curves(P, T, NAMES), ax
    ),
    "calibration": lambda ax: plots.plot_calibration(calibration_curve(P, T), ax),
    "coverage": lambda ax: plots.plot_coverage(
        coverage_curve(P.max(1), P.argmax(1) == T), ax
    ),
    "training": lambda ax: plots.plot_training(HISTORY, ax, best_epoch=2),
    "learning_curve": lambda ax: plots.plot_learning_curve(
        [100, 1000], [[0.3, 0.4], [0.5, 0.6]], ax
    ),
    "class_balance": lambda ax: plots.plot_class_balance({"joy": 3, "fear": 9}, ax),
    "lengths": lambda ax: plots.plot_lengths([3, 4, 5, 50], ax, max_length=40),
    "segments": lambda ax: plots.plot_segments(
        ["long", "short"],
        [0.5, 0.7],
        ax,
        intervals=[(0.4, 0.6), (0.6, 0.8)],
        counts=[10, 20],
        overall=0.65,
    ),
    "term_summary": lambda ax: plots.plot_term_summary(
        ["$screen$", "bill"],
        [8, 2],
        {"negative": [0.25, 1.0], "neutral": [0.05, 0.0], "positive": [0.7, 0.0]},
        ax,
    ),
    "span_scores": lambda ax: plots.plot_span_scores(
        {"tagger": {"F1": 0.7, "recall": 0.6}, "dictionary": {"F1": 0.5}},
        ax,
        intervals={"F1": (0.6, 0.9)},
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_plot_draws_into_the_axes_that_it_gets(name: str) -> None:
    ax = import_module("matplotlib.pyplot").subplots()[1]
    assert DRAWN[name](ax) is ax
    assert ax.lines or ax.patches or ax.images
    assert ax.get_xlabel()
    own = DRAWN[name](None)
    assert own is not ax
    own.figure.canvas.draw()


def test_one_very_long_text_does_not_squeeze_the_others() -> None:
    ax = plots.plot_lengths([3, 4, 5, 50, 9000], max_length=10)
    assert ax.get_xlim()[1] < 30
    assert ax.get_xlabel() == "tokens in a text (last bar: 20 and more)"
    assert sum(bar.get_height() for bar in ax.patches) == 5
    assert ax.patches[20].get_height() == 2


def test_numbers_of_the_plots_are_those_that_were_given() -> None:
    ax = DRAWN["confusion"](None)
    assert [text.get_text() for text in ax.texts] == ["3", "1", "0", "2"]
    ax = DRAWN["class_balance"](None)
    assert [bar.get_width() for bar in ax.patches] == [3, 9]
    ax = DRAWN["training"](None)
    assert ax.lines[1].get_ydata().tolist() == HISTORY["val_loss"]
    marks = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    assert marks["chosen epoch"].get_xydata().tolist() == [[2.0, 0.7]]
    ax = DRAWN["learning_curve"](None)
    assert ax.lines[0].get_ydata() == pytest.approx([0.35, 0.55])
    ax = DRAWN["lengths"](None)
    assert sum(bar.get_height() for bar in ax.patches) == 4


def test_shares_of_a_term_are_stacked_from_positive_to_negative() -> None:
    ax = DRAWN["term_summary"](None)
    bars = [(bar.get_x(), round(bar.get_width(), 3)) for bar in ax.patches]
    assert bars[::2] == [(0.0, 0.7), (0.7, 0.05), (0.75, 0.25)]
    assert bars[5] == (0.0, 1.0)
    shown = [text.get_text() for text in ax.texts]
    # A bar that is too short has no number.
    assert sorted(filter(None, shown)) == ["100%", "25%", "70%"]
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names == ["$screen$ (8)", "bill (2)"]
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["positive", "neutral", "negative"]
    assert len({bar.get_facecolor() for bar in ax.patches}) == 3
    counts = plots.plot_term_summary(["screen", "bill"], [8, 2], {})
    assert [bar.get_width() for bar in counts.patches] == [8, 2]
    kinds = plots.plot_term_summary(["a"], [2], {"food": [0.5], "staff": [0.5]})
    assert len({bar.get_facecolor() for bar in kinds.patches}) == 2


def test_span_scores_are_drawn_with_the_intervals_of_the_first_method() -> None:
    ax = DRAWN["span_scores"](None)
    drawn = [line.get_xdata().tolist() for line in ax.lines if len(line.get_xdata())]
    assert [0.7, 0.6] in drawn
    assert [0.5] in drawn
    assert [0.6, 0.6] in drawn  # lower ends: that of F1, and the recall itself
    assert [0.9, 0.6] in drawn
    assert [text.get_text() for text in ax.texts] == ["0.700", "0.600", "0.500"]


def test_a_plot_is_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "plot.svg"
    plots.save_plot(DRAWN["class_balance"](None), path)
    assert path.read_text(encoding="utf-8").rstrip().endswith("</svg>")
    before = path.read_bytes()
    with pytest.raises(DataError, match="exists already"):
        plots.save_plot(DRAWN["class_balance"](None), path, overwrite=False)
    assert path.read_bytes() == before
    with pytest.raises(DataError, match=r"must end in .svg, .png.*Got '.txt'"):
        plots.save_plot(DRAWN["class_balance"](None), tmp_path / "plot.txt")
    ax = DRAWN["class_balance"](None)
    ax.set_xlabel("$\\broken$")
    with pytest.raises(ValueError, match="broken"):
        plots.save_plot(ax, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["plot.svg"]


def test_a_plot_is_written_to_a_stream_and_without_an_ending_as_png(
    tmp_path: Path,
) -> None:
    stream = io.BytesIO()
    plots.save_plot(DRAWN["class_balance"](None), stream)
    assert stream.getvalue().startswith(b"\x89PNG")
    plots.save_plot(DRAWN["class_balance"](None), tmp_path / "plot")
    assert [entry.name for entry in tmp_path.iterdir()] == ["plot.png"]
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(DataError, match=r"plot.png exists already"):
        plots.save_plot(
            DRAWN["class_balance"](None), tmp_path / "plot", overwrite=False
        )


@pytest.mark.parametrize("name", ["$y_{$", "_hidden"])
def test_labels_are_shown_as_they_are(name: str, tmp_path: Path) -> None:
    shares = {name: [0.4], "negative": [0.6]}
    for number, (ax, has_legend) in enumerate(
        (
            (plots.plot_term_summary([name], [5], shares), True),
            (plots.plot_span_scores({name: {name: 0.5}}), True),
            (plots.plot_roc(roc_curves(P, T, (name, "b", "c"))), True),
            (plots.plot_class_balance({name: 3, "b": 2}), False),
            (plots.plot_segments([name, "b"], [0.5, 0.6]), False),
            (plots.plot_confusion([[3, 1], [0, 2]], [name, "b"]), False),
        )
    ):
        texts = ax.get_legend().get_texts() if has_legend else ax.get_yticklabels()
        assert any(name in text.get_text() for text in texts)
        plots.save_plot(ax, tmp_path / f"{number}.svg")


def test_the_area_below_the_drawn_steps_is_the_average_precision() -> None:
    curves = precision_recall_curves(P, T, NAMES)
    line = plots.plot_precision_recall(curves).lines[0]
    x, y = line.get_data()
    # Each height is drawn up to the next point.
    assert line.get_drawstyle() == "steps-post"
    assert -np.sum(np.diff(x) * y[:-1]) == pytest.approx(curves.labels[0].area)


def test_every_label_with_a_curve_has_a_name_and_the_others_are_left_out() -> None:
    targets = np.minimum(T, 1)
    ax = plots.plot_roc(roc_curves(P, targets, NAMES))
    shown = [text.get_text() for text in ax.get_legend().get_texts()]
    assert [text.split(maxsplit=1)[-1] for text in shown] == [
        *("chance", "anger", "_joy", "all decisions")
    ]


def test_of_many_labels_the_worst_are_named() -> None:
    probabilities, targets = case(12, 200)
    curves = roc_curves(probabilities, targets, [f"label {i}" for i in range(12)])
    shown = plots.plot_roc(curves).get_legend().get_texts()
    worst = min(curves.labels, key=lambda curve: curve.area).label
    texts = [text.get_text() for text in shown]
    assert "8 more labels" in texts
    assert any(text.endswith(worst) for text in texts)
    assert len(texts) == 7


def test_results_have_the_plots_as_methods() -> None:
    report = EvaluationReport((network(),), ())
    for name in ("confusion", "roc", "precision_recall", "calibration", "coverage"):
        ax = getattr(report, f"plot_{name}")()
        assert getattr(report.network, f"plot_{name}")(ax) is ax


def test_an_evaluation_without_probabilities_says_so() -> None:
    bare = evaluate(np.array([0, 1]), np.array([0, 1]), "ab", name="x", part="test")
    assert bare.plot_confusion().images
    with pytest.raises(DataError, match=r"no probabilities.*Evaluate the classifier"):
        bare.plot_roc()
    rows = np.array([[0, 1], [1, 1]])
    several = evaluate(rows, rows, "ab", name="x", part="test")
    with pytest.raises(DataError, match="Multilabel texts have no confusion matrix"):
        several.plot_confusion()


def test_wrong_numbers_are_errors() -> None:
    with pytest.raises(DataError, match=r"no metric 'f1'. Choose from accuracy, loss"):
        plots.plot_training(HISTORY, metric="f1")
    with pytest.raises(DataError, match=r"each of 2 sizes. Got the shape \(1,\)"):
        plots.plot_learning_curve([1, 2], [0.5])
    with pytest.raises(DataError, match=r"each of 2 segments. Got 1"):
        plots.plot_segments(["a", "b"], [0.5])
    with pytest.raises(DataError, match=r"Got 2 terms and {'counts': 1, 'good': 2}"):
        plots.plot_term_summary(["a", "b"], [1], {"good": [0.5, 0.5]})
    with pytest.raises(DataError, match="one term or more"):
        plots.plot_term_summary([], [], {})


def test_importing_the_plots_is_cheap_and_every_name_loads() -> None:
    code = "import sys; from emoclf import plots; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"matplotlib", "tensorflow", "sklearn"} & set(loaded)
    for name in plots.__all__:
        assert callable(getattr(plots, name))
    with pytest.raises(AttributeError, match="no attribute 'plot_x'"):
        plots.plot_x  # noqa: B018


def test_without_matplotlib_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingDependency, match=r"pip install 'emoclf\[plots\]'"):
        plots.plot_class_balance({"joy": 1})
