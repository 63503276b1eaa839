"""Plots of comparisons; each function takes an ``ax`` and returns it."""

from __future__ import annotations

from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from emoclf.plots.plot_style import (
    COLOURS,
    GREY,
    MARKERS,
    legend_above,
    legend_name,
    name_beside,
    new_axes,
)

if TYPE_CHECKING:
    from emoclf.evaluation.network_comparison import NetworkComparison


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
    ax = ax if ax is not None else new_axes(8, 4.5)
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
            color=COLOURS[number % len(COLOURS)],
            markersize=8,
            capsize=3,
            label=legend_name(name),
        )
    for name in comparison.names():
        first = comparison.of(name)[0]
        if first.seed is None:
            ax.axhline(first.accuracy, color=GREY, linestyle="--", linewidth=1)
            # Beside the axes, with the legend above, so that no marker is hidden.
            name_beside(ax, first.accuracy, f" {name}", GREY)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter("{x:g}")
    ax.set_xlabel("seconds of training")
    ax.set_ylabel(f"accuracy on the {comparison.part_name} set")
    legend_above(ax)
    return ax
