"""Figures drawn from numbers; each function takes an ``ax`` and returns it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

from emoclf.evaluation.network_comparison import NetworkComparison
from emoclf.optional import require

MARKS = "os^DvP*Xh<>"


def plot_accuracy_against_time(comparison: NetworkComparison, ax: Any = None) -> Any:
    """Draw the accuracy of each network against the time that its training took.

    Parameters
    ----------
    comparison : NetworkComparison
    ax : matplotlib Axes, optional
        Drawn into; else into a new figure.

    Returns
    -------
    ax : matplotlib Axes
    """
    ax = ax if ax is not None else _new_axes("plot_accuracy_against_time")
    networks = [n for n in comparison.names() if comparison.of(n)[0].seed is not None]
    for number, name in enumerate(networks):
        runs = comparison.of(name)
        accuracies = [run.accuracy for run in runs if run.accuracy is not None]
        if not accuracies:
            continue
        ax.errorbar(
            mean(run.seconds for run in runs),
            mean(accuracies),
            yerr=_deviation(accuracies),
            fmt=MARKS[number % len(MARKS)],
            markersize=8,
            capsize=3,
            label=name,
        )
    for name in comparison.names():
        first = comparison.of(name)[0]
        if first.seed is None:
            ax.axhline(first.accuracy, color="0.6", linestyle="--", linewidth=1)
            # Beside the axes, as the legend is above: neither must lie on a mark.
            ax.annotate(
                f" {name}",
                (1.0, first.accuracy),
                xycoords=("axes fraction", "data"),
                va="center",
                color="0.4",
                fontsize="small",
            )
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter("{x:g}")
    ax.set_xlabel("seconds of training")
    ax.set_ylabel(f"accuracy on the {comparison.part} part")
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, frameon=False)
    return ax


def save_plot(ax: Any, path: Any) -> None:
    """Write the figure of an ``ax`` to a file, and forget it."""
    pyplot = require("matplotlib.pyplot", extra="plots", needed_by="save_plot")
    ax.figure.savefig(path, dpi=150, bbox_inches="tight")
    pyplot.close(ax.figure)


def _new_axes(needed_by: str) -> Any:
    pyplot = require("matplotlib.pyplot", extra="plots", needed_by=needed_by)
    return pyplot.subplots(figsize=(8, 4.5))[1]


def _deviation(values: Sequence[float]) -> float:
    return stdev(values) if len(values) > 1 else 0.0
