"""What came out of a trial, as plain values that a file and a wire can carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import mean, stdev
from typing import Any, Self

#: How a trial can end. Only completed ones can win.
COMPLETED, PRUNED, FAILED, OVER_LIMIT = "completed", "pruned", "failed", "over-limit"
STATUSES = (COMPLETED, PRUNED, FAILED, OVER_LIMIT)
#: What the trainings of one trial differ in.
FOLDS, SEEDS = "folds", "seeds"
KINDS = (FOLDS, SEEDS)
#: Ways to choose the settings of the next trial.
STRATEGIES = ("random", "grid", "bayesian", "hyperband")
#: Number of the trial that has the settings that were given.
DEFAULTS = 1


@dataclass(frozen=True)
class Repeat:
    """One training of a trial: on one fold, or with one seed.

    Parameters
    ----------
    metrics : dict of str to float
        Metrics of the held-out part, which also chose the epoch: ``accuracy``,
        ``macro_f1``, ``micro_f1``, ``log_loss``; for several labels per text also
        ``average_precision``.
    best_epoch, epochs : int
        The epoch whose weights were judged, from 1, and those that were trained.
    curve : tuple of float
        The objective's stand-in for pruning, epoch by epoch: the validation figure that
        chose the epoch.
    seconds : float
        Of the training.
    findings : tuple of str
        Names of what the doctor found.
    """

    metrics: dict[str, float]
    best_epoch: int
    epochs: int
    curve: tuple[float, ...]
    seconds: float
    findings: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` returned, by way of JSON or not."""
        own = {name: tuple(values[name]) for name in ("curve", "findings")}
        others = {key: value for key, value in values.items() if key != "figures"}
        return cls(metrics=values["figures"], **{**others, **own})

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON knows them."""
        values = asdict(self)
        return {"figures": values.pop("metrics"), **values}


@dataclass(frozen=True)
class Outcome:
    """One trial of a search.

    Parameters
    ----------
    number : int
        From 1; the first trial has the settings that were given.
    values : dict
        What was searched, as settings: numbers, texts, lists of numbers, or None.
        Only what was in force: conditional settings may be missing.
    status : {"completed", "pruned", "failed", "over-limit"}
    repeats : tuple of Repeat
        All of them for a completed trial, the first ones for a pruned trial.
    parameters : int or None
        Weights of the network, embedding included.
    bytes : int or None
        Size of its files, where a limit was asked for.
    milliseconds : float or None
        Time for one text, where a limit was asked for.
    seconds : float
        Wall time of the whole trial.
    began : float
        Seconds after the search's first start at which the trial began.
    worker : str
    reason : str
        Why it failed, was pruned, or is over a limit.
    """

    number: int
    values: dict[str, Any]
    status: str
    repeats: tuple[Repeat, ...] = ()
    parameters: int | None = None
    bytes: int | None = None
    milliseconds: float | None = None
    seconds: float = 0.0
    began: float = 0.0
    worker: str = ""
    reason: str = ""

    def scores(self, objective: str) -> list[float]:
        """Return a figure of each repeat."""
        return [repeat.metrics[objective] for repeat in self.repeats]

    def score(self, objective: str) -> float | None:
        """Return the mean of a figure over the repeats that ran."""
        scores = self.scores(objective)
        return mean(scores) if scores else None

    def spread(self, objective: str) -> float | None:
        """Return the standard deviation over repeats; None for fewer than two."""
        scores = self.scores(objective)
        return stdev(scores) if len(scores) > 1 else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON knows them."""
        repeats = [repeat.to_dict() for repeat in self.repeats]
        return {**asdict(self), "repeats": repeats}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` returned, by way of JSON or not."""
        repeats = tuple(map(Repeat.from_dict, values["repeats"]))
        return cls(**{**values, "repeats": repeats})
