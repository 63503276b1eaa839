"""A network against a floor, on the same resampled texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np

from emoclf._moved import RenamedAttribute
from emoclf.errors import DataError
from emoclf.evaluation.bootstrap import DRAWS, interval, resampled_figures
from emoclf.evaluation.metrics import Evaluation

Metric = Literal["macro_f1", "accuracy", "micro_f1"]
WORDS = {"macro_f1": "macro-F1", "accuracy": "accuracy", "micro_f1": "micro-F1"}
ONE_LABEL: tuple[Metric, ...] = ("macro_f1", "accuracy")
# Exact match says little where most texts have one label of many.
MULTILABEL: tuple[Metric, ...] = ("macro_f1", "micro_f1")


@dataclass(frozen=True)
class Comparison:
    """How far one classifier is above another on one part.

    Parameters
    ----------
    floor, part : str
        Whom the network is compared with, and where.
    metric : {"macro_f1", "accuracy", "micro_f1"}
        Accuracy for one label per text, micro-F1 for several.
    difference : float
        Figure of the network minus that of the floor.
    low, high : float
        95 % interval of the difference, over the same resampled texts.
    """

    baseline: str
    part: str
    metric: Metric
    difference: float
    low: float
    high: float

    floor = RenamedAttribute("baseline")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON knows them."""
        values = asdict(self)
        return {"floor": values.pop("baseline"), **values}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` returned."""
        others = {key: value for key, value in values.items() if key != "floor"}
        return cls(baseline=values["floor"], **others)

    @property
    def beaten(self) -> bool:
        """Whether the whole interval is above 0."""
        return self.low > 0

    @property
    def points(self) -> str:
        """The difference in words, in hundredths."""
        return (
            f"{100 * self.difference:+.1f} points of {WORDS[self.metric]} "
            f"(95 % interval {100 * self.low:+.1f} to {100 * self.high:+.1f})"
        )


def compare(
    network: Evaluation,
    baseline: Evaluation,
    truth: np.ndarray,
    *,
    seed: int = 0,
    draws: int = DRAWS,
) -> tuple[Comparison, ...]:
    """Compare two classifiers by paired bootstrap (Koehn, 2004), metric by metric.

    Parameters
    ----------
    network, floor : Evaluation
        Of the same texts, as ``evaluate`` returned them.
    truth : ndarray
        Class ids, shape (n,); or 0 and 1, shape (n, n_classes).
    seed, draws : int
        Of the bootstrap.

    Raises
    ------
    DataError
        If they were not judged on these texts, or were read from a file: a file holds
        figures, not predictions.
    """
    truth, n_classes = np.asarray(truth).astype(np.int64), len(network.per_class)
    metrics = []
    for found in (network, baseline):
        if found.predicted is None or found.predicted.shape != truth.shape:
            shape = None if found.predicted is None else found.predicted.shape
            raise DataError(
                f"{found.name} on {found.part} must hold predictions of shape "
                f"{truth.shape}, one for each text compared. Got {shape} instead. "
                "Judge it on these texts again."
            )
        metrics.append(
            resampled_figures(found.predicted, truth, n_classes, seed=seed, draws=draws)
        )
    ours, theirs = metrics
    return tuple(
        Comparison(
            baseline.name,
            baseline.part,
            metric,
            getattr(network, metric) - getattr(baseline, metric),
            *interval(ours[metric] - theirs[metric]),
        )
        for metric in (ONE_LABEL if truth.ndim == 1 else MULTILABEL)
    )
