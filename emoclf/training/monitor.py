"""Record during a training what :mod:`emoclf.doctor` checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emoclf.doctor import gradients, predictions, training_curves
from emoclf.doctor.findings import Finding
from emoclf.models.heads import LOGITS
from emoclf.training.batches import LengthBuckets
from emoclf.training.best_weights import BestWeights
from emoclf.training.step_monitor import StepMonitor
from emoclf.training.thresholds import choose_thresholds
from emoclf.training.watcher import (
    FIRST_CHECKED_STEP,
    WatchedUnits,
    as_probabilities,
    check_predictions,
    class_shares,
    never_ends_training,
)

SAMPLE_TEXTS = 128
MAX_SAMPLE_TOKENS = 40


class Monitor(StepMonitor):
    """Record steps, units and predictions of a classifier's training.

    The predictions are those of the validation. In addition to the steps, it passes a
    few training texts through the network at the end of the epoch.

    Parameters
    ----------
    buckets : LengthBuckets
    best : BestWeights
        Must be called before this callback, since it evaluates the epoch.
    label_names : sequence of str
    listeners : sequence of callbacks
        Those with ``on_finding(finding)`` receive the findings; if there is none,
        findings are logged as warnings.
    run_settings : mapping of str to object, optional
        All settings of the run: advice on settings that it does not have is left out.
    """

    def __init__(
        self,
        buckets: LengthBuckets,
        best: BestWeights,
        label_names: Sequence[str],
        listeners: Sequence[Any] = (),
        run_settings: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(buckets, listeners, run_settings, head=LOGITS)
        self.best = best
        self.label_names = list(label_names)
        self.prior = class_shares(buckets.examples.targets, len(self.label_names))

    def inputs_of(self, batch: int) -> Any:
        """Return the inputs of a batch."""
        return self.batches[batch][0]

    def check_epoch(self, logs: dict[str, Any]) -> None:
        """Check the steps of an epoch, the units, and the predictions."""
        super().check_epoch(logs)
        if self.overflowed:
            return
        self.report(*gradients.check_units(*self._units()))
        findings = []
        if self._steps >= FIRST_CHECKED_STEP:
            findings = self.check_predictions(self.best.logits)
        self.report_predictions(findings)

    def check_predictions(self, logits: np.ndarray | None) -> list[Finding]:
        """Check the predictions for the validation set."""
        if logits is None or not np.isfinite(logits).all():
            return []
        truth = self.best.valid.targets
        probabilities = as_probabilities(logits, multilabel=truth.ndim == 2)
        return check_predictions(
            probabilities, truth, self.label_names, prior=self.prior
        )

    @never_ends_training
    def check_result(
        self, logits: np.ndarray, *, best_epoch: int, history: Any
    ) -> None:
        """Check the network with its final weights.

        Findings on the predictions of earlier epochs are dropped if they are no longer
        true.
        """
        findings: list[Finding | None] = [*self.check_predictions(logits)]
        self.drop_outdated(list(filter(None, findings)))
        truth = self.best.valid.targets
        if truth.ndim == 2:
            probabilities = as_probabilities(logits, multilabel=True)
            truth = truth.astype(np.int64)
            # With thresholds, as the classifier will predict.
            thresholds = choose_thresholds(probabilities, truth)
            predicted = (probabilities >= thresholds).astype(np.int64)
        else:
            predicted = logits.argmax(1)
        if not findings:
            findings.append(
                predictions.check_unseen(
                    predicted, truth, self.label_names, prior=self.prior
                )
            )
        findings.append(
            training_curves.check_fit(
                accuracy=history["accuracy"][-1],
                val_losses=history["val_loss"],
                val_accuracy=history["val_accuracy"][best_epoch - 1],
                best_epoch=best_epoch,
                prior=self.prior,
                multilabel=truth.ndim == 2,
            )
        )
        self.report(*findings, final=True)

    def _units(self) -> tuple[dict[str, float], dict[str, float]]:
        """Return the shares of dead units and of saturated outputs, by layer."""
        if self._watched is None:
            inputs = self.batches.examples.sample(SAMPLE_TEXTS, MAX_SAMPLE_TOKENS)
            if inputs is None:
                return {}, {}
            self._watched = WatchedUnits(self.model, inputs)
        return self._watched.shares()
