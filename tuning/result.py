"""What a search found, as a table for people and one for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class TrialResult:
    """One trial of a search.

    Parameters
    ----------
    number : int
        From 1; the first trial has the settings that were given.
    values : dict
        What was searched.
    score : float or None
        The monitored figure on the validation part; None when the trial failed.
    status : {"completed", "failed", "running"}
    reason : str
        Why it failed.
    """

    number: int
    values: dict[str, Any]
    score: float | None
    status: str
    reason: str = ""


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Parameters
    ----------
    trials : tuple of TrialResult
        In the order in which they were started.
    best : TrialResult
    path : Path
        Bundle of the best trial.
    monitor : str
        The figure that was compared, on the validation part, which chose both the
        epoch and the trial: judge the winner on a test part.
    """

    trials: tuple[TrialResult, ...]
    best: TrialResult
    path: Path
    monitor: str

    def lines(self) -> list[str]:
        """Return a table of all trials, best first, as text."""
        failed = [trial for trial in self.trials if trial.status == "failed"]
        ranked = sorted(
            (trial for trial in self.trials if trial.score is not None),
            key=lambda trial: -sign(self.monitor) * float(trial.score or 0.0),
        )
        rows = [f"trial  validation {self.monitor}  settings"]
        for trial in ranked:
            shown = "  ".join(
                f"{name}={short(value)}" for name, value in trial.values.items()
            )
            rows.append(f"{trial.number:>5}  {trial.score:>{11 + len(self.monitor)}.4f}"
                        f"  {shown}")  # fmt: skip
        if failed:
            rows += ["", f"{len(failed)} of {len(self.trials)} trials failed:"]
            rows += [f"{trial.number:>5}  {trial.reason}" for trial in failed]
        return rows


def write_results(path: Path, trials: Sequence[TrialResult], monitor: str) -> None:
    """Write one row for each trial as CSV."""
    rows = [
        {
            "trial": trial.number,
            "status": trial.status,
            f"valid_{monitor}": trial.score,
            **trial.values,
            "reason": trial.reason,
        }
        for trial in trials
    ]
    pd.DataFrame(rows).to_csv(path, index=False)


def sign(monitor: str) -> int:
    """Return 1 where more is better, and -1 where less is."""
    return -1 if monitor == "loss" else 1


def short(value: Any) -> str:
    """Show a value in a table."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
