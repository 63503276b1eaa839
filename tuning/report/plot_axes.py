"""Axes and marks of the plots of a search."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emoclf.display import shorten_text
from emoclf.errors import SearchError
from emoclf.plots.plot_style import BLUE, GREY, ORANGE, matplotlib

from ..results.importance import is_number, varying_settings
from ..results.outcome import COMPLETED, PRUNED, Outcome
from .formatting import format_value

STATUS_MARKS: Mapping[str, dict[str, Any]] = {
    COMPLETED: {"marker": "o", "color": BLUE, "label": "completed"},
    PRUNED: {"marker": "o", "color": GREY, "mfc": "white", "label": "ended early"},
}
CHOSEN_MARK = {"marker": "*", "color": ORANGE, "ms": 15, "mec": "black", "ls": "none",
               "zorder": 5}  # fmt: skip
MAX_TICK_LENGTH = 14
MAX_PANEL_COLUMNS = 3
# At most this many different numbers are shown as categories beside "unset".
MAX_NUMBER_CATEGORIES = 6
UNSET, UNSET_HEIGHT = "unset", -0.12


@dataclass(frozen=True)
class SettingAxis:
    """Trials on the axis of a setting: of numbers, or of categories 0, 1, …

    Parameters
    ----------
    name : str
    positions, heights : ndarray, shape (trials,)
        Values, NaN where one is missing, or numbers of categories; and the same from 0
        to 1, below 0 where one is missing.
    ticks : list of (float, str)
        Heights and texts of the ticks.
    log : bool
    categories : list of str
        Names that are short enough for ticks; empty for numbers.
    """

    name: str
    positions: np.ndarray
    heights: np.ndarray
    ticks: list[tuple[float, str]]
    log: bool = False
    categories: Sequence[str] = ()


def _setting_axis(name: str, trials: Sequence[Outcome], *, log: bool) -> SettingAxis:
    values = [o.values.get(name) for o in trials]
    given = [value for value in values if value is not None]
    has_unset = len(given) < len(values)
    numbers = all(map(is_number, given))
    # "unset" is a category beside a few numbers, but has no place among many.
    if not numbers or (has_unset and len({*given}) <= MAX_NUMBER_CATEGORIES):
        order = sorted(given, key=None if numbers else format_value)
        names = [*dict.fromkeys(map(format_value, order)), *[UNSET] * has_unset]
        texts = [UNSET if value is None else format_value(value) for value in values]
        positions = np.array([names.index(text) for text in texts], float)
        last = max(len(names) - 1, 1)
        short = [shorten_text(text, MAX_TICK_LENGTH) for text in names]
        ticks = [(index / last, text) for index, text in enumerate(short)]
        return SettingAxis(name, positions, positions / last, ticks, categories=short)
    positions = np.array(values, float)
    ends = (min(given), max(given))
    log = spans_a_decade(given) or (log and ends[0] > 0)
    low, high = np.log(ends) if log else ends
    heights = ((np.log(positions) if log else positions) - low) / ((high - low) or 1.0)
    ticks = [(0.0, format_value(ends[0])), (1.0, format_value(ends[1]))]
    ticks += [(UNSET_HEIGHT, UNSET)] * has_unset
    heights[np.isnan(heights)] = UNSET_HEIGHT
    return SettingAxis(name, positions, heights, ticks, log)


def setting_axes(trials: Sequence[Outcome], log: Collection[str]) -> list[SettingAxis]:
    """Return an axis for each setting that differs between trials.

    Raises
    ------
    SearchError
        If there are none.
    """
    names = varying_settings(trials)
    if not names:
        raise SearchError(
            f"No setting differs between {len(trials)} trials with a score; there is "
            "nothing to draw."
        )
    return [_setting_axis(name, trials, log=name in log) for name in names]


def spans_a_decade(values: Sequence[float]) -> bool:
    """Return whether values need a logarithmic scale."""
    return bool(len(values)) and min(values) > 0 and max(values) > 10 * min(values)


def new_panels(count: int) -> list[Any]:
    """Return the axes of a new figure with several panels."""
    n_columns = min(count, MAX_PANEL_COLUMNS)
    n_rows = -(-count // n_columns)
    size = (max(3.6 * n_columns, 5), 3.2 * n_rows)
    figure = matplotlib("pyplot").figure(figsize=size, layout="constrained")
    axes = figure.subplots(n_rows, n_columns, sharey=True, squeeze=False)
    for ax in axes.flat[count:]:
        figure.delaxes(ax)
    return list(axes.flat)[:count]


def scale_x(ax: Any, values: Sequence[float], *, log: bool = False) -> None:
    """Use a logarithmic scale if it is asked for, or values span a decade."""
    wide = spans_a_decade(values)
    # Below a factor of three the scales look alike, and the linear ticks are rounder.
    if not wide and not (log and max(values) > 3 * min(values)):
        return
    ticker = matplotlib("ticker")
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 3) if wide else (1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(ticker.NullFormatter())


def jitter(count: int, width: float) -> np.ndarray:
    """Return offsets that separate equal points, always the same ones."""
    return np.random.default_rng(0).uniform(-width, width, count)
