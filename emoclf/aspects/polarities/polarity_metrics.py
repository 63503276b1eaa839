"""Scores of predicted polarities."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from typing import Any

from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

from emoclf.display import short_names

logger = logging.getLogger(__name__)


def polarity_scores(
    labels: list[str], predicted: list[str], label_names: Collection[str]
) -> dict[str, Any]:
    """Return accuracy, macro-F1, scores of each class, and the confusion.

    Parameters
    ----------
    labels, predicted : list of str
        True and predicted label of each term.
    label_names : collection of str
        Labels that the model has; others are named in a warning.

    Returns
    -------
    scores : dict
        ``accuracy``, ``macro_f1``, ``n``; ``classes``: precision, recall, F1 and number
        of each label; ``confusion``: for each true label the number of predictions of
        each.
    """
    unknown = sorted({*labels} - {*label_names})
    if unknown:
        logger.warning(
            "%d of %d terms have labels that the model does not have: %s. They count "
            "as wrong.",
            sum(label in unknown for label in labels),
            len(labels),
            short_names(unknown),
        )
    names = sorted({*labels, *predicted})
    columns = precision_recall_fscore_support(
        labels, predicted, labels=names, zero_division=0
    )
    classes = {
        name: dict(zip(("precision", "recall", "f1"), map(float, row), strict=True))
        | {"n": int(count)}
        for name, *row, count in zip(names, *columns, strict=True)
    }
    matrix = confusion_matrix(labels, predicted, labels=names).tolist()
    confusion = {
        name: dict(zip(names, row, strict=True))
        for name, row in zip(names, matrix, strict=True)
    }
    scores = accuracy_and_f1(labels, predicted)
    return {**scores, "classes": classes, "confusion": confusion}


def accuracy_and_f1(labels: list[str], predicted: Iterable[str]) -> dict[str, float]:
    """Return accuracy, macro-F1 and the number of terms."""
    predictions = list(predicted)
    return {
        "accuracy": float(accuracy_score(labels, predictions)),
        "macro_f1": float(
            f1_score(labels, predictions, average="macro", zero_division=0)
        ),
        "n": len(labels),
    }
