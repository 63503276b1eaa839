"""Judging each epoch on the validation part, and keeping the best weights."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from sklearn.metrics import f1_score

from emoclf.evaluation.metric_names import METRICS, MONITORS
from emoclf.models.inference import BatchedModel
from emoclf.training.batches import Examples
from emoclf.training.thresholds import FEWEST, best_f1

logger = logging.getLogger(__name__)


def validation_metrics(logits: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Judge logits by the figures that can choose an epoch.

    Parameters
    ----------
    logits : ndarray of float, shape (n, n_classes)
    targets : ndarray
        int, shape (n,); or 0 and 1, shape (n, n_classes), for several labels.

    Returns
    -------
    metrics : dict
        ``loss`` (mean cross-entropy), ``accuracy`` (all labels of a text right) and
        ``macro_f1`` (over the labels that stand in the part, as in reports; for several
        labels over those with five texts or more, each at its best threshold, since
        thresholds are chosen afterwards); all
        NaN when a logit is not finite or there is no text.
    """
    if not len(targets) or not np.isfinite(logits).all():
        return dict.fromkeys(MONITORS, math.nan)
    scores = logits.astype(np.float64)
    if targets.ndim == 2:
        loss = np.logaddexp(0, scores) - targets * scores
        right = ((scores > 0) == (targets > 0)).all(1)
        # Of fewer texts the best threshold finds an F1 of its own making.
        enough = targets.sum(0) >= FEWEST
        by_label = best_f1(scores, targets)[enough if enough.any() else targets.any(0)]
        macro = by_label.mean() if by_label.size else 0.0
    else:
        predicted = scores.argmax(1)
        highest = scores.max(1, keepdims=True)
        total = highest[:, 0] + np.log(np.exp(scores - highest).sum(1))
        loss = total - scores[np.arange(len(scores)), targets]
        right = predicted == targets
        classes = np.unique(targets)
        macro = f1_score(
            targets, predicted, labels=classes, average="macro", zero_division=0
        )
    return {
        "loss": float(loss.mean()),
        "accuracy": float(right.mean()),
        "macro_f1": float(macro),
    }


class BestWeights(keras.callbacks.Callback):
    """Add validation figures to the logs, keep the best weights, stop in time.

    Parameters
    ----------
    valid : Examples
    monitor : {"macro_f1", "accuracy", "loss"}
    patience : int >= 1
        Epochs without a better figure before the training ends.
    """

    def __init__(self, valid: Examples, *, monitor: str, patience: int) -> None:
        super().__init__()
        self.valid = valid
        self.monitor = monitor
        self.patience = patience
        self.best_epoch: int | None = None
        self.best_rank = (-math.inf, -math.inf)
        self.best_weights: list[np.ndarray] | None = None
        self.logs: dict[str, Any] = {}
        #: Answers for the validation part, after the last epoch.
        self.logits: np.ndarray | None = None
        self.stopped_early = False
        self._judge: Callable[..., np.ndarray] | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Judge the epoch; Keras hands the same logs to every later callback."""
        logs = logs if logs is not None else {}
        with averaged_weights(self.model):
            self.logits = self.answers()
            metrics = validation_metrics(self.logits, self.valid.targets)
            logs.update({f"val_{name}": value for name, value in metrics.items()})
            self.logs = dict(logs)
            figure = metrics[self.monitor] * METRICS[self.monitor].sign
            # Of equal figures the smaller loss: with many labels the first epochs
            # answer none of them, all alike, while the loss falls.
            rank = (figure, -metrics["loss"])
            if math.isfinite(figure) and rank > self.best_rank:
                # First, since an interruption may fall into it.
                self.best_weights = self.model.get_weights()
                self.best_rank, self.best_epoch = rank, epoch
        if not math.isfinite(logs.get("loss", 0.0)):
            logger.warning("The loss of epoch %d is %s.", epoch + 1, logs["loss"])
            self.model.stop_training = True
        best = -1 if self.best_epoch is None else self.best_epoch
        if epoch - best >= self.patience:
            self.stopped_early = True
            self.model.stop_training = True

    def answers(self) -> np.ndarray:
        """Return the logits of the validation part, shape (n, n_classes)."""
        if self._judge is None:
            self._judge = BatchedModel(self.model)
        return self._judge(self.valid.token_ids)

    def get_state(self) -> dict[str, Any]:
        """Return what a resumed training has to know, without the weights."""
        return {
            "best_epoch": self.best_epoch,
            "best_rank": self.best_rank,
            "stopped_early": self.stopped_early,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Take up the state of :meth:`get_state`."""
        self.best_epoch = state["best_epoch"]
        self.best_rank = tuple(state["best_rank"])
        self.stopped_early = state["stopped_early"]


@contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Lend the model its averaged weights (EMA), where it has any."""
    optimizer = model.optimizer
    if not getattr(optimizer, "use_ema", False):
        yield
        return
    own = [variable.numpy() for variable in model.trainable_variables]
    optimizer.finalize_variable_values(model.trainable_variables)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, own, strict=True):
            variable.assign(value)
