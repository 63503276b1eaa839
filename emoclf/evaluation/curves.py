"""Curves of probabilities as numbers: ROC, precision-recall, calibration, coverage.

Figures are drawn from them by :mod:`emoclf.plots`. A label that no text has, or that
every text has, has no ROC curve: its area is None, never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from emoclf.errors import DataError
from emoclf.evaluation.prediction_checks import check_probabilities

#: Equal-width bins of confidence, as in Guo et al. (2017).
N_BINS = 15
#: x and y of the points of a curve, and the area under it.
Points: TypeAlias = tuple[np.ndarray, np.ndarray, float]


@dataclass(frozen=True)
class Curve:
    """Points of one curve, and the area under it.

    Parameters
    ----------
    label : str
    x, y : ndarray of float, shape (points,)
        Empty where the curve is undefined.
    area : float or None
        None where the curve is undefined.
    """

    label: str
    x: np.ndarray
    y: np.ndarray
    area: float | None


@dataclass(frozen=True)
class CurveSet:
    """The curves of all labels, each against the rest.

    Parameters
    ----------
    labels : tuple of Curve
    micro : Curve
        Curve over all decisions, text by text and label by label.
    macro_area : float or None
        Mean area over the labels whose curve is defined; None if there are none.
    chance : float or None
        Area of random scores where it does not depend on the label: 0.5 for ROC.
    """

    labels: tuple[Curve, ...]
    micro: Curve
    macro_area: float | None
    chance: float | None = None


@dataclass(frozen=True)
class Calibration:
    """Confidence and accuracy in bins of equal width, the empty ones left out.

    Parameters
    ----------
    confidence, accuracy : ndarray of float, shape (bins,)
        Mean confidence, and share of right predictions.
    counts : ndarray of int, shape (bins,)
    edges : ndarray of float, shape (bins, 2)
        Lower and upper end of each bin.
    error : float
        Expected calibration error: mean difference of the two, weighted by the counts.
    unit : str
        What is counted: "texts", or "decisions" of multilabel texts.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    counts: np.ndarray
    edges: np.ndarray
    error: float
    unit: str = "texts"


@dataclass(frozen=True)
class Coverage:
    """Accuracy among the most confident texts.

    Parameters
    ----------
    coverage : ndarray of float, shape (points,)
        Shares of the texts, rising to 1. Texts of equal confidence are one point.
    accuracy : ndarray of float, shape (points,)
        Share of right predictions among them.
    confidence : ndarray of float, shape (points,)
        Lowest confidence among them.
    """

    coverage: np.ndarray
    accuracy: np.ndarray
    confidence: np.ndarray

    def accuracy_at(self, coverage: float) -> float:
        """Return the accuracy of the smallest share that covers ``coverage``."""
        index = int(np.searchsorted(self.coverage, coverage - 1e-12))
        return float(self.accuracy[min(index, len(self.accuracy) - 1)])


def roc_curves(
    probabilities: np.ndarray, targets: np.ndarray, label_names: Sequence[str]
) -> CurveSet:
    """Return the ROC curve of each label against the rest.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, n_classes)
    targets : ndarray of int, shape (n,); or of 0 and 1, shape (n, n_classes)
    label_names : sequence of str

    Returns
    -------
    curves : CurveSet
        x is the false positive rate, y the true positive rate.

    Raises
    ------
    DataError
        If shapes differ, or a number is no probability.
    """
    from sklearn.metrics import auc, roc_curve

    def points(truth: np.ndarray, scores: np.ndarray) -> Points | None:
        if truth.all() or not truth.any():
            return None
        x, y, _ = roc_curve(truth, scores)
        return x, y, float(auc(x, y))

    curves = _curve_set(points, probabilities, targets, label_names)
    return replace(curves, chance=0.5)


def precision_recall_curves(
    probabilities: np.ndarray, targets: np.ndarray, label_names: Sequence[str]
) -> CurveSet:
    """Return the precision-recall curve of each label against the rest.

    The area is the average precision: a sum of steps, since straight lines between the
    points would be too optimistic (Davis and Goadrich, 2006).

    Parameters
    ----------
    probabilities, targets, label_names
        As for :func:`roc_curves`.

    Returns
    -------
    curves : CurveSet
        x is the recall, y the precision.
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve

    def points(truth: np.ndarray, scores: np.ndarray) -> Points | None:
        if not truth.any():
            return None
        y, x, _ = precision_recall_curve(truth, scores)
        return x, y, float(average_precision_score(truth, scores))

    return _curve_set(points, probabilities, targets, label_names)


def calibration_curve(
    probabilities: np.ndarray, targets: np.ndarray, *, n_bins: int = N_BINS
) -> Calibration:
    """Compare confidence with accuracy in bins of equal width (Guo et al., 2017).

    With one label for each text, the confidence is the largest probability, and a
    prediction is right if its label is. For multilabel texts every decision counts: the
    probability of a label, against the share of texts that have it.

    Parameters
    ----------
    probabilities, targets
        As for :func:`roc_curves`.
    n_bins : int >= 1, default=15

    Returns
    -------
    calibration : Calibration
    """
    probabilities, targets = _checked(probabilities, targets)
    if targets.ndim == 2:
        confidence, right, unit = probabilities.ravel(), targets.ravel(), "decisions"
    else:
        confidence, unit = probabilities.max(1), "texts"
        right = probabilities.argmax(1) == targets
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    # A bin contains its upper end, as in the paper.
    bins = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, n_bins - 1)
    counts = np.bincount(bins, minlength=n_bins)
    filled = counts > 0
    n = np.maximum(counts, 1)
    means = np.bincount(bins, confidence, minlength=n_bins) / n
    accuracy = np.bincount(bins, right.astype(float), minlength=n_bins) / n
    error = float((counts * np.abs(means - accuracy)).sum() / max(counts.sum(), 1))
    return Calibration(
        means[filled],
        accuracy[filled],
        counts[filled],
        np.column_stack([edges[:-1], edges[1:]])[filled],
        error,
        unit,
    )


def expected_calibration_error(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Return the expected calibration error over 15 bins of equal width.

    Guo et al. (2017), "On Calibration of Modern Neural Networks", equation 3.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, n_classes)
    targets : ndarray of int, shape (n,); or of 0 and 1, shape (n, n_classes)

    Returns
    -------
    error : float in [0, 1]

    Examples
    --------
    >>> expected_calibration_error(np.array([[0.75, 0.25]] * 4), np.array([0, 0, 0, 1]))
    0.0
    """
    return calibration_curve(probabilities, targets).error


def coverage_curve(confidence: np.ndarray, right: np.ndarray) -> Coverage:
    """Return the accuracy among the most confident texts, for every share of them.

    Geifman and El-Yaniv (2017), "Selective Classification for Deep Neural Networks".

    Parameters
    ----------
    confidence : ndarray of float, shape (n,)
    right : ndarray of bool, shape (n,)
        Whether each prediction is right.

    Returns
    -------
    coverage : Coverage
    """
    confidence, right = np.asarray(confidence, float), np.asarray(right)
    if confidence.shape != right.shape or confidence.ndim != 1 or not len(right):
        raise DataError(
            "A coverage curve needs one confidence and one truth value for each text. "
            f"Got shapes {confidence.shape} and {right.shape}."
        )
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence = confidence[order]
    hits = np.cumsum(right[order].astype(np.int64))
    # Texts of equal confidence are accepted or refused together.
    ends = np.flatnonzero(np.append(np.diff(sorted_confidence) != 0, True))
    taken = ends + 1
    return Coverage(taken / len(right), hits[ends] / taken, sorted_confidence[ends])


def _curve_set(
    points: Callable[[np.ndarray, np.ndarray], Points | None],
    probabilities: np.ndarray,
    targets: np.ndarray,
    label_names: Sequence[str],
) -> CurveSet:
    """Return the curves whose points a function of truth and scores returns."""

    def curve(label: str, truth: np.ndarray, scores: np.ndarray) -> Curve:
        return Curve(
            label, *(points(truth, scores) or (np.empty(0), np.empty(0), None))
        )

    n_classes = len(label_names)
    probabilities, targets = _checked(probabilities, targets, n_classes)
    if targets.ndim == 1:
        targets = targets[:, None] == np.arange(n_classes)
    truth = targets.astype(bool)
    labels = tuple(map(curve, map(str, label_names), truth.T, probabilities.T))
    areas = [one.area for one in labels if one.area is not None]
    micro = curve("all decisions", truth.ravel(), probabilities.ravel())
    return CurveSet(labels, micro, float(np.mean(areas)) if areas else None)


def _checked(
    probabilities: np.ndarray, targets: np.ndarray, n_classes: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return both as arrays; ``n_classes`` is by default that of the probabilities."""
    probabilities = np.asarray(probabilities, dtype=np.float64)
    targets = np.asarray(targets)
    if n_classes is None:
        n_classes = probabilities.shape[-1] if probabilities.ndim else 0
    check_probabilities(probabilities, (len(targets), n_classes))
    if targets.shape[1:] not in {(), (n_classes,)}:
        raise DataError(
            f"Targets must have the shape (n,) or (n, {n_classes}). Got "
            f"{targets.shape} instead."
        )
    return probabilities, targets
