"""The outcome of a trial, as plain values that a file or a message can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import mean, stdev
from typing import Any, Self

#: Statuses of a trial that has ended. Only completed trials can win.
COMPLETED, PRUNED, FAILED, OVER_LIMIT = "completed", "pruned", "failed", "over-limit"
#: What differs between the trainings of one trial.
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
        Metrics of the validation set, which also chose the epoch: ``accuracy``,
        ``macro_f1``, ``micro_f1``, ``log_loss``; with multilabel data also
        ``average_precision``.
    best_epoch, epochs : int
        Epoch whose weights were evaluated, from 1, and number of trained epochs.
    curve : tuple of float
        Validation metric that chose the epoch, epoch by epoch; pruning compares it.
    seconds : float
        Duration of the training.
    findings : tuple of str
        Names of the doctor's findings.
    """

    metrics: dict[str, float]
    best_epoch: int
    epochs: int
    curve: tuple[float, ...]
    seconds: float
    findings: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return a repeat from the result of :meth:`to_dict`, read from JSON or not."""
        fields = dict(values)
        metrics = fields.pop("figures")
        tuples = {name: tuple(fields[name]) for name in ("curve", "findings")}
        return cls(metrics=metrics, **{**fields, **tuples})

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        values = asdict(self)
        return {"figures": values.pop("metrics"), **values}


@dataclass(frozen=True)
class Outcome:
    """One trial of a search.

    Parameters
    ----------
    number : int
        Number from 1; the first trial has the settings that were given.
    values : dict
        Searched settings: numbers, texts, lists of numbers, or None. Conditional
        settings whose condition does not hold are missing.
    status : {"completed", "pruned", "failed", "over-limit"}
    repeats : tuple of Repeat
        All of them for a completed trial, the first ones for a pruned trial.
    parameters : int or None
        Number of weights of the network, embedding included.
    bytes : int or None
        Size of its files, where a limit was asked for.
    milliseconds : float or None
        Time for one text, where a limit was asked for.
    seconds : float
        Wall time of the whole trial.
    began : float
        Start of the trial, in seconds since the search was first started.
    worker : str
        Name of the worker.
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

    def scores(self, metric: str) -> list[float]:
        """Return a metric of each repeat."""
        return [repeat.metrics[metric] for repeat in self.repeats]

    def score(self, metric: str) -> float | None:
        """Return the mean of a metric over the repeats that ran."""
        scores = self.scores(metric)
        return mean(scores) if scores else None

    def spread(self, metric: str) -> float | None:
        """Return the standard deviation over repeats; None for fewer than two."""
        scores = self.scores(metric)
        return stdev(scores) if len(scores) > 1 else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        repeats = [repeat.to_dict() for repeat in self.repeats]
        return {**asdict(self), "repeats": repeats}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return an outcome from the result of :meth:`to_dict`."""
        repeats = tuple(map(Repeat.from_dict, values["repeats"]))
        return cls(**{**values, "repeats": repeats})
