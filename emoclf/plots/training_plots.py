"""Plots of a training: its epochs, and the scores of growing training sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emoclf.errors import DataError
from emoclf.plots.plot_style import (
    BLUE,
    DOTTED,
    ORANGE,
    RED,
    legend_above,
    matplotlib,
    new_axes,
    plain_frame,
)


def plot_training(
    history: Mapping[str, Sequence[float]],
    ax: Any = None,
    *,
    metric: str = "loss",
    best_epoch: int | None = None,
) -> Any:
    """Plot a metric of each epoch on the training and the validation set.

    Parameters
    ----------
    history : mapping of str to list of float
        One number for each epoch, such as ``trained.history``.
    ax : matplotlib Axes, optional
        Axes to draw into; default: those of a new figure.
    metric : str, default="loss"
        Metric, whose validation values are called ``val_`` and its name.
    best_epoch : int, optional
        Epoch (from 1) to mark.

    Returns
    -------
    ax : matplotlib Axes

    Raises
    ------
    DataError
        If the history does not contain the metric.
    """
    series = {
        "training set, while it learns": (metric, RED, "--", "^"),
        "validation set": (f"val_{metric}", BLUE, "-", "o"),
    }
    series = {label: x for label, x in series.items() if history.get(x[0])}
    if not series:
        metrics = sorted({name.removeprefix("val_") for name in history})
        raise DataError(
            f"The history has no metric {metric!r}. Choose from {', '.join(metrics)}."
        )
    ax = ax if ax is not None else new_axes(5.6, 4.0)
    for label, (name, colour, line, marker) in series.items():
        values = history[name]
        ax.plot(
            range(1, len(values) + 1),
            values,
            color=colour,
            linestyle=line,
            marker=marker,
            markersize=4,
            label=label,
        )
    if best_epoch:
        ax.axvline(best_epoch, zorder=0, **DOTTED)
        values = history.get(f"val_{metric}") or history[metric]
        if best_epoch <= len(values):
            ax.plot(
                best_epoch,
                values[best_epoch - 1],
                "*",
                markersize=14,
                color=ORANGE,
                markeredgecolor="black",
                zorder=5,
                label="chosen epoch",
            )
    ax.xaxis.set_major_locator(matplotlib("ticker").MaxNLocator(integer=True))
    ax.set_xlabel("epoch")
    # As METRICS of the evaluation call it, which is a later stage.
    ax.set_ylabel(metric.replace("macro_f1", "macro-F1"))
    plain_frame(ax)
    legend_above(ax, columns=2)
    return ax


def plot_learning_curve(
    sizes: Sequence[int],
    scores: Sequence[float] | Sequence[Sequence[float]],
    ax: Any = None,
    *,
    label: str = "network",
    metric: str = "macro-F1",
) -> Any:
    """Plot a score against the number of training texts.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of training texts.
    scores : array-like of float, shape (sizes,) or (sizes, repeats)
        Scores; the mean of repeats is drawn, with a band of one standard deviation.
    ax : matplotlib Axes, optional
        Axes to draw into, perhaps those of another curve.
    label : str
        Name in the legend.
    metric : str
        Name of the score.

    Returns
    -------
    ax : matplotlib Axes

    Raises
    ------
    DataError
        If there is not one score, or row of scores, for each size.
    """
    values = np.asarray(scores, float)
    if values.ndim not in (1, 2) or len(values) != len(sizes):
        raise DataError(
            f"scores must be one number, or one row, for each of {len(sizes)} sizes. "
            f"Got the shape {values.shape} instead."
        )
    values = values.reshape(len(sizes), -1)
    ax = ax if ax is not None else new_axes(5.6, 4.0)
    mean = values.mean(1)
    (line,) = ax.plot(sizes, mean, marker="o", label=label)
    if values.shape[1] > 1:
        spread = values.std(1, ddof=1)
        band = {"color": line.get_color(), "alpha": 0.2, "linewidth": 0}
        ax.fill_between(sizes, mean - spread, mean + spread, **band)
    ax.set_xscale("log")
    ax.set_xticks(list(sizes), [f"{size:,}" for size in sizes])
    ax.minorticks_off()
    ax.set_xlabel("training texts")
    ax.set_ylabel(metric)
    plain_frame(ax)
    legend_above(ax)
    return ax
