"""How good predictions are: numbers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from emoclf.evaluation.bootstrap import interval, resampled_figures

SMALLEST = 1e-7


@dataclass(frozen=True)
class ClassFigures:
    """Figures of one label."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Evaluation:
    """Figures of one classifier on one part.

    Parameters
    ----------
    name : str
        Who predicted: "text_cnn", "TF-IDF + linear SVM", …
    part : str
        Which texts: "valid", "test", or a file.
    chose_epoch : bool
        The part also chose the epoch, so that its figures flatter.
    n : int
        Number of texts.
    accuracy : float
        Share of texts whose label, or all of whose labels, are right.
    macro_f1 : float
        Mean F1 over the labels that stand in the part or were predicted there.
    micro_f1 : float
        F1 over all decisions; equal to accuracy for one label per text.
    log_loss : float or None
        Mean cross-entropy in nats; None without probabilities.
    intervals : dict of str to (float, float)
        95 % bootstrap intervals of accuracy and macro_f1.
    per_class : tuple of ClassFigures
    confusion : tuple of tuples of int, or None
        Rows are true labels, columns predicted ones; None for several labels.
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
    per_class: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...] | None
    predicted: np.ndarray = field(repr=False, compare=False)

    @property
    def part_name(self) -> str:
        """The part, and what it was used for before."""
        return f"{self.part} (chose the epoch)" if self.chose_epoch else self.part

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON knows them."""
        return {
            "name": self.name,
            "part": self.part,
            "chose_epoch": self.chose_epoch,
            "n": self.n,
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "micro_f1": self.micro_f1,
            "log_loss": self.log_loss,
            "intervals": {name: list(ends) for name, ends in self.intervals.items()},
            "per_class": [vars(figures) for figures in self.per_class],
            "confusion": self.confusion and [list(row) for row in self.confusion],
        }


def evaluate(
    predicted: np.ndarray,
    truth: np.ndarray,
    label_names: Sequence[str],
    *,
    name: str,
    part: str,
    chose_epoch: bool = False,
    probabilities: np.ndarray | None = None,
    seed: int = 0,
) -> Evaluation:
    """Judge predictions.

    Parameters
    ----------
    predicted, truth : ndarray
        Class ids, shape (n,); or 0 and 1, shape (n, n_classes), for several labels.
    label_names : sequence of str
        In the order of the ids.
    name, part : str
        Who predicted, and for which texts.
    chose_epoch : bool, default=False
    probabilities : ndarray of float, shape (n, n_classes), optional
        For the log loss; clipped at 1e-7.
    seed : int
        Drives the bootstrap.

    Returns
    -------
    evaluation : Evaluation
    """
    predicted, truth = np.asarray(predicted), np.asarray(truth)
    several = truth.ndim == 2
    if several:
        predicted, truth = predicted.astype(np.int64), truth.astype(np.int64)
    precision, recall, f1, support = precision_recall_fscore_support(
        truth,
        predicted,
        labels=np.arange(len(label_names)),
        average=None,
        zero_division=0,
    )
    resampled = resampled_figures(predicted, truth, len(label_names), seed=seed)
    right = (predicted == truth).all(1) if several else predicted == truth
    return Evaluation(
        name=name,
        part=part,
        chose_epoch=chose_epoch,
        n=len(truth),
        accuracy=float(right.mean()),
        macro_f1=macro_f1(predicted, truth, len(label_names)),
        micro_f1=_micro_f1(predicted, truth) if several else float(right.mean()),
        log_loss=None if probabilities is None else log_loss(probabilities, truth),
        intervals={key: interval(values) for key, values in resampled.items()},
        per_class=tuple(
            ClassFigures(str(label), float(p), float(r), float(f), int(s))
            for label, p, r, f, s in zip(
                label_names, precision, recall, f1, support, strict=True
            )
        ),
        confusion=None if several else _confusion(predicted, truth, len(label_names)),
        predicted=predicted,
    )


def macro_f1(predicted: np.ndarray, truth: np.ndarray, n_classes: int) -> float:
    """Return the mean F1 over the labels that are there or were predicted.

    A label that neither stands in the part nor is predicted says nothing; counting it
    as 0, or as 1, would.
    """
    hits, guessed, there = _counts(predicted, truth, n_classes)
    seen = (guessed + there) > 0
    scores = 2 * hits[seen] / (guessed + there)[seen]
    return float(scores.mean()) if seen.any() else 0.0


def log_loss(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean cross-entropy in nats; for several labels, per decision."""
    chances = np.clip(probabilities.astype(np.float64), SMALLEST, 1 - SMALLEST)
    if truth.ndim == 2:
        return float(-(np.where(truth > 0, np.log(chances), np.log1p(-chances))).mean())
    return float(-np.log(chances[np.arange(len(truth)), truth]).mean())


def _counts(
    predicted: np.ndarray, truth: np.ndarray, n_classes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return hits, predictions and occurrences of each label."""
    if truth.ndim == 2:
        return (predicted * truth).sum(0), predicted.sum(0), truth.sum(0)
    hits = np.bincount(truth[predicted == truth], minlength=n_classes)
    return (
        hits,
        np.bincount(predicted, minlength=n_classes),
        np.bincount(truth, minlength=n_classes),
    )


def _micro_f1(predicted: np.ndarray, truth: np.ndarray) -> float:
    total = predicted.sum() + truth.sum()
    return float(2 * (predicted * truth).sum() / total) if total else 0.0


def _confusion(
    predicted: np.ndarray, truth: np.ndarray, n_classes: int
) -> tuple[tuple[int, ...], ...]:
    table = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(table, (truth, predicted), 1)
    return tuple(tuple(row) for row in table.tolist())


def per_class_rows(figures: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return per-class figures as rows of text."""
    return [
        [
            str(row["label"]),
            f"{row['precision']:.3f}",
            f"{row['recall']:.3f}",
            f"{row['f1']:.3f}",
            str(row["support"]),
        ]
        for row in figures
    ]
