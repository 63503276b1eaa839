"""Plots of texts: how many each label has, how long they are, and their segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emoclf.errors import DataError
from emoclf.plots.plot_style import (
    BLUE,
    DOTTED,
    INK,
    RED,
    legend_above,
    new_axes,
    plain_frame,
    row_axes,
)


def plot_class_balance(counts: Mapping[str, int], ax: Any = None) -> Any:
    """Plot the number of texts of each label.

    Parameters
    ----------
    counts : mapping of str to int
        Texts by label, such as ``dataset.counts()``.
    ax : matplotlib Axes, optional
        Axes to draw into; default: those of a new figure.

    Returns
    -------
    ax : matplotlib Axes
    """
    names, numbers = list(counts), list(counts.values())
    ax = ax if ax is not None else row_axes(len(names))
    bars = ax.barh(range(len(names)), numbers, height=0.7, color=BLUE)
    ax.bar_label(bars, [f"{number:,}" for number in numbers], padding=4)
    ax.set_yticks(range(len(names)), names, parse_math=False)
    ax.invert_yaxis()
    ax.margins(x=0.12)
    ax.set_xlabel("texts")
    plain_frame(ax)
    return ax


def plot_lengths(
    lengths: Sequence[int], ax: Any = None, *, max_length: int | None = None
) -> Any:
    """Plot how many texts have which length.

    Parameters
    ----------
    lengths : sequence of int
        Number of tokens of each text.
    ax : matplotlib Axes, optional
        Axes to draw into; default: those of a new figure.
    max_length : int, optional
        Number of tokens after which texts are cut. The last bar then contains all
        texts of twice this length and more.

    Returns
    -------
    ax : matplotlib Axes
    """
    values = np.asarray(lengths)
    ax = ax if ax is not None else new_axes(5.6, 3.4)
    label = "tokens in a text"
    if max_length is not None and values.max(initial=1) > 2 * max_length:
        # One text of thousands of tokens would leave a single bar for all others.
        values = np.minimum(values, 2 * max_length)
        label += f" (last bar: {2 * max_length} and more)"
    longest = int(values.max(initial=1))
    width = max(1, -(-longest // 40))
    edges = np.arange(0, longest + width + 1, width) - 0.5
    ax.hist(values, edges, color=BLUE)
    if len(values):
        median = float(np.median(values))
        text = f"median: {median:g}"
        ax.axvline(median, color=INK, linewidth=1.4, linestyle="--", label=text)
    if max_length is not None and max_length <= longest * 1.1:
        text = f"cut after {max_length} tokens"
        ax.axvline(max_length, color=RED, linewidth=1.4, linestyle=":", label=text)
    ax.set_xlim(left=0)
    ax.set_xlabel(label)
    ax.set_ylabel("texts")
    plain_frame(ax)
    if ax.get_legend_handles_labels()[0]:
        legend_above(ax)
    return ax


def plot_segments(
    names: Sequence[str],
    scores: Sequence[float],
    ax: Any = None,
    *,
    intervals: Sequence[tuple[float, float]] | None = None,
    counts: Sequence[int] | None = None,
    overall: float | None = None,
    metric: str = "accuracy",
) -> Any:
    """Plot the score of each segment of the texts, such as long ones or questions.

    Parameters
    ----------
    names : sequence of str
    scores : sequence of float
    ax : matplotlib Axes, optional
        Axes to draw into; default: those of a new figure.
    intervals : sequence of (float, float), optional
        Lower and upper ends, drawn as bars.
    counts : sequence of int, optional
        Numbers of texts, beside the names.
    overall : float, optional
        Score of all texts, drawn as a line.
    metric : str
        Name of the score.

    Returns
    -------
    ax : matplotlib Axes

    Raises
    ------
    DataError
        If there is not one score for each name.
    """
    if len(names) != len(scores):
        raise DataError(
            f"scores must be one number for each of {len(names)} segments. Got "
            f"{len(scores)} instead."
        )
    ax = ax if ax is not None else row_axes(len(names))
    positions = range(len(names))
    bars = None
    if intervals is not None:
        ends = np.asarray(intervals, float).T
        bars = np.abs(ends - np.asarray(scores, float))
    ax.errorbar(scores, positions, xerr=bars, fmt="o", color=BLUE, capsize=3)
    if overall is not None:
        label = f"all texts: {overall:.3f}"
        ax.axvline(overall, label=label, **DOTTED)
        legend_above(ax)
    if counts is not None:
        names = [f"{name} ({n:,})" for name, n in zip(names, counts, strict=True)]
    ax.set_yticks(positions, names, parse_math=False)
    ax.invert_yaxis()
    ax.margins(y=0.1)
    ax.set_xlabel(metric)
    plain_frame(ax)
    return ax
