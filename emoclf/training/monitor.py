"""Record during a training what :mod:`emoclf.doctor` checks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emoclf.doctor import gradients, predictions, training_curves
from emoclf.doctor.findings import Finding
from emoclf.doctor.overflow import explain_overflow, layer_name
from emoclf.models.heads import LOGITS
from emoclf.training.batches import LengthBuckets
from emoclf.training.best_weights import BestWeights
from emoclf.training.thresholds import choose_thresholds
from emoclf.training.watcher import (
    FIRST_CHECKED_STEP,
    WatchedUnits,
    Watcher,
    as_probabilities,
    check_predictions,
    class_shares,
    never_ends_training,
)

SAMPLE_TEXTS = 128
MAX_SAMPLE_TOKENS = 40


class Monitor(Watcher):
    """Record gradients, updates, units and predictions, and report problems at once.

    It reads what the optimizer and the validation have computed anyway. In addition it
    copies the weights before three steps of an epoch, and passes a few training texts
    through the network at the end of the epoch.

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
        super().__init__(listeners, run_settings)
        self.buckets = buckets
        self.best = best
        self.label_names = list(label_names)
        self.prior = class_shares(buckets.examples.targets, len(self.label_names))
        self._norms: list[np.ndarray] = []

    @never_ends_training
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._norms = []
        self.begin_epoch(epoch, len(self.buckets))

    @never_ends_training
    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.begin_step(batch)

    @never_ends_training
    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        norms = self.model.optimizer.gradient_norms.numpy()
        loss = (logs or {}).get("loss", 0.0)
        if not (math.isfinite(loss) and np.isfinite(norms).all()):
            self.overflowed = True
            self.report(explain_overflow(self.model, self.buckets[batch][0], norms))
            self.model.stop_training = True
            return
        self._norms.append(norms)
        self.end_step()

    @never_ends_training
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs if logs is not None else {}
        self._losses.append(float(logs.get("loss", math.nan)))
        norms = self._typical_norms()
        ratios = self.update_ratios()
        if norms:
            logs["gradient_norm"] = norms["all"]
        # NaN: the rate was zero in all steps. Keras would shift a value left out.
        logs["update_ratio"] = max(ratios.values(), default=math.nan)
        if self.overflowed:
            return
        self._steps += len(self._norms)
        self.report(training_curves.check_rising_loss(self._losses))
        self.report(gradients.check_gradients(norms, head=LOGITS), after=2)
        self.report(gradients.check_updates(ratios))
        for finding in gradients.check_units(*self._units()):
            self.report(finding)
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
        for finding in findings:
            self.report(finding, final=True)

    def get_state(self) -> dict[str, Any]:
        """Return the state that a resumed training needs."""
        return {
            "findings": [finding.to_dict() for finding in self.findings],
            "losses": self._losses,
            "steps": self._steps,
            "overflowed": self.overflowed,
            "seen": self._epochs_seen,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state of :meth:`get_state`."""
        self.findings = [Finding.from_dict(finding) for finding in state["findings"]]
        self._losses = list(state["losses"])
        self._steps = state["steps"]
        self.overflowed = state["overflowed"]
        self._epochs_seen = dict(state["seen"])

    def _typical_norms(self) -> dict[str, float]:
        """Return the median root mean square of each layer's gradient.

        "all" is the median of the global norm.
        """
        if not self._norms:
            return {}
        norms = np.array(self._norms)
        watched = {variable.path for variable in self._matrices()}
        typical = {"all": float(np.median(np.linalg.norm(norms, axis=1)))}
        for column, variable in enumerate(self.model.trainable_variables):
            if variable.path in watched:
                size = math.sqrt(math.prod(variable.shape))
                rms = float(np.median(norms[:, column])) / size
                layer = layer_name(variable, self.model)
                typical[layer] = max(rms, typical.get(layer, 0.0))
        return typical

    def _units(self) -> tuple[dict[str, float], dict[str, float]]:
        """Return the shares of dead units and of saturated outputs, by layer."""
        if self._watched is None:
            inputs = self.buckets.examples.sample(SAMPLE_TEXTS, MAX_SAMPLE_TOKENS)
            if inputs is None:
                return {}, {}
            self._watched = WatchedUnits(self.model, inputs)
        return self._watched.shares()
