"""Losses by name, computed from logits once."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from emoclf.settings import TrainSettings


@keras.saving.register_keras_serializable(package="emoclf")
class LossFromLogits(keras.losses.Loss):
    """Loss of each text from targets and logits, averaged over the batch.

    Parameters
    ----------
    kind : {"cross-entropy", "focal", "mse"}
        "focal" (Lin et al., 2017) weights a decision by its error to the power of
        ``focal_gamma``; "mse" is the mean squared error of the probabilities.
    multilabel : bool
        One sigmoid per label; else one softmax over all classes.
    label_smoothing : float
        Share of the target that is spread over all classes (Szegedy et al., 2016).
    focal_gamma : float
    temperature : float > 0
        Number that the logits are divided by, where targets are probabilities at this
        temperature. Its square multiplies the loss, so that the size of the gradients
        hardly depends on it (Hinton et al., 2015, section 2.1).
    **kwargs
        Arguments of ``keras.losses.Loss``.
    """

    def __init__(
        self,
        kind: str,
        *,
        multilabel: bool,
        label_smoothing: float = 0.0,
        focal_gamma: float = 2.0,
        temperature: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.multilabel = multilabel
        self.label_smoothing = label_smoothing
        self.focal_gamma = focal_gamma
        self.temperature = temperature

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the losses, shape (batch,).

        Parameters
        ----------
        y_true : Tensor, shape (batch,); multilabel and soft targets: shape (batch,
            n_classes)
        y_pred : Tensor of logits, shape (batch, n_classes)
        """
        if self.temperature == 1:
            return self._losses(y_true, y_pred)
        scaled = self._losses(y_true, y_pred / self.temperature)
        return scaled * self.temperature**2

    def _losses(self, y_true: Any, y_pred: Any) -> Any:
        truth, log_p, log_not_p = self._log_probabilities(y_true, y_pred)
        if self.kind == "mse":
            return ops.mean(ops.square(truth - ops.exp(log_p)), axis=-1)
        gamma = self.focal_gamma if self.kind == "focal" else 0.0
        errors = -truth * _weighted(log_p, log_not_p, gamma)
        if not self.multilabel:
            return ops.sum(errors, axis=-1)
        errors = errors - (1.0 - truth) * _weighted(log_not_p, log_p, gamma)
        return ops.mean(errors, axis=-1)

    def _log_probabilities(self, targets: Any, logits: Any) -> tuple[Any, Any, Any]:
        """Return the smoothed targets, log p and log (1 - p): (batch, n_classes)."""
        n_classes, smoothing = logits.shape[-1], self.label_smoothing
        if self.multilabel:
            truth = ops.cast(targets, logits.dtype)
            log_p, log_not_p = ops.log_sigmoid(logits), ops.log_sigmoid(-logits)
            return truth * (1.0 - smoothing) + smoothing / 2, log_p, log_not_p
        if len(targets.shape) == 2:
            truth = ops.cast(targets, logits.dtype)
        else:
            ids = ops.cast(targets, "int32")
            truth = ops.one_hot(ids, n_classes, dtype=logits.dtype)
        log_p = ops.log_softmax(logits, axis=-1)
        # 1 - p loses its digits where p is near 1; there the focal weight is near 0.
        log_not_p = ops.log(ops.maximum(1.0 - ops.exp(log_p), 1e-7))
        return truth * (1.0 - smoothing) + smoothing / n_classes, log_p, log_not_p

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this loss again."""
        return {
            **super().get_config(),
            "kind": self.kind,
            "multilabel": self.multilabel,
            "label_smoothing": self.label_smoothing,
            "focal_gamma": self.focal_gamma,
            "temperature": self.temperature,
        }


def build_loss(
    settings: TrainSettings, *, multilabel: bool, temperature: float | None = None
) -> LossFromLogits:
    """Build the loss that the settings describe, for labels or for soft targets."""
    return LossFromLogits(
        settings.loss,
        multilabel=multilabel,
        label_smoothing=settings.label_smoothing,
        focal_gamma=settings.focal_gamma,
        temperature=temperature or 1.0,
    )


def _weighted(log_p: Any, log_not_p: Any, gamma: float) -> Any:
    """Return log p, weighted by (1 - p) to the power of gamma."""
    return log_p if gamma == 0 else ops.exp(gamma * log_not_p) * log_p
