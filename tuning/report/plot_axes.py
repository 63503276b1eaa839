"""Axes, marks and colours of the plots of a search.

The colours are those of Okabe and Ito (2008, "Color Universal Design"), which people
with any kind of colour vision can distinguish; marks also differ in shape.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from emoclf.errors import SearchError
from emoclf.optional import require

from ..results.importance import is_number, varying_settings
from ..results.outcome import COMPLETED, PRUNED, Outcome
from .formatting import format_value, shorten

BLUE, ORANGE, RED, GREY = "#0072B2", "#E69F00", "#D55E00", "0.55"
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


class SettingAxis:
    """Positions of a setting's values on an axis: numbers, or categories 0, 1, …"""

    def __init__(
        self, name: str, trials: Sequence[Outcome], *, log: bool = False
    ) -> None:
        self.name = name
        values = [o.values.get(name) for o in trials]
        set_values = [value for value in values if value is not None]
        self.has_unset = len(set_values) < len(values)
        self.categories: list[str] = []
        self.low, self.high, self.log = 0.0, 0.0, False
        # "unset" is a category beside a few numbers, but has no place among many.
        numbers = all(map(is_number, set_values))
        if not numbers or (
            self.has_unset and len({*set_values}) <= MAX_NUMBER_CATEGORIES
        ):
            order = sorted(set_values, key=None if numbers else format_value)
            names = dict.fromkeys(map(format_value, order))
            self.categories = [*names, *([UNSET] if self.has_unset else [])]
        else:
            self.low, self.high = min(set_values), max(set_values)
            self.log = spans_a_decade(set_values) or (log and self.low > 0)

    @property
    def category_names(self) -> list[str]:
        """Category names, short enough for ticks."""
        return [shorten(name, MAX_TICK_LENGTH) for name in self.categories]

    def position(self, o: Outcome) -> float:
        """Return the position of a trial; NaN for a missing number."""
        value = o.values.get(self.name)
        if self.categories:
            return self.categories.index(
                UNSET if value is None else format_value(value)
            )
        return np.nan if value is None else float(value)

    def height(self, o: Outcome) -> float:
        """Return the position from 0 to 1, or below 0 for a missing number."""
        position = self.position(o)
        if self.categories:
            return position / max(len(self.categories) - 1, 1)
        if np.isnan(position):
            return UNSET_HEIGHT
        if self.log:
            return float(np.log(position / self.low) / np.log(self.high / self.low))
        return (position - self.low) / ((self.high - self.low) or 1.0)

    def ticks(self) -> list[tuple[float, str]]:
        """Return the heights and texts of the ticks."""
        if self.categories:
            last = max(len(self.categories) - 1, 1)
            return [(i / last, name) for i, name in enumerate(self.category_names)]
        ends = [(0.0, format_value(self.low)), (1.0, format_value(self.high))]
        return [*ends, *([(UNSET_HEIGHT, UNSET)] if self.has_unset else [])]


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
    return [SettingAxis(name, trials, log=name in log) for name in names]


def spans_a_decade(values: Sequence[float]) -> bool:
    """Return whether values need a logarithmic scale."""
    return bool(len(values)) and min(values) > 0 and max(values) > 10 * min(values)


def new_axes(width: float = 8.0) -> Any:
    """Return the axes of a new figure."""
    return matplotlib("pyplot").subplots(figsize=(max(width, 8.0), 4.5))[1]


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


def legend_above(ax: Any) -> None:
    """Draw the legend above the axes, where it covers no marks."""
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, frameon=False)


def jitter(count: int, width: float) -> np.ndarray:
    """Return offsets that separate equal points, always the same ones."""
    return np.random.default_rng(0).uniform(-width, width, count)


def matplotlib(module: str) -> Any:
    """Return a module of matplotlib."""
    return require(
        f"matplotlib.{module}", extra="plots", needed_by="a plot of a search"
    )
