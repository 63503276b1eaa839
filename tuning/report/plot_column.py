"""A setting as an axis of a plot: its values as numbers, or as categories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emoclf.errors import SearchError

from ..results.importance import is_number, varied
from ..results.outcome import Outcome
from .search_report import shown

LONGEST_TICK = 14
FEW = 6
UNSET, BELOW = "unset", -0.12


class Column:
    """Where a setting's values are on an axis: numbers, or categories 0, 1, …"""

    def __init__(
        self, name: str, trials: Sequence[Outcome], *, log: bool = False
    ) -> None:
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
            self.log = spans_a_decade(known) or (log and self.low > 0)

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
            return [(n / last, cut(c)) for n, c in enumerate(self.categories)]
        ends = [(0.0, shown(self.low)), (1.0, shown(self.high))]
        return [*ends, *([(BELOW, UNSET)] if self.some_unset else [])]


def spans_a_decade(values: Sequence[float]) -> bool:
    """Return whether values want a scale of ratios."""
    return bool(len(values)) and min(values) > 0 and max(values) > 10 * min(values)


def settings_to_draw(trials: Sequence[Outcome]) -> list[str]:
    """Return the settings that differ between trials.

    Raises
    ------
    SearchError
        If there are none.
    """
    names = varied(trials)
    if not names:
        raise SearchError(
            f"No setting differs between {len(trials)} trials with a score; there is "
            "nothing to draw."
        )
    return names


def cut(text: str) -> str:
    """Return a text that fits beside a tick."""
    return text if len(text) <= LONGEST_TICK else f"{text[: LONGEST_TICK - 1]}…"
