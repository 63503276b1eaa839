"""The progress of a running search: a table on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from statistics import mean
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from emoclf.display import printable

from ..chief.chief import Chief, TrialListeners
from ..results.outcome import COMPLETED, FAILED, OVER_LIMIT, Outcome
from ..results.ranking import rank
from .formatting import format_score, format_settings, singular

#: Ended trials in the table.
MAX_ROWS = 8


class LiveProgress:
    """Print the trials of a search on the standard error stream as they run and end.

    Parameters
    ----------
    trials : int
        Number of trials of the search.
    workers : int
        Number of trials that run at the same time.
    stream : text stream, default=sys.stderr
    """

    def __init__(
        self, trials: int, *, workers: int = 1, stream: TextIO | None = None
    ) -> None:
        self.trials = trials
        self.workers = max(1, workers)
        self.console = Console(file=stream or sys.stderr, highlight=False)
        self._chief: Chief
        self._live: Live | None = None
        self._seconds: list[float] = []

    def begin(self, chief: Chief) -> None:
        """Show the trials of a chief."""
        self._chief = chief
        chief.listeners = TrialListeners(ended=self._ended, lost=self._lost)
        n_done = len(chief.outcomes)
        if n_done >= self.trials:
            self._print(
                f"The search has {n_done} of {self.trials} trials already; none is "
                "added."
            )
        elif n_done:
            self._print(f"Continuing after {n_done} trials.")
        if self.console.is_terminal:
            self._live = Live(
                get_renderable=self._table,
                console=self.console,
                refresh_per_second=2,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()

    def end(self) -> None:
        """Remove the table, which the report replaces."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _print(self, line: str) -> None:
        self.console.print(printable(line, lines=True), soft_wrap=True, markup=False)

    def _ended(self, outcome: Outcome) -> None:
        self._seconds.append(outcome.seconds)
        if self._live is None:
            self._print(self.line(outcome))

    def _lost(self, number: int, reason: str) -> None:
        self._print(
            f"trial {number} lost its worker ({reason}); another one runs it again"
        )

    def line(self, outcome: Outcome) -> str:
        """Return one trial on one line."""
        parts = [f"trial {outcome.number:>3}/{self.trials}", self._result(outcome)]
        parts += [f"{outcome.seconds:.0f} s", *format_settings(outcome.values)]
        if left := self.time_left():
            parts.append(f"({left} left)")
        return "  ".join(parts)

    def _result(self, outcome: Outcome) -> str:
        if outcome.status in (FAILED, OVER_LIMIT) or not outcome.repeats:
            return f"{outcome.status}: {outcome.reason}"
        objective = self._chief.plan.objective
        text = f"{objective.label} {format_score(outcome, objective)}"
        if outcome.status == COMPLETED:
            return text
        return f"{text} (ended early: {outcome.reason})"

    def time_left(self) -> str:
        """Return the expected time for the remaining trials, from the mean so far."""
        n_left = self.trials - len(self._chief.outcomes)
        if not self._seconds or n_left <= 0:
            return ""
        parallel = max(self.workers, len(self._chief.running))
        seconds = mean(self._seconds) * n_left / parallel
        if self._chief.deadline is not None:
            seconds = min(seconds, max(0.0, self._chief.deadline - time.monotonic()))
        minutes = seconds / 60
        if minutes < 2:
            return f"{seconds:.0f} s"
        return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"

    def _table(self) -> Group:
        """Return the running trials, the best ones, and the progress of the search."""
        objective = self._chief.plan.objective
        table = Table(box=None, pad_edge=False)
        for name in ("trial", objective.label, "time", "settings"):
            table.add_column(name, no_wrap=name != "settings")
        outcomes = list(self._chief.outcomes.values())
        plan = self._chief.plan
        for running in list(self._chief.running.values()):
            repeat = min(len(running.repeats) + 1, plan.repeats)
            progress = f"{singular(plan.kind)} {repeat}/{plan.repeats}, epoch "
            progress += str(len(running.curve))
            settings = "  ".join(format_settings(plan.space.decode(running.values)))
            table.add_row(str(running.number), progress, "", settings, style="cyan")
        for outcome in rank(outcomes, objective)[:MAX_ROWS]:
            table.add_row(
                str(outcome.number),
                format_score(outcome, objective),
                f"{outcome.seconds:.0f} s",
                "  ".join(format_settings(outcome.values)),
            )
        text = f"{len(outcomes)} of {self.trials} trials"
        if failed := sum(o.status in (FAILED, OVER_LIMIT) for o in outcomes):
            text += f", {failed} without a score"
        if left := self.time_left():
            text += f"; about {left} left"
        return Group(table, Text(text))
