"""A search while it runs: a table on a terminal, a line for each trial elsewhere."""

from __future__ import annotations

import sys
import time
from statistics import mean
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..chief.chief import Chief, Events, Lease
from ..results.outcome import COMPLETED, FAILED, OVER_LIMIT, Outcome
from ..results.ranking import rank
from ..results.wording import label
from .search_report import shown

#: Trials that the table shows beside those that run.
ROWS = 8


class LiveView:
    """Show trials as they run and end, on the standard error stream.

    Parameters
    ----------
    trials : int
        That the search will have.
    workers : int
        That run at the same time.
    stream : text stream, default=sys.stderr
    """

    def __init__(
        self, trials: int, *, workers: int = 1, stream: TextIO | None = None
    ) -> None:
        self.trials = trials
        self.workers = max(1, workers)
        self.console = Console(file=stream or sys.stderr, highlight=False)
        self._chief: Chief | None = None
        self._live: Live | None = None
        self._seconds: list[float] = []

    def begin(self, chief: Chief) -> None:
        """Watch a chief."""
        self._chief = chief
        chief.events = Events(ended=self._ended, lost=self._lost)
        known = len(chief.outcomes)
        if known >= self.trials:
            self._say(
                f"There are {known} trials already, of the {self.trials} asked for: "
                "none is added."
            )
        elif known:
            self._say(f"Going on after {known} trials.")
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
        """Take the table away; the report says it all."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _say(self, line: str) -> None:
        self.console.print(line, soft_wrap=True, markup=False)

    def _ended(self, outcome: Outcome) -> None:
        self._seconds.append(outcome.seconds)
        if self._live is None:
            self._say(self.line(outcome))

    def _lost(self, number: int, why: str) -> None:
        self._say(f"trial {number} lost its worker ({why}); another one runs it again")

    def line(self, outcome: Outcome) -> str:
        """Return one trial on one line."""
        parts = [f"trial {outcome.number:>3}/{self.trials}", self._score(outcome)]
        parts += [f"{outcome.seconds:.0f} s"]
        parts += [f"{name}={shown(value)}" for name, value in outcome.values.items()]
        left = self.left()
        if left:
            parts.append(f"({left} left)")
        return "  ".join(parts)

    def _score(self, outcome: Outcome) -> str:
        assert self._chief is not None
        name = self._chief.plan.objective.name
        score, spread = outcome.score(name), outcome.spread(name)
        if score is None or outcome.status in (FAILED, OVER_LIMIT):
            return f"{outcome.status}: {outcome.reason}"
        figure = f"{label(self._chief.plan.objective)} {score:.4f}"
        if spread is not None:
            figure += f" ± {spread:.4f}"
        if outcome.status == COMPLETED:
            return figure
        return f"{figure} (ended early: {outcome.reason})"

    def left(self) -> str:
        """Return the time that the other trials will take, by the mean so far."""
        assert self._chief is not None
        rest = self.trials - len(self._chief.outcomes)
        if not self._seconds or rest <= 0:
            return ""
        at_once = max(self.workers, len(self._chief.leases))
        seconds = mean(self._seconds) * rest / at_once
        if self._chief.deadline is not None:
            seconds = min(seconds, max(0.0, self._chief.deadline - time.monotonic()))
        minutes = seconds / 60
        if minutes < 2:
            return f"{seconds:.0f} s"
        return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"

    def _table(self) -> Group:
        """Draw those that run, the best, and how far the search is."""
        assert self._chief is not None
        plan = self._chief.plan
        table = Table(box=None, pad_edge=False)
        for name in ("trial", label(plan.objective), "time", "settings"):
            table.add_column(name, no_wrap=name != "settings")
        outcomes = list(self._chief.outcomes.values())
        for lease in list(self._chief.leases.values()):
            table.add_row(*self._running(lease), style="cyan")
        for outcome in rank(outcomes, plan.objective)[:ROWS]:
            settings = "  ".join(f"{k}={shown(v)}" for k, v in outcome.values.items())
            table.add_row(
                str(outcome.number),
                self._score(outcome).partition(" ")[2],
                f"{outcome.seconds:.0f} s",
                settings,
            )
        failed = sum(one.status in (FAILED, OVER_LIMIT) for one in outcomes)
        done = f"{len(outcomes)} of {self.trials} trials"
        done += f", {failed} without a score" if failed else ""
        left = self.left()
        return Group(table, Text(done + (f"; about {left} left" if left else "")))

    def _running(self, lease: Lease) -> tuple[str, str, str, str]:
        assert self._chief is not None
        plan = self._chief.plan
        done, epoch = len(lease.repeats), len(lease.curve)
        unit = "fold" if plan.kind == "folds" else "seed"
        where = f"{unit} {min(done + 1, plan.repeats)}/{plan.repeats}, epoch {epoch}"
        values = plan.space.decode(lease.trial.hyperparameters.values)
        settings = "  ".join(f"{k}={shown(v)}" for k, v in values.items())
        return str(lease.number), where, "", settings
