"""Figures of a search; each function takes axes and returns them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.evaluation.network_plots import save_plot
from emoclf.optional import require

from ..results.importance import varied
from ..results.objective import Objective
from ..results.outcome import COMPLETED, PRUNED, Outcome
from ..results.ranking import front, rank, running_best, scored, worth
from ..results.wording import label
from .plot_column import LONGEST_TICK, Column, cut, settings_to_draw
from .plot_style import (
    GREY,
    LOOKS,
    ORANGE,
    RED,
    STAR,
    jitter,
    legend_above,
    new_axes,
    scale,
    score_of,
    ticker,
)

MOST_COLUMNS = 3
PAPER = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8}


def plot_scores(
    outcomes: Sequence[Outcome],
    objective: Objective,
    ax: Any = None,
    *,
    chosen: int | None = None,
) -> Any:
    """Draw the score of each trial in its order, and the best so far.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Bars are standard deviations over repeats; trials without a score are marks at
        the bottom.
    objective : Objective
    ax : matplotlib Axes, optional
        Drawn into; else into a new figure.
    chosen : int, optional
        Number of the trial whose settings were chosen: a star.

    Returns
    -------
    ax : matplotlib Axes
    """
    ax = ax if ax is not None else new_axes("plot_scores")
    for status, look in LOOKS.items():
        trials = [o for o in scored(outcomes) if o.status == status]
        if trials:
            ax.errorbar(
                [o.number for o in trials],
                [o.score(objective.name) for o in trials],
                yerr=[o.spread(objective.name) or 0.0 for o in trials],
                capsize=2,
                elinewidth=1,
                ecolor="0.75",
                linestyle="none",
                **look,
            )
    steps = running_best(outcomes, objective)
    if steps:
        numbers = [*(o.number for o in steps), max(o.number for o in outcomes)]
        heights = [score_of(o, objective) for o in [*steps, steps[-1]]]
        ax.step(numbers, heights, where="post", color=ORANGE, label="best so far")
    for o in scored(outcomes):
        if o.number == chosen:
            ax.plot([o.number], [score_of(o, objective)], **STAR, label="chosen")
    known = {o.number for o in scored(outcomes)}
    lost = [o.number for o in outcomes if o.number not in known]
    if lost:
        bottom = ax.get_xaxis_transform()
        ax.plot(lost, [0.02] * len(lost), "x", color=RED, transform=bottom,
                label="failed or over a limit")  # fmt: skip
    ax.xaxis.set_major_locator(ticker().MaxNLocator(integer=True))
    ax.set_xlabel("trial")
    ax.set_ylabel(f"{label(objective)} (mean ± sd)")
    legend_above(ax)
    return ax


def plot_time(
    outcomes: Sequence[Outcome],
    objective: Objective,
    ax: Any = None,
    *,
    chosen: int | None = None,
) -> Any:
    """Draw the score of each trial against its seconds.

    The line joins the completed trials that no other beats in both (Pareto's front);
    their numbers stand beside them. The ``chosen`` one is a star.

    Returns
    -------
    ax : matplotlib Axes
    """
    ax = ax if ax is not None else new_axes("plot_time")
    trials = scored(outcomes)
    for status, look in LOOKS.items():
        some = [o for o in trials if o.status == status]
        if some:
            heights = [score_of(o, objective) for o in some]
            ax.plot([o.seconds for o in some], heights, linestyle="none", **look)
    unbeaten = front(outcomes, objective)
    places = [(o.seconds, score_of(o, objective)) for o in unbeaten]
    if len(places) > 1:
        name = "no quicker one is better"
        ax.step(*zip(*places, strict=True), where="post", color=ORANGE, label=name)
    for o in trials:
        if o.number == chosen:
            ax.plot([o.seconds], [score_of(o, objective)], **STAR, label="chosen")
    for o, place in zip(unbeaten, places, strict=True):
        ax.annotate(
            f"{o.number}",
            place,
            xytext=(-3, 5 * objective.sign),
            textcoords="offset points",
            ha="right",
            va="bottom" if objective.sign > 0 else "top",
            fontsize="small",
        )
    ax.margins(0.08)
    scale(ax, [o.seconds for o in trials])
    ax.set_xlabel("seconds of the trial")
    ax.set_ylabel(label(objective))
    legend_above(ax)
    return ax


def plot_effects(
    outcomes: Sequence[Outcome],
    objective: Objective,
    axes: Any = None,
    *,
    chosen: int | None = None,
    log: Collection[str] = (),
) -> list[Any]:
    """Draw the score against each setting that differs, one panel for each.

    Parameters
    ----------
    axes : sequence of matplotlib Axes, optional
        One per setting; else panels of a new figure.
    chosen : int, optional
        Number of the trial whose settings were chosen: a star; else the best is one.
    log : collection of str
        Settings that were searched on a scale of ratios, which is drawn where it looks
        otherwise: where values lie a factor of three apart, or more.

    Returns
    -------
    axes : list of matplotlib Axes
        One per setting, in the settings' order.
    """
    trials = scored(outcomes)
    names = settings_to_draw(trials)
    panels = _new_panels(len(names)) if axes is None else list(np.ravel(axes))
    ranked = rank(outcomes, objective)
    star, called = next(iter(ranked), None), "best"
    for o in ranked:
        if o.number == chosen:
            star, called = o, "chosen"
    for place, (name, ax) in enumerate(zip(names, panels, strict=False)):
        column = Column(name, trials, log=name in log)
        _draw_effect(ax, column, trials, objective, star=star, called=called)
        if place % MOST_COLUMNS == 0:
            ax.set_ylabel(label(objective))
    if axes is None:
        looks = panels[0].get_legend_handles_labels()
        place_of = {"loc": "outside upper left", "ncols": 3, "frameon": False}
        panels[0].figure.legend(*looks, **place_of)
    return panels[: len(names)]


def plot_parallel(
    outcomes: Sequence[Outcome],
    objective: Objective,
    ax: Any = None,
    *,
    chosen: int | None = None,
    log: Collection[str] = (),
) -> Any:
    """Draw each trial as a line through its settings, the better the darker.

    Inselberg (1985), "The plane with parallel coordinates". Each axis is a setting, on
    a scale of ratios where it was searched on one (``log``) or spans more than a
    decade; the last one is the score. The ``chosen`` trial's line is the broad one.

    Returns
    -------
    ax : matplotlib Axes
    """
    trials = sorted(scored(outcomes), key=lambda o: worth(o, objective))
    names = settings_to_draw(trials)
    columns = [Column(name, trials, log=name in log) for name in names]
    ax = ax if ax is not None else new_axes("plot_parallel", 2 + 1.6 * len(names))
    scores = np.array([score_of(o, objective) for o in trials])
    colours = _colours(scores, objective)
    low, high = float(scores.min()), float(scores.max())
    span = (high - low) or 1.0
    rows = np.array([[column.height(o) for column in columns] for o in trials])
    for place, column in enumerate(columns):
        # Trials on one category stay lines that the eye can follow.
        rows[:, place] += jitter(len(trials), 0.02) if column.categories else 0.0
    for o, row, score in zip(trials, rows, scores, strict=True):
        ax.plot(
            range(len(names) + 1),
            [*row, (score - low) / span],
            color=RED if o.number == chosen else colours.to_rgba(score),
            linewidth=3 if o.number == chosen else 1.2,
            linestyle="--" if o.status == PRUNED else "-",
            label="chosen" if o.number == chosen else None,
        )
    if any(o.status == PRUNED for o in trials):
        ax.plot([], [], "--", color=GREY, label="given up early")
    if ax.get_legend_handles_labels()[0]:
        legend_above(ax)
    ends = [column.ticks() for column in columns]
    ends.append([(0.0, f"{low:.3f}"), (1.0, f"{high:.3f}")])
    _draw_coordinates(ax, [*names, label(objective)], ends)
    extend = "min" if objective.sign > 0 else "max"
    bar = ax.figure.colorbar(colours, ax=ax, extend=extend, pad=0.04)
    bar.set_label(label(objective))
    return ax


def save_plots(
    outcomes: Sequence[Outcome],
    objective: Objective,
    folder: Path,
    *,
    chosen: int | None = None,
    log: Collection[str] = (),
) -> list[Path]:
    """Write every plot that there is something to draw for, as PNG.

    Parameters
    ----------
    outcomes : sequence of Outcome
    objective : Objective
    folder : Path
    chosen : int, optional
        Number of the trial whose settings were chosen.
    log : collection of str
        Settings that were searched on a scale of ratios.

    Returns
    -------
    paths : list of Path
        ``scores.png``, ``time.png``, and where settings differ ``effects.png`` and
        ``parallel.png``; none if no trial has a score.
    """
    trials = scored(outcomes)
    if not trials:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    plots: dict[str, Any] = {"scores": plot_scores, "time": plot_time}
    if varied(trials):
        plots["effects"] = partial(plot_effects, log=log)
        plots["parallel"] = partial(plot_parallel, log=log)
    paths = [folder / f"{name}.png" for name in plots]
    for path, plot in zip(paths, plots.values(), strict=True):
        save_plot(np.ravel(plot(outcomes, objective, chosen=chosen))[0], path)
    return paths


def _draw_effect(
    ax: Any,
    column: Column,
    trials: Sequence[Outcome],
    objective: Objective,
    *,
    star: Outcome | None,
    called: str,
) -> None:
    x = np.array([column.at(o) for o in trials])
    y = np.array([score_of(o, objective) for o in trials])
    early = np.array([o.status == PRUNED for o in trials])
    starred = np.array([o is star for o in trials])
    if column.categories:
        x = x + jitter(len(x), 0.18)
    groups = [
        (~early & ~starred, {**LOOKS[COMPLETED], "alpha": 0.7}),
        (early, LOOKS[PRUNED]),
        (starred, {**STAR, "label": called}),
    ]
    for members, look in groups:
        if members.any():
            ax.plot(x[members], y[members], **{**look, "ls": "none"})
    if column.categories:
        _name_categories(ax, column)
    else:
        scale(ax, x[np.isfinite(x)], log=column.log)
    ax.margins(y=0.1)
    ax.set_xlabel(column.name)


def _colours(scores: np.ndarray, objective: Objective) -> Any:
    """Return a scale whose dark end is the best; a few very bad ones do not count."""
    maps = require("matplotlib.cm", extra="plots", needed_by="plot_parallel")
    colors = require("matplotlib.colors", extra="plots", needed_by="plot_parallel")
    tail = (10, 100) if objective.sign > 0 else (0, 90)
    low, high = np.percentile(scores, tail)
    scale = "viridis_r" if objective.sign > 0 else "viridis"
    return maps.ScalarMappable(colors.Normalize(low, high), scale)


def _draw_coordinates(
    ax: Any, names: Sequence[str], ticks: Sequence[Sequence[tuple[float, str]]]
) -> None:
    for place, marks in enumerate(ticks):
        ax.axvline(place, color="0.3", linewidth=1, zorder=3)
        for height, text in marks:
            ax.annotate(
                text,
                (place, height),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize="small",
                zorder=4,
                bbox=PAPER,
            )
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks([])
    ax.set_xlim(-0.1, len(names) - 0.6)
    ax.set_frame_on(False)
    ax.tick_params(axis="x", length=0)


def _name_categories(ax: Any, column: Column) -> None:
    names = [cut(name) for name in column.categories]
    crowded = sum(map(len, names)) > 2 * LONGEST_TICK
    slant = {"rotation": 30, "ha": "right"} if crowded else {}
    ax.set_xticks(range(len(names)), names, **slant)
    ax.set_xlim(-0.5, len(names) - 0.5)


def _new_panels(n: int) -> list[Any]:
    pyplot = require("matplotlib.pyplot", extra="plots", needed_by="plot_effects")
    columns = min(n, MOST_COLUMNS)
    rows = -(-n // columns)
    size = (max(3.6 * columns, 5), 3.2 * rows)
    figure = pyplot.figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for ax in axes.flat[n:]:
        figure.delaxes(ax)
    return list(axes.flat)[:n]
