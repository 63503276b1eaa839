"""Evaluate each epoch on the validation set, and keep the best weights."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from scipy.special import expit, log_softmax
from sklearn.metrics import f1_score

from emoclf.evaluation.metric_names import METRICS, MONITORS
from emoclf.models.inference import BatchedModel
from emoclf.training.batches import Examples
from emoclf.training.thresholds import choose_thresholds

logger = logging.getLogger(__name__)


def validation_metrics(logits: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Return the metrics by which the best epoch can be chosen.

    Parameters
    ----------
    logits : ndarray of float, shape (n, n_classes)
    targets : ndarray
        int, shape (n,); multilabel: 0 and 1, shape (n, n_classes).

    Returns
    -------
    metrics : dict
        ``loss`` (mean cross-entropy), ``accuracy`` (multilabel: share of texts with all
        labels right) and ``macro_f1`` (mean over the labels that occur in the targets,
        as in reports; multilabel: at the thresholds that would be chosen, which are
        those of the report). All are NaN when a logit is not finite or there are no
        texts.
    """
    if not len(targets) or not np.isfinite(logits).all():
        return dict.fromkeys(MONITORS, math.nan)
    scores = logits.astype(np.float64)
    if targets.ndim == 2:
        loss = np.logaddexp(0, scores) - targets * scores
        right = ((scores > 0) == (targets > 0)).all(1)
        probabilities = expit(scores)
        thresholds = choose_thresholds(probabilities, targets)
        predicted = (probabilities >= thresholds).astype(np.int64)
        classes = np.flatnonzero(targets.any(0))
    else:
        predicted = scores.argmax(1)
        loss = -log_softmax(scores, axis=1)[np.arange(len(scores)), targets]
        right = predicted == targets
        classes = np.unique(targets)
    macro_f1 = 0.0
    if len(classes):
        macro_f1 = f1_score(
            targets, predicted, labels=classes, average="macro", zero_division=0
        )
    return {
        "loss": float(loss.mean()),
        "accuracy": float(right.mean()),
        "macro_f1": float(macro_f1),
    }


class BestEpoch(keras.callbacks.Callback):
    """Base of callbacks that keep the weights of the best epoch, and stop early.

    Parameters
    ----------
    patience : int >= 1
        Number of epochs without a better one after which the training ends.
    keep_last : bool, default=False
        Whether the last epoch counts as the best: its number was chosen before.
    """

    def __init__(self, patience: int, *, keep_last: bool = False) -> None:
        super().__init__()
        self.patience = patience
        self.keep_last = keep_last
        self.best_epoch: int | None = None
        self.best_rank = (-math.inf, -math.inf)
        self.best_weights: list[np.ndarray] | None = None
        self.logs: dict[str, Any] = {}
        self.stopped_early = False

    def rank(self, logs: dict[str, Any]) -> tuple[float, float]:
        """Evaluate an epoch, add its metrics to the logs, and return its rank.

        A larger rank is better; one that is not finite is never the best.
        """
        raise NotImplementedError

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Evaluate the epoch; Keras passes the same logs to every later callback."""
        logs = logs if logs is not None else {}
        with averaged_weights(self.model):
            rank = self.rank(logs)
            self.logs = dict(logs)
            better = self.keep_last or rank > self.best_rank
            if math.isfinite(rank[0]) and better:
                # The weights first, since an interruption may come in between.
                self.best_weights = self.model.get_weights()
                self.best_rank, self.best_epoch = rank, epoch
        if not math.isfinite(logs.get("loss", 0.0)):
            logger.warning("The loss of epoch %d is %s.", epoch + 1, logs["loss"])
            self.model.stop_training = True
        best_epoch = -1 if self.best_epoch is None else self.best_epoch
        if epoch - best_epoch >= self.patience:
            self.stopped_early = True
            self.model.stop_training = True

    def get_state(self) -> dict[str, Any]:
        """Return the state that a resumed training needs, without the weights."""
        return {
            "best_epoch": self.best_epoch,
            "best_rank": self.best_rank,
            "stopped_early": self.stopped_early,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state of :meth:`get_state`."""
        self.best_epoch = state["best_epoch"]
        self.best_rank = tuple(state["best_rank"])
        self.stopped_early = state["stopped_early"]


class BestWeights(BestEpoch):
    """Validation metrics in the logs, the best weights, and early stopping.

    Parameters
    ----------
    valid : Examples
    monitor : {"macro_f1", "accuracy", "loss"}
    patience, keep_last
        Parameters of :class:`BestEpoch`.

    Attributes
    ----------
    logits : ndarray of float, shape (n, n_classes), or None
        Logits of the validation set after the last epoch.
    """

    def __init__(
        self, valid: Examples, *, monitor: str, patience: int, keep_last: bool = False
    ) -> None:
        super().__init__(patience, keep_last=keep_last)
        self.valid = valid
        self.monitor = monitor
        self.logits: np.ndarray | None = None

    def rank(self, logs: dict[str, Any]) -> tuple[float, float]:
        """Return the monitored metric, the larger the better, and the negative loss.

        Ties go to the smaller loss: with many labels the first epochs predict none of
        them, and all have the same F1, while the loss falls.
        """
        self.logits = self.validation_logits()
        metrics = validation_metrics(self.logits, self.valid.targets)
        logs.update({f"val_{name}": value for name, value in metrics.items()})
        return metrics[self.monitor] * METRICS[self.monitor].sign, -metrics["loss"]

    def validation_logits(self) -> np.ndarray:
        """Return the logits of the validation set, shape (n, n_classes)."""
        return BatchedModel.of(self.model)(self.valid.token_ids)


@contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Give the model its averaged weights (EMA), if it has any, inside the context."""
    averages = getattr(model.optimizer, "averages", {})
    variables = [model.trainable_variables[index] for index in averages]
    weights = [variable.numpy() for variable in variables]
    for variable, average in zip(variables, averages.values(), strict=True):
        variable.assign(average)
    try:
        yield
    finally:
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)
