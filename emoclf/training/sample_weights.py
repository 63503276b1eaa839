"""Weights of texts in the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from emoclf.datasets.labels import numbers_by_label
from emoclf.errors import SettingsError, setting


def example_weights(
    targets: np.ndarray,
    label_names: Sequence[str],
    *,
    class_weight: str | Mapping[str, float] | None = None,
    sample_weight: np.ndarray | None = None,
) -> np.ndarray | None:
    """Multiply class weights and sample weights into one weight for each text.

    Keras itself raises an error when it gets both.

    Parameters
    ----------
    targets : ndarray
        int, shape (n,); multilabel: 0 and 1, shape (n, n_classes), and the weight of a
        text is the mean of its labels' weights.
    label_names : sequence of str
    class_weight : "balanced" or mapping of label names to weights, optional
        "balanced" weights a class by n / (n_classes * count), as scikit-learn does.
    sample_weight : array of float >= 0, shape (n,), optional

    Returns
    -------
    weights : ndarray of float32, shape (n,), or None if all texts have weight 1

    Raises
    ------
    SettingsError
        If a label is unknown, a weight is negative, or the number of weights is wrong.
    """
    weights = None
    if class_weight is not None:
        by_class = _class_weights(targets, label_names, class_weight)
        if targets.ndim == 1:
            weights = by_class[targets]
        else:
            n_labels = targets.sum(1)
            weights = (targets @ by_class) / np.maximum(n_labels, 1)
            weights[n_labels == 0] = 1.0
    if sample_weight is not None:
        factors = np.asarray(sample_weight, np.float64)
        valid = np.isfinite(factors) & (factors >= 0)
        if factors.shape != (len(targets),) or not valid.all():
            raise SettingsError(
                f"sample_weight must be {len(targets)} numbers of at least 0, one for "
                f"each text. Got an array of shape {factors.shape}"
                + (f" with a minimum of {factors.min()}." if factors.size else ".")
            )
        weights = factors if weights is None else weights * factors
    return None if weights is None else np.asarray(weights, np.float32)


def _class_weights(
    targets: np.ndarray,
    label_names: Sequence[str],
    class_weight: str | Mapping[str, float],
) -> np.ndarray:
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise SettingsError(
                f"{setting('class_weight')} must be 'balanced' or a weight for each "
                f"label name. Got {class_weight!r} instead."
            )
        one_hot = np.eye(len(label_names))[targets] if targets.ndim == 1 else targets
        counts = one_hot.sum(0)
        return counts.sum() / (len(label_names) * np.maximum(counts, 1))
    weights = np.ones(len(label_names))
    given = numbers_by_label(class_weight, label_names, "class_weight")
    weights[list(given)] = list(given.values())
    return weights
