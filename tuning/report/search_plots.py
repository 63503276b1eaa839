"""Plots of a search; each function draws into matplotlib axes and returns them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.plots.plot_style import (
    GREY,
    ORANGE,
    PALE,
    RED,
    legend_above,
    matplotlib,
    new_axes,
    save_plot,
)

from ..results.importance import varying_settings
from ..results.objective import Objective
from ..results.outcome import COMPLETED, PRUNED, Outcome
from ..results.ranking import pareto_front, rank, scored, signed_score
from .plot_axes import (
    CHOSEN_MARK,
    MAX_PANEL_COLUMNS,
    MAX_TICK_LENGTH,
    STATUS_MARKS,
    SettingAxis,
    jitter,
    new_panels,
    scale_x,
    setting_axes,
)

WIDTH, HEIGHT = 8.0, 4.5
TICK_BOX = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8}


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
        Trials, with bars for the standard deviations over repeats; trials without a
        score are marks at the bottom.
    objective : Objective
    ax : matplotlib Axes, optional
        Axes to draw into; default: those of a new figure.
    chosen : int, optional
        Number of the trial whose settings were chosen, which is drawn as a star.

    Returns
    -------
    ax : matplotlib Axes
    """
    ax = ax if ax is not None else new_axes(WIDTH, HEIGHT)
    trials = scored(outcomes)
    numbers = [o.number for o in trials]
    _draw_trials(ax, numbers, trials, objective, star=chosen, bars=True)
    steps = pareto_front(outcomes, objective, cost="number")
    if steps:
        corners = [*(o.number for o in steps), max(o.number for o in outcomes)]
        heights = _scores([*steps, steps[-1]], objective)
        ax.step(corners, heights, where="post", color=ORANGE, label="best so far")
    lost = [o.number for o in outcomes if o not in trials]
    if lost:
        bottom = ax.get_xaxis_transform()
        ax.plot(lost, [0.02] * len(lost), "x", color=RED, transform=bottom,
                label="failed or over a limit")  # fmt: skip
    ax.xaxis.set_major_locator(matplotlib("ticker").MaxNLocator(integer=True))
    ax.set_xlabel("trial")
    ax.set_ylabel(f"{objective.label} (mean ± sd)")
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

    The line connects the completed trials that no other beats in both (the Pareto
    front), and their numbers are beside them. The ``chosen`` one is a star.

    Returns
    -------
    ax : matplotlib Axes
    """
    ax = ax if ax is not None else new_axes(WIDTH, HEIGHT)
    trials = scored(outcomes)
    times = [o.seconds for o in trials]
    _draw_trials(ax, times, trials, objective, star=chosen)
    front = pareto_front(outcomes, objective, cost="seconds")
    heights = _scores(front, objective)
    if len(front) > 1:
        seconds = [o.seconds for o in front]
        label = "no faster trial is better"
        ax.step(seconds, heights, where="post", color=ORANGE, label=label)
    for o, height in zip(front, heights, strict=True):
        ax.annotate(
            f"{o.number}",
            (o.seconds, height),
            xytext=(-3, 5 * objective.sign),
            textcoords="offset points",
            ha="right",
            va="bottom" if objective.sign > 0 else "top",
            fontsize="small",
        )
    ax.margins(0.08)
    scale_x(ax, times)
    ax.set_xlabel("seconds of the trial")
    ax.set_ylabel(objective.label)
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
        Axes for each setting; default: panels of a new figure.
    chosen : int, optional
        Number of the trial whose settings were chosen, which is drawn as a star;
        default: the best trial.
    log : collection of str
        Settings that were searched on a logarithmic scale, which is drawn if the
        values span a factor of three or more.

    Returns
    -------
    axes : list of matplotlib Axes
        Axes in the order of the settings.
    """
    trials = scored(outcomes)
    settings = setting_axes(trials, log)
    panels = new_panels(len(settings)) if axes is None else list(np.ravel(axes))
    ranked = [o.number for o in rank(outcomes, objective)]
    star, star_label = chosen, "chosen"
    if chosen not in ranked:
        star, star_label = next(iter(ranked), None), "best"
    for index, (setting, ax) in enumerate(zip(settings, panels, strict=False)):
        x = setting.positions
        if setting.categories:
            x = x + jitter(len(x), 0.18)
        _draw_trials(
            ax, x, trials, objective, star=star, star_label=star_label, alpha=0.7
        )
        _scale_setting(ax, setting)
        if index % MAX_PANEL_COLUMNS == 0:
            ax.set_ylabel(objective.label)
    if axes is None:
        marks = panels[0].get_legend_handles_labels()
        panels[0].figure.legend(
            *marks, loc="outside upper left", ncols=3, frameon=False
        )
    return panels[: len(settings)]


def plot_parallel(
    outcomes: Sequence[Outcome],
    objective: Objective,
    ax: Any = None,
    *,
    chosen: int | None = None,
    log: Collection[str] = (),
) -> Any:
    """Draw each trial as a line through its settings; better trials are darker.

    Inselberg (1985), "The plane with parallel coordinates". Each axis is a setting, on
    a logarithmic scale if it was searched on one (``log``) or spans more than a decade;
    the last axis is the score. The ``chosen`` trial has a wide line.

    Returns
    -------
    ax : matplotlib Axes
    """
    trials = sorted(scored(outcomes), key=lambda o: signed_score(o, objective))
    settings = setting_axes(trials, log)
    ax = ax if ax is not None else new_axes(max(2 + 1.6 * len(settings), WIDTH), HEIGHT)
    scores = np.array(_scores(trials, objective))
    colours = _colours(scores, objective)
    low, high = float(scores.min()), float(scores.max())
    span = (high - low) or 1.0
    rows = np.column_stack([setting.heights for setting in settings])
    for index, setting in enumerate(settings):
        if setting.categories:
            # So that lines through the same category can be distinguished.
            rows[:, index] += jitter(len(trials), 0.02)
    for o, row, score in zip(trials, rows, scores, strict=True):
        ax.plot(
            range(len(settings) + 1),
            [*row, (score - low) / span],
            color=RED if o.number == chosen else colours.to_rgba(score),
            linewidth=3 if o.number == chosen else 1.2,
            linestyle="--" if o.status == PRUNED else "-",
            label="chosen" if o.number == chosen else None,
        )
    if any(o.status == PRUNED for o in trials):
        ax.plot([], [], "--", color=GREY, label=STATUS_MARKS[PRUNED]["label"])
    if ax.get_legend_handles_labels()[0]:
        legend_above(ax)
    ticks = [setting.ticks for setting in settings]
    ticks.append([(0.0, f"{low:.3f}"), (1.0, f"{high:.3f}")])
    _draw_coordinates(ax, [*(s.name for s in settings), objective.label], ticks)
    extend = "min" if objective.sign > 0 else "max"
    bar = ax.figure.colorbar(colours, ax=ax, extend=extend, pad=0.04)
    bar.set_label(objective.label)
    return ax


def save_plots(
    outcomes: Sequence[Outcome],
    objective: Objective,
    folder: Path,
    *,
    chosen: int | None = None,
    log: Collection[str] = (),
) -> list[Path]:
    """Write the plots that have something to draw as PNG.

    Parameters
    ----------
    outcomes : sequence of Outcome
    objective : Objective
    folder : Path
    chosen : int, optional
        Number of the trial whose settings were chosen.
    log : collection of str
        Settings that were searched on a logarithmic scale.

    Returns
    -------
    paths : list of Path
        ``scores.png`` and ``time.png``; if settings differ, also ``effects.png`` and
        ``parallel.png``; none if no trial has a score.
    """
    trials = scored(outcomes)
    if not trials:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    plots: dict[str, Any] = {"scores": plot_scores, "time": plot_time}
    if varying_settings(trials):
        plots["effects"] = partial(plot_effects, log=log)
        plots["parallel"] = partial(plot_parallel, log=log)
    paths = []
    for name, plot in plots.items():
        paths.append(folder / f"{name}.png")
        save_plot(np.ravel(plot(outcomes, objective, chosen=chosen))[0], paths[-1])
    return paths


def _scores(trials: Sequence[Outcome], objective: Objective) -> list[Any]:
    return [o.score(objective.name) for o in trials]


def _draw_trials(
    ax: Any,
    x: Sequence[float] | np.ndarray,
    trials: Sequence[Outcome],
    objective: Objective,
    *,
    star: int | None,
    star_label: str = "chosen",
    bars: bool = False,
    alpha: float | None = None,
) -> None:
    """Draw a mark for each trial at its ``x``, and a star for the one of a number.

    With ``alpha``, completed trials that lie on each other can be told apart.
    """
    for position, o in zip(x, trials, strict=True):
        if o.number == star:
            score = o.score(objective.name)
            ax.plot(position, score, **CHOSEN_MARK, label=star_label)
    for status, mark in STATUS_MARKS.items():
        group = [
            pair for pair in zip(x, trials, strict=True) if pair[1].status == status
        ]
        if group:
            positions, members = zip(*group, strict=True)
            spreads = [o.spread(objective.name) or 0.0 for o in members]
            ax.errorbar(
                positions,
                _scores(members, objective),
                yerr=spreads if bars else None,
                capsize=2,
                elinewidth=1,
                ecolor=PALE,
                linestyle="none",
                alpha=alpha if status == COMPLETED else None,
                **mark,
            )


def _scale_setting(ax: Any, setting: SettingAxis) -> None:
    """Set the ticks, the scale and the label of the axis of a setting."""
    x = setting.positions
    if setting.categories:
        names = setting.categories
        crowded = sum(map(len, names)) > 2 * MAX_TICK_LENGTH
        slant = {"rotation": 30, "ha": "right"} if crowded else {}
        ax.set_xticks(range(len(names)), names, **slant)
        ax.set_xlim(-0.5, len(names) - 0.5)
    else:
        scale_x(ax, x[np.isfinite(x)], log=setting.log)
    ax.margins(y=0.1)
    ax.set_xlabel(setting.name)


def _colours(scores: np.ndarray, objective: Objective) -> Any:
    """Return a colour map whose dark end is the best; the worst tenth is clipped."""
    tail = (10, 100) if objective.sign > 0 else (0, 90)
    low, high = np.percentile(scores, tail)
    name = "viridis_r" if objective.sign > 0 else "viridis"
    norm = matplotlib("colors").Normalize(low, high)
    return matplotlib("cm").ScalarMappable(norm, name)


def _draw_coordinates(
    ax: Any, names: Sequence[str], ticks: Sequence[Sequence[tuple[float, str]]]
) -> None:
    for index, marks in enumerate(ticks):
        ax.axvline(index, color="0.3", linewidth=1, zorder=3)
        for height, text in marks:
            ax.annotate(
                text,
                (index, height),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize="small",
                zorder=4,
                bbox=TICK_BOX,
            )
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks([])
    ax.set_xlim(-0.1, len(names) - 0.6)
    ax.set_frame_on(False)
    ax.tick_params(axis="x", length=0)
