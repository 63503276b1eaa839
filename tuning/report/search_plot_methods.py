"""Methods of a search's result that draw its trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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
        from .search_plots import plot_scores

        return plot_scores(self.outcomes, self.plan.objective, ax, **self._chosen())

    def plot_time(self, ax: Any = None) -> Any:
        """Plot the score of each trial against its seconds."""
        from .search_plots import plot_time

        return plot_time(self.outcomes, self.plan.objective, ax, **self._chosen())

    def plot_effects(self, axes: Sequence[Any] | None = None) -> list[Any]:
        """Plot the score against each setting that differs, one panel for each."""
        from .search_plots import plot_effects

        log = self.plan.space.log_names()
        options = {**self._chosen(), "log": log}
        return plot_effects(self.outcomes, self.plan.objective, axes, **options)

    def plot_parallel(self, ax: Any = None) -> Any:
        """Plot each trial as a line through its settings."""
        from .search_plots import plot_parallel

        options = {**self._chosen(), "log": self.plan.space.log_names()}
        return plot_parallel(self.outcomes, self.plan.objective, ax, **options)

    def _chosen(self) -> dict[str, Any]:
        return {"chosen": self.choice.chosen.number}
