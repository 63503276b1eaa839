"""The outcome of a trial, as plain values that a file or a message can hold."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from statistics import mean, stdev
from typing import Any, Self

from emoclf.bundle.json_values import CHECKSUM, JsonObject
from emoclf.evaluation.metric_names import OBJECTIVES

#: Statuses of a trial that has ended. Only completed trials can win.
COMPLETED, PRUNED, FAILED, OVER_LIMIT = "completed", "pruned", "failed", "over-limit"
STATUSES = (COMPLETED, PRUNED, FAILED, OVER_LIMIT)
#: What differs between the trainings of one trial.
FOLDS, SEEDS = "folds", "seeds"
KINDS = (FOLDS, SEEDS)
#: Ways to choose the settings of the next trial.
STRATEGIES = ("random", "grid", "bayesian", "hyperband")
#: Bounds of what is read.
MAX_LOG_LOSS, MAX_BYTES = 1e6, 1 << 62
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
    def from_json(cls, values: JsonObject) -> Self:
        """Return a repeat from the result of :meth:`to_dict`, read from JSON.

        Raises
        ------
        ValueError
            If a value is missing, or has another type or range.
        """
        figures = values.object("figures")
        figures.check_keys(OBJECTIVES)
        values.check_keys((*_names(cls, "metrics"), "figures"))
        return cls(
            metrics={
                name: figures.number(name, 0, 1 if name != "log_loss" else MAX_LOG_LOSS)
                for name in figures.values
            },
            best_epoch=values.whole("best_epoch"),
            epochs=values.whole("epochs"),
            curve=finite_part(values.numbers("curve")),
            seconds=values.number("seconds", 0),
            findings=tuple(values.texts("findings")),
        )

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
    def from_json(cls, values: JsonObject) -> Self:
        """Return an outcome from the result of :meth:`to_dict`, read from JSON.

        Raises
        ------
        ValueError
            If a value is missing, or has another type or range.
        """
        values.check_keys((*_names(cls), CHECKSUM))

        def optional(read: Callable[..., Any], key: str, *bounds: float) -> Any:
            return None if values.values.get(key) is None else read(key, *bounds)

        return cls(
            number=values.whole("number", 1),
            values=values.object("values").values,
            status=values.text("status", STATUSES),
            repeats=tuple(map(Repeat.from_json, values.objects("repeats"))),
            parameters=optional(values.whole, "parameters", 0, MAX_BYTES),
            bytes=optional(values.whole, "bytes", 0, MAX_BYTES),
            milliseconds=optional(values.number, "milliseconds", 0),
            seconds=values.number("seconds", 0),
            began=values.number("began", 0),
            worker=values.text("worker"),
            reason=values.text("reason"),
        )


def _names(owner: type, *excluded: str) -> list[str]:
    """Return the names of a dataclass's fields without the others."""
    return [field.name for field in fields(owner) if field.name not in excluded]


def finite_part(curve: Iterable[float]) -> tuple[float, ...]:
    """Return the values before the first that is not finite, which ends a training."""
    return tuple(itertools.takewhile(math.isfinite, curve))
