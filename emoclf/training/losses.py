"""Losses by name, computed from logits once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from emoclf.settings import TrainSettings


def build_loss(
    settings: TrainSettings, *, multilabel: bool
) -> Callable[[Any, Any], Any]:
    """Build the loss that the settings describe.

    Parameters
    ----------
    settings : TrainSettings
        ``loss`` is one of "cross-entropy"; "focal" (Lin et al., 2017), which weighs a
        decision by its error to the power of ``focal_gamma``; and "mse", the mean
        squared error of the probabilities. ``label_smoothing`` takes that share of the
        truth and spreads it over all classes (Szegedy et al., 2016).
    multilabel : bool
        A text may have several labels: one sigmoid per label, else one softmax.

    Returns
    -------
    loss : callable
        Targets, shape (batch,) or, for several labels, (batch, n_classes), and logits,
        shape (batch, n_classes), → loss of each text, shape (batch,).
    """

    def loss(targets: Any, logits: Any) -> Any:
        truth, sure, unsure = _decisions(
            targets, logits, multilabel=multilabel, smoothing=settings.label_smoothing
        )
        if settings.loss == "mse":
            return ops.mean(ops.square(truth - ops.exp(sure)), axis=-1)
        gamma = settings.focal_gamma if settings.loss == "focal" else 0.0
        errors = -truth * _weighed(sure, unsure, gamma)
        if not multilabel:
            return ops.sum(errors, axis=-1)
        errors = errors - (1.0 - truth) * _weighed(unsure, sure, gamma)
        return ops.mean(errors, axis=-1)

    return loss


def _decisions(
    targets: Any, logits: Any, *, multilabel: bool, smoothing: float
) -> tuple[Any, Any, Any]:
    """Return the truth, and the logarithms of p and of 1 - p, each (batch, classes)."""
    n_classes = logits.shape[-1]
    if multilabel:
        truth = ops.cast(targets, logits.dtype)
        sure = ops.log_sigmoid(logits)
        unsure = ops.log_sigmoid(-logits)
        return truth * (1.0 - smoothing) + smoothing / 2, sure, unsure
    truth = ops.one_hot(ops.cast(targets, "int32"), n_classes, dtype=logits.dtype)
    sure = ops.log_softmax(logits, axis=-1)
    # 1 - p loses its digits where p is near 1; there the weight is near 0 as well.
    unsure = ops.log(ops.maximum(1.0 - ops.exp(sure), 1e-7))
    return truth * (1.0 - smoothing) + smoothing / n_classes, sure, unsure


def _weighed(sure: Any, unsure: Any, gamma: float) -> Any:
    """Return log p, weighed by (1 - p) to the power of gamma."""
    return sure if gamma == 0 else ops.exp(gamma * unsure) * sure
