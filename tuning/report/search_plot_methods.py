"""Methods of a search's result that draw its trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from emoclf import plots

if TYPE_CHECKING:
    from ..plan import SearchPlan
    from ..results.choice import Choice
    from ..results.outcome import Outcome


class SearchPlots:
    """Base class of results of searches; each method returns the axes.

    They are given, or those of a new figure. All methods need the extra ``plots``.
    """

    plan: SearchPlan
    outcomes: tuple[Outcome, ...]
    choice: Choice

    def plot_scores(self, ax: Any = None) -> Any:
        """Plot the score of each trial, and the best so far."""
        return self._plot(plots.plot_scores, ax)

    def plot_time(self, ax: Any = None) -> Any:
        """Plot the score of each trial against its seconds."""
        return self._plot(plots.plot_time, ax)

    def plot_effects(self, axes: Sequence[Any] | None = None) -> list[Any]:
        """Plot the score against each setting that differs, one panel for each."""
        log = self.plan.space.log_names()
        return self._plot(plots.plot_effects, axes, log=log)

    def plot_parallel(self, ax: Any = None) -> Any:
        """Plot each trial as a line through its settings."""
        log = self.plan.space.log_names()
        return self._plot(plots.plot_parallel, ax, log=log)

    def _plot(self, draw: Any, ax: Any, **options: Any) -> Any:
        chosen = self.choice.chosen.number
        return draw(self.outcomes, self.plan.objective, ax, chosen=chosen, **options)
