"""Plots of comparisons; each function takes an ``ax`` and returns it."""

from __future__ import annotations

from statistics import mean, stdev
from typing import Any

from emoclf.datasets.split import PART_NAMES
from emoclf.evaluation.network_comparison import NetworkComparison
from emoclf.optional import require

MARKERS = "os^DvP*Xh<>"


def plot_accuracy_against_time(comparison: NetworkComparison, ax: Any = None) -> Any:
    """Plot the accuracy of each network against its training time.

    Parameters
    ----------
    comparison : NetworkComparison
    ax : matplotlib Axes, optional
        Axes to draw into; default: those of a new figure.

    Returns
    -------
    ax : matplotlib Axes
    """
    if ax is None:
        pyplot = require(
            "matplotlib.pyplot", extra="plots", needed_by="plot_accuracy_against_time"
        )
        ax = pyplot.subplots(figsize=(8, 4.5))[1]
    networks = [n for n in comparison.names() if comparison.of(n)[0].seed is not None]
    for number, name in enumerate(networks):
        runs = comparison.of(name)
        accuracies = [run.accuracy for run in runs if run.accuracy is not None]
        if not accuracies:
            continue
        ax.errorbar(
            mean(run.seconds for run in runs),
            mean(accuracies),
            yerr=stdev(accuracies) if len(accuracies) > 1 else 0.0,
            fmt=MARKERS[number % len(MARKERS)],
            markersize=8,
            capsize=3,
            label=name,
        )
    for name in comparison.names():
        first = comparison.of(name)[0]
        if first.seed is None:
            ax.axhline(first.accuracy, color="0.6", linestyle="--", linewidth=1)
            # Beside the axes, with the legend above, so that no marker is hidden.
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
    ax.set_ylabel(f"accuracy on the {PART_NAMES[comparison.part]} set")
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, frameon=False)
    return ax


def save_plot(ax: Any, path: Any) -> None:
    """Write the figure of an ``ax`` to a file, and close it."""
    pyplot = require("matplotlib.pyplot", extra="plots", needed_by="save_plot")
    ax.figure.savefig(path, dpi=150, bbox_inches="tight")
    pyplot.close(ax.figure)
