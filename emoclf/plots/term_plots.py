"""Plots of aspect terms: what is said of each, and how well they are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from emoclf.errors import DataError
from emoclf.plots.plot_style import (
    BLUE,
    COLOURS,
    INK,
    MARKERS,
    PALE,
    PURPLE,
    RED,
    legend_above,
    legend_name,
    matplotlib,
    name_beside,
    plain_frame,
    row_axes,
)

#: Colours of polarities, from left to right.
POLARITY_COLOURS = {
    "positive": BLUE,
    "conflict": PURPLE,
    "neutral": PALE,
    "negative": RED,
}
#: Smallest share that is written into its bar.
WRITTEN_SHARE = 0.12


def plot_term_summary(
    terms: Sequence[str],
    counts: Sequence[int],
    shares: Mapping[str, Sequence[float]],
    ax: Any = None,
) -> Any:
    """Plot what is said of each term: stacked shares of its polarities.

    Parameters
    ----------
    terms : sequence of str
        Terms, from top to bottom.
    counts : sequence of int
        Number of occurrences of each term, beside its name.
    shares : mapping of str to sequence of float in [0, 1]
        Share of each polarity, or other label, by term. Positive ones are on the left,
        negative ones on the right. Empty: the counts are drawn.
    ax : matplotlib Axes, optional
        Axes to draw into; default: those of a new figure.

    Returns
    -------
    ax : matplotlib Axes

    Raises
    ------
    DataError
        If there are no terms, or not one count and one share for each.
    """
    lengths = {"counts": len(counts)} | {name: len(x) for name, x in shares.items()}
    wrong = {name: n for name, n in lengths.items() if n != len(terms)}
    if wrong or not terms:
        raise DataError(
            "A plot of terms needs one term or more, and one count and one share of "
            f"each polarity for each of them. Got {len(terms)} terms and {lengths}."
        )
    ax = ax if ax is not None else row_axes(len(terms))
    positions = np.arange(len(terms))
    names = [f"{x} ({n:,})" for x, n in zip(terms, counts, strict=True)]
    # A term with two dollar signs is no formula.
    ax.set_yticks(positions, names, parse_math=False)
    ax.set_ylim(len(terms) - 0.4, -0.6)
    plain_frame(ax)
    if not shares:
        ax.barh(positions, counts, height=0.7, color=BLUE)
        ax.set_xlabel("occurrences")
        return ax
    polarities = [name for name in POLARITY_COLOURS if name in shares]
    other_labels = [name for name in shares if name not in POLARITY_COLOURS]
    # The negative ones stay at the right end.
    order = sorted([*polarities, *other_labels], key=lambda name: name == "negative")
    left = np.zeros(len(terms))
    for name in order:
        values = np.asarray(shares[name], float)
        colour = POLARITY_COLOURS.get(name)
        colour = colour or COLOURS[other_labels.index(name) % len(COLOURS)]
        bars = ax.barh(
            positions,
            values,
            left=left,
            height=0.7,
            color=colour,
            edgecolor="#ffffff",
            linewidth=0.8,
            label=legend_name(name),
        )
        written = [f"{x:.0%}" if x >= WRITTEN_SHARE else "" for x in values]
        ink = INK if colour == PALE else "#ffffff"
        ax.bar_label(bars, written, label_type="center", fontsize="small", color=ink)
        left += values
    ax.set_xlim(0.0, 1.0)
    ax.xaxis.set_major_formatter(matplotlib("ticker").PercentFormatter(1.0, 0))
    ax.set_xlabel("share of the term's occurrences")
    legend_above(ax)
    return ax


def plot_span_scores(
    scores: Mapping[str, Mapping[str, float | None]],
    ax: Any = None,
    *,
    intervals: Mapping[str, tuple[float, float]] | None = None,
) -> Any:
    """Plot the scores of a tagger beside those of others, such as a dictionary.

    Parameters
    ----------
    scores : mapping of str to mapping of str to float or None
        For each method, the first one in front, its value by the name of the score;
        None is left out.
    ax : matplotlib Axes, optional
        Axes to draw into; default: those of a new figure.
    intervals : mapping of str to (float, float), optional
        Lower and upper ends of the scores of the first method.

    Returns
    -------
    ax : matplotlib Axes
    """
    names = list(dict.fromkeys(chain.from_iterable(scores.values())))
    ax = ax if ax is not None else row_axes(len(names) * max(1, len(scores)))
    step = 0.6 / max(1, len(scores))
    for number, (method, method_scores) in enumerate(scores.items()):
        drawn = [x for x in names if method_scores.get(x) is not None]
        values = np.array([method_scores[name] for name in drawn], float)
        offset = step * (number - (len(scores) - 1) / 2)
        positions = np.array([names.index(name) for name in drawn]) + offset
        colour, bars = COLOURS[number % len(COLOURS)], None
        if intervals and not number:
            ends = [intervals.get(name, (method_scores[name],) * 2) for name in drawn]
            bars = np.abs(np.array(ends, float).T - values)
        ax.errorbar(
            values,
            positions,
            xerr=bars,
            fmt=MARKERS[number % len(MARKERS)],
            color=colour,
            capsize=3,
            label=legend_name(method),
        )
        for value, position in zip(values, positions, strict=True):
            name_beside(ax, position, f"{value:.3f}", colour)
    ax.set_yticks(range(len(names)), names, parse_math=False)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlim(-0.02, 1.02)
    ax.set_xlabel("score")
    plain_frame(ax)
    legend_above(ax)
    return ax
