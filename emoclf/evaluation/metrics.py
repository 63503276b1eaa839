"""Evaluate predictions: numbers only; tables and sentences are made elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    precision_recall_fscore_support,
)

from emoclf.datasets.split import PART_NAMES
from emoclf.evaluation.bootstrap import (
    N_RESAMPLES,
    interval,
    ratio,
    resampled_metrics,
    wilson_interval,
)
from emoclf.evaluation.curves import expected_calibration_error, roc_curves
from emoclf.evaluation.evaluation_plots import EvaluationPlots
from emoclf.evaluation.metric_names import MULTILABEL, ONE_LABEL
from emoclf.evaluation.predicted_texts import Predictions
from emoclf.evaluation.prediction_checks import check_probabilities, checked_ids

if TYPE_CHECKING:
    import pandas as pd

MIN_PROBABILITY = 1e-7


@dataclass(frozen=True)
class ClassMetrics:
    """Metrics of one label; 0 where the denominator is 0.

    ``average_precision`` is None but for multilabel probabilities. ``f1_interval`` is
    the 95 % bootstrap interval; None without texts, where all draws have the same F1,
    and in files of 0.4 and before.
    """

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    average_precision: float | None = None
    f1_interval: tuple[float, float] | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read plain values, directly or from JSON."""
        ends = values.get("f1_interval")
        return cls(**{**values, "f1_interval": ends and tuple(ends)})


@dataclass(frozen=True)
class Evaluation(EvaluationPlots):
    """Metrics of one classifier on one dataset.

    Parameters
    ----------
    name : str
        Name of the classifier: "text_cnn", "TF-IDF + linear SVM", …
    part : str
        Name of the texts: "valid", "test", or a file.
    chose_epoch : bool
        Whether the texts also chose the epoch, so that the metrics are too optimistic.
    n : int
        Number of texts.
    accuracy : float
        Share of texts whose label is, or whose labels all are, predicted correctly.
    macro_f1 : float
        Mean F1 over the labels that occur in the texts.
    micro_f1 : float
        F1 over all decisions; equal to accuracy for one label per text.
    log_loss : float or None
        Mean cross-entropy in nats; None without probabilities.
    intervals : dict of str to (float, float)
        95 % bootstrap intervals of accuracy and macro_f1; for multilabel texts also of
        micro_f1. Where all draws have the same value, accuracy has Wilson's interval,
        and the others are left out.
    per_class : tuple of ClassMetrics
    confusion : tuple of tuples of int, or None
        Counts; rows are true labels, columns predicted ones. None for multilabel texts.
    average_precision : float or None
        Mean area under the precision-recall curve, over the labels that occur in the
        texts; None but for multilabel probabilities. It needs no thresholds.
    calibration_error, roc_auc : float or None
        Expected calibration error, and mean area under the ROC curves of the labels;
        None where they are undefined.
    predicted : ndarray or None
        Predictions, for paired comparisons; not written by ``to_dict``.
    predictions : Predictions or None
        Probabilities and texts, for curves and examples; not written by ``to_dict``.
    """

    name: str
    part: str
    chose_epoch: bool
    n: int
    accuracy: float
    macro_f1: float
    micro_f1: float
    log_loss: float | None
    intervals: dict[str, tuple[float, float]]
    per_class: tuple[ClassMetrics, ...]
    confusion: tuple[tuple[int, ...], ...] | None
    average_precision: float | None = None
    calibration_error: float | None = None
    roc_auc: float | None = None
    predicted: np.ndarray | None = field(default=None, repr=False, compare=False)
    predictions: Predictions | None = field(default=None, repr=False, compare=False)

    def _evaluation(self) -> Self:
        return self

    @property
    def part_name(self) -> str:
        """Name of the texts, and what they were used for before."""
        name = PART_NAMES.get(self.part, self.part)
        return f"{name} (chose the epoch)" if self.chose_epoch else name

    @property
    def multilabel(self) -> bool:
        """Whether a text may have several labels."""
        return self.confusion is None

    @property
    def absent_labels(self) -> tuple[str, ...]:
        """Labels that no text has; macro_f1 is the mean of the others."""
        return tuple(label.label for label in self.per_class if not label.support)

    @property
    def unpredicted_labels(self) -> tuple[str, ...]:
        """Labels that were predicted for no text, as far as the predictions are kept.

        Their precision is undefined.
        """
        counts = self.predicted if self.confusion is None else self.confusion
        if counts is None:
            return ()
        columns = np.sum(counts, axis=0)
        return tuple(
            label.label
            for label, count in zip(self.per_class, columns, strict=True)
            if not count
        )

    @property
    def task(self) -> str:
        """One label or multilabel, as the table of metrics calls it."""
        return MULTILABEL if self.multilabel else ONE_LABEL

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with the metrics of each label."""
        import pandas as pd  # Most programs need no frames.

        frame = pd.DataFrame(map(asdict, self.per_class)).set_index("label")
        ends = [label.f1_interval or (None, None) for label in self.per_class]
        frame["f1_low"], frame["f1_high"] = zip(*ends, strict=True)
        del frame["f1_interval"]
        return frame.dropna(axis="columns", how="all")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        values = asdict(replace(self, predicted=None, predictions=None))
        del values["predicted"], values["predictions"]
        values["intervals"] = {key: [*ends] for key, ends in self.intervals.items()}
        values["per_class"] = [asdict(metrics) for metrics in self.per_class]
        values["confusion"] = self.confusion and [[*row] for row in self.confusion]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` returned, directly or from JSON."""
        confusion = values["confusion"]
        changed = {
            "intervals": {key: tuple(e) for key, e in values["intervals"].items()},
            "per_class": tuple(map(ClassMetrics.from_dict, values["per_class"])),
            "confusion": confusion and tuple(tuple(row) for row in confusion),
        }
        return cls(**{**values, **changed})


def evaluate_probabilities(
    probabilities: np.ndarray,
    truth: np.ndarray,
    label_names: Sequence[str],
    *,
    thresholds: float | Sequence[float] | np.ndarray = 0.5,
    texts: Sequence[str] | None = None,
    **options: Any,
) -> Evaluation:
    """Evaluate probabilities: the likeliest label, or all that reach their threshold.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, n_classes)
    truth, label_names
        Labels, as for :func:`evaluate`.
    thresholds : float, or floats of shape (n_classes,) or (n, n_classes), default=0.5
        Probabilities from which a label is predicted, for multilabel texts.
    texts : sequence of str, optional
        Texts, which are kept with the predictions.
    **options
        Options of :func:`evaluate`.

    Raises
    ------
    DataError
    """
    probabilities = np.asarray(probabilities)
    check_probabilities(probabilities, (len(truth), len(label_names)))
    limits = np.array(thresholds, float)
    predictions = Predictions(
        probabilities,
        np.asarray(truth),
        tuple(map(str, label_names)),
        limits if limits.ndim == 2 else np.broadcast_to(limits, (len(label_names),)),
        None if texts is None else tuple(texts),
    )
    evaluation = evaluate(
        predictions.predicted,
        truth,
        label_names,
        probabilities=probabilities,
        **options,
    )
    return replace(evaluation, predictions=predictions)


def evaluate(
    predicted: np.ndarray,
    truth: np.ndarray,
    label_names: Sequence[str],
    *,
    name: str,
    part: str,
    chose_epoch: bool = False,
    probabilities: np.ndarray | None = None,
    draws: int = N_RESAMPLES,
) -> Evaluation:
    """Evaluate predictions.

    Parameters
    ----------
    predicted, truth : ndarray
        Class ids, shape (n,); or 0 and 1, shape (n, n_classes), for multilabel texts.
    label_names : sequence of str
        Names of the labels, in the order of the ids.
    name, part : str
        Names of the classifier and of the texts.
    chose_epoch : bool, default=False
        Whether the texts also chose the epoch.
    probabilities : ndarray of float, shape (n, n_classes), optional
        Probabilities for the log loss, clipped at 1e-7, and for average precision.
    draws : int, default=1000
        Number of draws of the bootstrap.

    Returns
    -------
    evaluation : Evaluation

    Raises
    ------
    DataError
        If there are no texts, if shapes differ, if an id is no label's, or if a number
        is no probability.
    """
    n_classes = len(label_names)
    predicted, truth = checked_ids(predicted, truth, n_classes, f"{name} on {part}")
    if probabilities is not None:
        check_probabilities(probabilities, (len(truth), n_classes))
    multilabel = truth.ndim == 2
    resampled = resampled_metrics(predicted, truth, n_classes, draws=draws)
    right = (predicted == truth).reshape(len(truth), -1).all(1)
    precisions: list[float | None] = [None] * n_classes
    if multilabel and probabilities is not None:
        precisions = average_precisions(probabilities, truth)
    f1_intervals = map(_interval, resampled.pop("f1").T)
    ends = {key: _interval(values) for key, values in resampled.items()}
    ends["accuracy"] = ends["accuracy"] or wilson_interval(int(right.sum()), len(right))
    per_class = _per_class(predicted, truth, label_names, precisions, f1_intervals)
    accuracy = micro_f1 = float(right.mean())
    error = area = None
    if probabilities is not None:
        error = expected_calibration_error(probabilities, truth)
        area = roc_curves(probabilities, truth, label_names).macro_area
    confusion = None
    if multilabel:
        hits = (predicted * truth).sum()
        micro_f1 = float(ratio(2 * hits, predicted.sum() + truth.sum()))
    else:
        table = confusion_matrix(truth, predicted, labels=np.arange(n_classes))
        confusion = tuple(map(tuple, table.tolist()))
    return Evaluation(
        name=name,
        part=part,
        chose_epoch=chose_epoch,
        n=len(truth),
        accuracy=accuracy,
        # Over the labels that occur, so that all classifiers are averaged over the same
        # ones; scikit-learn would add those that only the predictions contain.
        macro_f1=_mean([label.f1 for label in per_class if label.support]) or 0.0,
        micro_f1=micro_f1,
        log_loss=None if probabilities is None else log_loss(probabilities, truth),
        intervals={key: pair for key, pair in ends.items() if pair},
        per_class=per_class,
        confusion=confusion,
        average_precision=_mean([x for x in precisions if x is not None]),
        calibration_error=error,
        roc_auc=area,
        predicted=predicted,
    )


def average_precisions(
    probabilities: np.ndarray, truth: np.ndarray
) -> list[float | None]:
    """Return each label's average precision; None for one that no text has.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, n_classes)
    truth : ndarray of 0 and 1, shape (n, n_classes)
    """
    return [
        float(average_precision_score(column, scores)) if column.any() else None
        for column, scores in zip(truth.T, probabilities.T, strict=True)
    ]


def _interval(values: np.ndarray) -> tuple[float, float] | None:
    """Return the interval of resampled values; None if it has no width."""
    numbers = values[np.isfinite(values)]
    low, high = interval(numbers) if len(numbers) else (0.0, 0.0)
    return (low, high) if low < high else None


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def log_loss(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean cross-entropy in nats; for multilabel texts, per decision."""
    clipped = np.clip(
        probabilities.astype(np.float64), MIN_PROBABILITY, 1 - MIN_PROBABILITY
    )
    if truth.ndim == 2:
        return float(-(np.where(truth > 0, np.log(clipped), np.log1p(-clipped))).mean())
    return float(-np.log(clipped[np.arange(len(truth)), truth]).mean())


def _per_class(
    predicted: np.ndarray,
    truth: np.ndarray,
    label_names: Sequence[str],
    precisions: Sequence[float | None],
    f1_intervals: Iterable[tuple[float, float] | None],
) -> tuple[ClassMetrics, ...]:
    if truth.ndim == 2 and truth.shape[1] == 1:
        # scikit-learn takes a single column for two classes, so an empty one is added.
        predicted, truth = (np.pad(a, ((0, 0), (0, 1))) for a in (predicted, truth))
    columns = precision_recall_fscore_support(
        truth, predicted, labels=np.arange(len(label_names)), zero_division=0
    )
    # Plain floats and ints, as JSON needs them.
    values = zip(*(column.tolist() for column in columns), strict=True)
    return tuple(
        ClassMetrics(str(label), p, r, f1, support, average, ends)
        for label, (p, r, f1, support), average, ends in zip(
            label_names, values, precisions, f1_intervals, strict=True
        )
    )
