"""Figures of a search; each function takes axes and returns them.

Colours are those of Okabe and Ito (2008, "Color Universal Design"), which people with
any kind of colour vision can tell apart; what differs in colour differs in form too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.errors import SearchError
from emoclf.evaluation.plots import save_plot
from emoclf.optional import require

from .importance import is_number, varied
from .objective import Objective
from .outcome import COMPLETED, PRUNED, Outcome
from .ranking import front, rank, running_best, scored, worth
from .report import shown
from .wording import label

BLUE, ORANGE, RED, GREY = "#0072B2", "#E69F00", "#D55E00", "0.55"
LOOKS: Mapping[str, dict[str, Any]] = {
    COMPLETED: {"marker": "o", "color": BLUE, "label": "completed"},
    PRUNED: {"marker": "o", "color": GREY, "mfc": "white", "label": "given up early"},
}
LONGEST_TICK = 14
MOST_COLUMNS = 3
FEW = 6
PAPER = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8}
UNSET, BELOW = "unset", -0.12


def plot_scores(
    outcomes: Sequence[Outcome], objective: Objective, ax: Any = None
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

    Returns
    -------
    ax : matplotlib Axes
    """
    ax = ax if ax is not None else _new_axes("plot_scores")
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
        heights = [_score(o, objective) for o in [*steps, steps[-1]]]
        ax.step(numbers, heights, where="post", color=ORANGE, label="best so far")
    known = {o.number for o in scored(outcomes)}
    lost = [o.number for o in outcomes if o.number not in known]
    if lost:
        bottom = ax.get_xaxis_transform()
        ax.plot(lost, [0.02] * len(lost), "x", color=RED, transform=bottom,
                label="failed or over a limit")  # fmt: skip
    ax.xaxis.set_major_locator(_ticker().MaxNLocator(integer=True))
    ax.set_xlabel("trial")
    ax.set_ylabel(f"{label(objective)} (mean ± sd)")
    _legend_above(ax)
    return ax


def plot_time(outcomes: Sequence[Outcome], objective: Objective, ax: Any = None) -> Any:
    """Draw the score of each trial against its seconds.

    The line joins the completed trials that no other beats in both (Pareto's front);
    their numbers stand beside them.

    Returns
    -------
    ax : matplotlib Axes
    """
    ax = ax if ax is not None else _new_axes("plot_time")
    trials = scored(outcomes)
    for status, look in LOOKS.items():
        some = [o for o in trials if o.status == status]
        if some:
            heights = [_score(o, objective) for o in some]
            ax.plot([o.seconds for o in some], heights, linestyle="none", **look)
    unbeaten = front(outcomes, objective)
    places = [(o.seconds, _score(o, objective)) for o in unbeaten]
    if places:
        name = "nothing faster is better"
        ax.step(*zip(*places, strict=True), where="post", color=ORANGE, label=name)
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
    _scale(ax, [o.seconds for o in trials])
    ax.set_xlabel("seconds of the trial")
    ax.set_ylabel(label(objective))
    _legend_above(ax)
    return ax


def plot_effects(
    outcomes: Sequence[Outcome], objective: Objective, axes: Any = None
) -> list[Any]:
    """Draw the score against each setting that differs, one panel for each.

    Parameters
    ----------
    axes : sequence of matplotlib Axes, optional
        One per setting; else panels of a new figure.

    Returns
    -------
    axes : list of matplotlib Axes
        One per setting, in the settings' order.
    """
    trials = scored(outcomes)
    names = _settings_to_draw(trials)
    panels = _new_panels(len(names)) if axes is None else list(np.ravel(axes))
    best = next(iter(rank(outcomes, objective)), None)
    for place, (name, ax) in enumerate(zip(names, panels, strict=False)):
        _draw_effect(ax, _Column(name, trials), trials, best, objective)
        if place % MOST_COLUMNS == 0:
            ax.set_ylabel(label(objective))
    if axes is None:
        looks = panels[0].get_legend_handles_labels()
        place_of = {"loc": "outside upper left", "ncols": 3, "frameon": False}
        panels[0].figure.legend(*looks, **place_of)
    return panels[: len(names)]


def plot_parallel(
    outcomes: Sequence[Outcome], objective: Objective, ax: Any = None
) -> Any:
    """Draw each trial as a line through its settings, the better the darker.

    Inselberg (1985), "The plane with parallel coordinates". Each axis is a setting, on
    a scale of ratios where it spans more than a decade; the last one is the score.

    Returns
    -------
    ax : matplotlib Axes
    """
    trials = sorted(scored(outcomes), key=lambda o: worth(o, objective))
    names = _settings_to_draw(trials)
    columns = [_Column(name, trials) for name in names]
    ax = ax if ax is not None else _new_axes("plot_parallel", 2 + 1.6 * len(names))
    scores = np.array([_score(o, objective) for o in trials])
    colours = _colours(scores, objective)
    low, high = float(scores.min()), float(scores.max())
    span = (high - low) or 1.0
    rows = np.array([[column.height(o) for column in columns] for o in trials])
    for place, column in enumerate(columns):
        # Trials on one category stay lines that the eye can follow.
        rows[:, place] += _jitter(len(trials), 0.02) if column.categories else 0.0
    for o, row, score in zip(trials, rows, scores, strict=True):
        ax.plot(
            range(len(names) + 1),
            [*row, (score - low) / span],
            color=colours.to_rgba(score),
            linewidth=1.2,
            linestyle="--" if o.status == PRUNED else "-",
        )
    ends = [column.ticks() for column in columns]
    ends.append([(0.0, f"{low:.3f}"), (1.0, f"{high:.3f}")])
    _draw_coordinates(ax, [*names, label(objective)], ends)
    extend = "min" if objective.sign > 0 else "max"
    bar = ax.figure.colorbar(colours, ax=ax, extend=extend, pad=0.04)
    bar.set_label(label(objective))
    return ax


def save_plots(
    outcomes: Sequence[Outcome], objective: Objective, folder: Path
) -> list[Path]:
    """Write every plot that there is something to draw for, as PNG.

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
    plots: Mapping[str, Any] = {"scores": plot_scores, "time": plot_time}
    if varied(trials):
        plots = {**plots, "effects": plot_effects, "parallel": plot_parallel}
    paths = [folder / f"{name}.png" for name in plots]
    for path, plot in zip(paths, plots.values(), strict=True):
        save_plot(np.ravel(plot(outcomes, objective))[0], path)
    return paths


class _Column:
    """Where a setting's values are on an axis: numbers, or categories 0, 1, …"""

    def __init__(self, name: str, trials: Sequence[Outcome]) -> None:
        self.name = name
        values = [o.values.get(name) for o in trials]
        known = [v for v in values if v is not None]
        self.some_unset = len(known) < len(values)
        self.categories: list[str] = []
        self.low, self.high, self.log = 0.0, 0.0, False
        # Beside a few numbers "unset" is one more category; among many it has no place.
        numbers = all(map(is_number, known))
        if not numbers or (self.some_unset and len(set(known)) <= FEW):
            order = sorted(known, key=None if numbers else shown)
            names = dict.fromkeys(map(shown, order))
            self.categories = [*names, *([UNSET] if self.some_unset else [])]
        else:
            self.low, self.high = min(known), max(known)
            self.log = spans_a_decade(known)

    def at(self, o: Outcome) -> float:
        """Return the place of a trial; not a number where a number is not in force."""
        value = o.values.get(self.name)
        if self.categories:
            return self.categories.index(UNSET if value is None else shown(value))
        return np.nan if value is None else float(value)

    def height(self, o: Outcome) -> float:
        """Return the place between 0 and 1, and below where nothing is in force."""
        at = self.at(o)
        if self.categories:
            return at / max(len(self.categories) - 1, 1)
        if np.isnan(at):
            return BELOW
        if self.log:
            return float(np.log(at / self.low) / np.log(self.high / self.low))
        return (at - self.low) / ((self.high - self.low) or 1.0)

    def ticks(self) -> list[tuple[float, str]]:
        """Return heights and what to write there."""
        if self.categories:
            last = max(len(self.categories) - 1, 1)
            return [(n / last, _cut(c)) for n, c in enumerate(self.categories)]
        ends = [(0.0, shown(self.low)), (1.0, shown(self.high))]
        return [*ends, *([(BELOW, UNSET)] if self.some_unset else [])]


def spans_a_decade(values: Sequence[float]) -> bool:
    """Return whether values want a scale of ratios."""
    return bool(len(values)) and min(values) > 0 and max(values) > 10 * min(values)


def _settings_to_draw(trials: Sequence[Outcome]) -> list[str]:
    names = varied(trials)
    if not names:
        raise SearchError(
            f"No setting differs between {len(trials)} trials with a score; there is "
            "nothing to draw."
        )
    return names


def _score(o: Outcome, objective: Objective) -> float:
    return objective.sign * worth(o, objective)


def _draw_effect(
    ax: Any,
    column: _Column,
    trials: Sequence[Outcome],
    best: Outcome | None,
    objective: Objective,
) -> None:
    x = np.array([column.at(o) for o in trials])
    y = np.array([_score(o, objective) for o in trials])
    early = np.array([o.status == PRUNED for o in trials])
    is_best = np.array([o is best for o in trials])
    if column.categories:
        x = x + _jitter(len(x), 0.18)
    star = {"marker": "*", "color": ORANGE, "ms": 15, "mec": "black", "label": "best"}
    groups = [
        (~early & ~is_best, {**LOOKS[COMPLETED], "alpha": 0.7}),
        (early, LOOKS[PRUNED]),
        (is_best, star),
    ]
    for chosen, look in groups:
        if chosen.any():
            ax.plot(x[chosen], y[chosen], linestyle="none", **look)
    if column.categories:
        _name_categories(ax, column)
    else:
        _scale(ax, x[np.isfinite(x)])
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


def _name_categories(ax: Any, column: _Column) -> None:
    names = [_cut(name) for name in column.categories]
    crowded = sum(map(len, names)) > 2 * LONGEST_TICK
    slant = {"rotation": 30, "ha": "right"} if crowded else {}
    ax.set_xticks(range(len(names)), names, **slant)
    ax.set_xlim(-0.5, len(names) - 0.5)


def _scale(ax: Any, values: Sequence[float]) -> None:
    """Use a scale of ratios where values span more than a decade."""
    if not spans_a_decade(values):
        return
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(_ticker().LogLocator(subs=(1, 3)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(_ticker().NullFormatter())


def _legend_above(ax: Any) -> None:
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, frameon=False)


def _jitter(n: int, width: float) -> np.ndarray:
    return np.random.default_rng(0).uniform(-width, width, n)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TICK else f"{text[: LONGEST_TICK - 1]}…"


def _ticker() -> Any:
    return require("matplotlib.ticker", extra="plots", needed_by="a plot of a search")


def _new_axes(needed_by: str, width: float = 8.0) -> Any:
    pyplot = require("matplotlib.pyplot", extra="plots", needed_by=needed_by)
    return pyplot.subplots(figsize=(max(width, 8.0), 4.5))[1]


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
