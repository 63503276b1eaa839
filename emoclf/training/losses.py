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
        ``loss`` is one of "cross-entropy"; "focal" (Lin et al., 2017), which weights a
        decision by its error to the power of ``focal_gamma``; and "mse", the mean
        squared error of the probabilities. ``label_smoothing`` is the share of the
        target that is spread over all classes (Szegedy et al., 2016).
    multilabel : bool
        One sigmoid per label; else one softmax over all classes.

    Returns
    -------
    loss : callable
        From targets, shape (batch,) or multilabel (batch, n_classes), and logits,
        shape (batch, n_classes), to the loss of each text, shape (batch,).
    """

    def loss(targets: Any, logits: Any) -> Any:
        truth, log_p, log_not_p = _log_probabilities(
            targets, logits, multilabel=multilabel, smoothing=settings.label_smoothing
        )
        if settings.loss == "mse":
            return ops.mean(ops.square(truth - ops.exp(log_p)), axis=-1)
        gamma = settings.focal_gamma if settings.loss == "focal" else 0.0
        errors = -truth * _weighted(log_p, log_not_p, gamma)
        if not multilabel:
            return ops.sum(errors, axis=-1)
        errors = errors - (1.0 - truth) * _weighted(log_not_p, log_p, gamma)
        return ops.mean(errors, axis=-1)

    return loss


def _log_probabilities(
    targets: Any, logits: Any, *, multilabel: bool, smoothing: float
) -> tuple[Any, Any, Any]:
    """Return the smoothed targets, log p and log (1 - p), each (batch, n_classes)."""
    n_classes = logits.shape[-1]
    if multilabel:
        truth = ops.cast(targets, logits.dtype)
        log_p, log_not_p = ops.log_sigmoid(logits), ops.log_sigmoid(-logits)
        return truth * (1.0 - smoothing) + smoothing / 2, log_p, log_not_p
    truth = ops.one_hot(ops.cast(targets, "int32"), n_classes, dtype=logits.dtype)
    log_p = ops.log_softmax(logits, axis=-1)
    # 1 - p loses its digits where p is near 1; there the focal weight is near 0.
    log_not_p = ops.log(ops.maximum(1.0 - ops.exp(log_p), 1e-7))
    return truth * (1.0 - smoothing) + smoothing / n_classes, log_p, log_not_p


def _weighted(log_p: Any, log_not_p: Any, gamma: float) -> Any:
    """Return log p, weighted by (1 - p) to the power of gamma."""
    return log_p if gamma == 0 else ops.exp(gamma * log_not_p) * log_p
