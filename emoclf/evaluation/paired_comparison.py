"""Comparison of a network with a baseline, on the same resampled texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from emoclf.errors import DataError
from emoclf.evaluation.bootstrap import interval, resampled_metrics
from emoclf.evaluation.metric_names import METRICS, compared_metrics
from emoclf.evaluation.metrics import Evaluation


@dataclass(frozen=True)
class Comparison:
    """Difference between a network and a baseline on one dataset.

    Parameters
    ----------
    baseline, part : str
        Names of the baseline and of the dataset.
    metric : str
        Name of the metric; one of ``metric_names.compared_metrics``.
    difference : float
        Metric of the network minus that of the baseline.
    low, high : float
        95 % interval of the difference, over the same resampled texts.
    """

    baseline: str
    part: str
    metric: str
    difference: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        values = asdict(self)
        return {"floor": values.pop("baseline"), **values}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` returned."""
        values = dict(values)
        return cls(baseline=values.pop("floor"), **values)

    @property
    def beaten(self) -> bool:
        """Whether the whole interval is above 0."""
        return self.low > 0

    @property
    def relation(self) -> str:
        """Relation in words; "better" and "worse" need a difference beyond chance."""
        if self.beaten:
            return "is better than"
        return "is worse than" if self.high < 0 else "cannot be told apart from"

    @property
    def label(self) -> str:
        """Name of the metric in reports."""
        return METRICS[self.metric].label

    @property
    def points(self) -> str:
        """The difference in words, in hundredths."""
        return (
            f"{100 * self.difference:+.1f} points of {self.label} "
            f"(95 % interval {100 * self.low:+.1f} to {100 * self.high:+.1f})"
        )


def compare(
    network: Evaluation, baseline: Evaluation, truth: np.ndarray
) -> tuple[Comparison, ...]:
    """Compare two classifiers by paired bootstrap (Koehn, 2004), metric by metric.

    Parameters
    ----------
    network, baseline : Evaluation
        Evaluations on the same texts, as ``evaluate`` returned them.
    truth : ndarray
        Class ids, shape (n,); or 0 and 1, shape (n, n_classes).

    Raises
    ------
    DataError
        If an evaluation is not of these texts, or was read from a file: files contain
        metrics, not predictions.
    """
    truth, n_classes = np.asarray(truth).astype(np.int64), len(network.per_class)
    metrics = []
    for evaluation in (network, baseline):
        predicted = evaluation.predicted
        if predicted is None or predicted.shape != truth.shape:
            shape = None if predicted is None else predicted.shape
            raise DataError(
                f"{evaluation.name} on {evaluation.part} must contain predictions of "
                f"shape {truth.shape}, one for each text compared. Got {shape} "
                "instead. Evaluate it on these texts again."
            )
        metrics.append(resampled_metrics(predicted, truth, n_classes))
    of_network, of_baseline = metrics
    return tuple(
        Comparison(
            baseline.name,
            baseline.part,
            metric,
            getattr(network, metric) - getattr(baseline, metric),
            *interval(of_network[metric] - of_baseline[metric]),
        )
        for metric in compared_metrics(network.task)
    )
