"""What the plots of a search share: colours, marks, axes.

Colours are those of Okabe and Ito (2008, "Color Universal Design"), which people with
any kind of colour vision can tell apart; what differs in colour differs in form too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emoclf.optional import require

from ..results.objective import Objective
from ..results.outcome import COMPLETED, PRUNED, Outcome
from ..results.ranking import worth
from .plot_column import spans_a_decade

BLUE, ORANGE, RED, GREY = "#0072B2", "#E69F00", "#D55E00", "0.55"
LOOKS: Mapping[str, dict[str, Any]] = {
    COMPLETED: {"marker": "o", "color": BLUE, "label": "completed"},
    PRUNED: {"marker": "o", "color": GREY, "mfc": "white", "label": "given up early"},
}
#: The trial whose settings were chosen.
STAR = {"marker": "*", "color": ORANGE, "ms": 15, "mec": "black", "ls": "none",
        "zorder": 5}  # fmt: skip


def new_axes(needed_by: str, width: float = 8.0) -> Any:
    """Return the axes of a new figure."""
    pyplot = require("matplotlib.pyplot", extra="plots", needed_by=needed_by)
    return pyplot.subplots(figsize=(max(width, 8.0), 4.5))[1]


def score_of(o: Outcome, objective: Objective) -> float:
    """Return a trial's score as its objective has it."""
    return objective.sign * worth(o, objective)


def scale(ax: Any, values: Sequence[float], *, log: bool = False) -> None:
    """Use a scale of ratios where it is asked for, or values span a decade."""
    far = spans_a_decade(values)
    # Between ends this near the two scales look alike, and one has round numbers.
    if not far and not (log and max(values) > 3 * min(values)):
        return
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(ticker().LogLocator(subs=(1, 3) if far else (1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(ticker().NullFormatter())


def legend_above(ax: Any) -> None:
    """Explain the marks where no mark can stand."""
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, frameon=False)


def jitter(n: int, width: float) -> np.ndarray:
    """Return offsets that keep equal points apart, the same ones every time."""
    return np.random.default_rng(0).uniform(-width, width, n)


def ticker() -> Any:
    """Return matplotlib's module of ticks."""
    return require("matplotlib.ticker", extra="plots", needed_by="a plot of a search")
