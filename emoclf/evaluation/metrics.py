"""How good predictions are: numbers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from emoclf._moved import RenamedAttribute
from emoclf.evaluation.bootstrap import DRAWS, interval, ratio, resampled_figures
from emoclf.evaluation.prediction_checks import check_probabilities, checked_ids

SMALLEST = 1e-7


@dataclass(frozen=True)
class ClassMetrics:
    """Figures of one label; 0 where there is nothing to divide by.

    ``average_precision`` stands for several labels per text only.
    """

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    average_precision: float | None = None


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
        Mean F1 over the labels that stand in the part.
    micro_f1 : float
        F1 over all decisions; equal to accuracy for one label per text.
    log_loss : float or None
        Mean cross-entropy in nats; None without probabilities.
    intervals : dict of str to (float, float)
        95 % bootstrap intervals of accuracy and macro_f1; for several labels also of
        micro_f1.
    per_class : tuple of ClassFigures
    confusion : tuple of tuples of int, or None
        Rows are true labels, columns predicted ones; None for several labels.
    average_precision : float or None
        For several labels with probabilities: mean over the labels that stand in the
        part of the area under precision and recall; it needs no thresholds.
    predicted : ndarray or None
        What was predicted, for paired comparisons; not written by ``to_dict``.
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
    predicted: np.ndarray | None = field(default=None, repr=False, compare=False)

    @property
    def part_name(self) -> str:
        """The part, and what it was used for before."""
        return f"{self.part} (chose the epoch)" if self.chose_epoch else self.part

    several = RenamedAttribute("multilabel")

    @property
    def multilabel(self) -> bool:
        """Whether a text may have several labels."""
        return self.confusion is None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON knows them."""
        values = asdict(replace(self, predicted=None))
        del values["predicted"]
        values["intervals"] = {key: [*ends] for key, ends in self.intervals.items()}
        values["per_class"] = [asdict(metrics) for metrics in self.per_class]
        values["confusion"] = self.confusion and [[*row] for row in self.confusion]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` returned, by way of JSON or not."""
        confusion = values["confusion"]
        changed = {
            "intervals": {key: tuple(e) for key, e in values["intervals"].items()},
            "per_class": tuple(ClassMetrics(**row) for row in values["per_class"]),
            "confusion": confusion and tuple(tuple(row) for row in confusion),
        }
        return cls(**{**values, **changed})


def evaluate_probabilities(
    probabilities: np.ndarray,
    truth: np.ndarray,
    label_names: Sequence[str],
    *,
    name: str,
    part: str,
    chose_epoch: bool = False,
    thresholds: float | Sequence[float] | np.ndarray = 0.5,
    seed: int = 0,
    draws: int = DRAWS,
) -> Evaluation:
    """Judge probabilities: the likeliest label, or all that reach their threshold.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, n_classes)
    truth, label_names, name, part, chose_epoch, seed, draws
        As for :func:`evaluate`.
    thresholds : float or sequence of n_classes floats, default=0.5
        For several labels per text.

    Raises
    ------
    DataError
    """
    probabilities = np.asarray(probabilities)
    check_probabilities(probabilities, (len(truth), len(label_names)))
    if np.ndim(truth) == 2:
        predicted = (probabilities >= np.asarray(thresholds)).astype(np.int64)
    else:
        predicted = probabilities.argmax(1)
    return evaluate(
        predicted,
        truth,
        label_names,
        name=name,
        part=part,
        chose_epoch=chose_epoch,
        probabilities=probabilities,
        seed=seed,
        draws=draws,
    )


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
    draws: int = DRAWS,
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
    seed, draws : int
        Of the bootstrap.

    Returns
    -------
    evaluation : Evaluation

    Raises
    ------
    DataError
        If there are no texts, if shapes differ, if an id is no label's, or if a
        probability is none.
    """
    n_classes = len(label_names)
    predicted, truth = checked_ids(predicted, truth, n_classes, f"{name} on {part}")
    if probabilities is not None:
        check_probabilities(probabilities, (len(truth), n_classes))
    multilabel = truth.ndim == 2
    resampled = resampled_figures(predicted, truth, n_classes, seed=seed, draws=draws)
    right = (predicted == truth).all(1) if multilabel else predicted == truth
    precisions = None
    if multilabel and probabilities is not None:
        precisions = average_precisions(probabilities, truth)
    return Evaluation(
        name=name,
        part=part,
        chose_epoch=chose_epoch,
        n=len(truth),
        accuracy=float(right.mean()),
        macro_f1=macro_f1(predicted, truth, n_classes),
        micro_f1=_micro_f1(predicted, truth) if multilabel else float(right.mean()),
        log_loss=None if probabilities is None else log_loss(probabilities, truth),
        intervals={key: interval(values) for key, values in resampled.items()},
        per_class=_per_class(predicted, truth, label_names, precisions),
        confusion=None if multilabel else _confusion(predicted, truth, n_classes),
        average_precision=_mean_of_known(precisions),
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
        float(average_precision_score(there, scores)) if there.any() else None
        for there, scores in zip(truth.T, probabilities.T, strict=True)
    ]


def _mean_of_known(values: Sequence[float | None] | None) -> float | None:
    known = [value for value in values or () if value is not None]
    return float(np.mean(known)) if known else None


def macro_f1(predicted: np.ndarray, truth: np.ndarray, n_classes: int) -> float:
    """Return the mean F1 over the labels that stand in the part.

    A label without a text there has no recall, and no say in the mean. Predicting it
    is punished where the text belonged. So all classifiers are averaged over the same
    labels on a part; scikit-learn's default would add the labels that one predicted.
    """
    hits, guessed, there = _counts(predicted, truth, n_classes)
    scores = ratio(2 * hits, guessed + there)[there > 0]
    return float(scores.mean()) if scores.size else 0.0


def log_loss(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean cross-entropy in nats; for several labels, per decision."""
    chances = np.clip(probabilities.astype(np.float64), SMALLEST, 1 - SMALLEST)
    if truth.ndim == 2:
        return float(-(np.where(truth > 0, np.log(chances), np.log1p(-chances))).mean())
    return float(-np.log(chances[np.arange(len(truth)), truth]).mean())


def _per_class(
    predicted: np.ndarray,
    truth: np.ndarray,
    label_names: Sequence[str],
    precisions: Sequence[float | None] | None,
) -> tuple[ClassMetrics, ...]:
    if truth.ndim == 2 and truth.shape[1] == 1:
        # scikit-learn takes one column for two classes; an empty second one it knows.
        predicted, truth = (np.pad(a, ((0, 0), (0, 1))) for a in (predicted, truth))
    columns = precision_recall_fscore_support(
        truth, predicted, labels=np.arange(len(label_names)), zero_division=0
    )
    return tuple(
        ClassMetrics(str(label), float(p), float(r), float(f), int(s), average)
        for label, p, r, f, s, average in zip(
            label_names, *columns, precisions or [None] * len(label_names), strict=True
        )
    )


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
