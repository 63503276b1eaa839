"""Record during a training what :mod:`emoclf.doctor` checks."""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from scipy.special import expit, softmax

from emoclf.doctor import curves, gradients, predictions
from emoclf.doctor.findings import Finding, fitting_cures
from emoclf.doctor.overflow import explain_overflow, layer_name, layer_outputs
from emoclf.models.embedding import TRAINED
from emoclf.models.heads import LOGITS
from emoclf.models.mean_embedding import BIGRAMS
from emoclf.training.batches import LengthBuckets
from emoclf.training.best_weights import BestWeights
from emoclf.training.thresholds import choose_thresholds

logger = logging.getLogger(__name__)

SAMPLE_TEXTS = 128
MAX_SAMPLE_TOKENS = 40
PROBED_STEPS_PER_EPOCH = 3
#: Networks begin by predicting one class for all texts: predictions are checked after
#: this many steps, and a finding on them is reported in the third epoch that has it.
FIRST_CHECKED_STEP = 300
PREDICTION_EPOCHS = 3
PREDICTION_FINDINGS = ("class-collapse", "stuck-at-")
OUTPUT_RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
RECTIFIERS = ("relu",)
#: Share of the output range at each end that counts as saturated.
SATURATED_EDGE = 0.02


def never_ends_training(hook: Callable[..., None]) -> Callable[..., None]:
    """Return a method that logs its own errors; afterwards it checks nothing more.

    Errors of the listeners, which are a user's, are raised.
    """

    @functools.wraps(hook)
    def call(self: Any, *args: Any, **kwargs: Any) -> None:
        if self.failed:
            return
        try:
            hook(self, *args, **kwargs)
        except Exception:
            self.failed = True
            logger.exception(
                "The doctor failed and checks this training no further; the training "
                "goes on. Please report this error."
            )
        self.deliver()

    return call


class Monitor(keras.callbacks.Callback):
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
        super().__init__()
        self.buckets = buckets
        self.best = best
        self.label_names = list(label_names)
        self.listeners = [item for item in listeners if hasattr(item, "on_finding")]
        self.run_settings = run_settings
        self.findings: list[Finding] = []
        self._undelivered: list[Finding] = []
        #: A check raised an error.
        self.failed = False
        #: The loss or a gradient was not finite, and the training ended there.
        self.overflowed = False
        self.prior = class_shares(buckets.examples.targets, len(self.label_names))
        self._losses: list[float] = []
        self._norms: list[np.ndarray] = []
        self._ratios: dict[str, list[float]] = {}
        self._weights_before: dict[str, np.ndarray] = {}
        self._epochs_seen: dict[str, int] = {}
        self._watched: WatchedUnits | None = None
        self._epoch: int | None = None
        self._steps = 0

    @never_ends_training
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch + 1
        self._norms = []
        self._ratios = {}
        n_steps, n_probes = len(self.buckets), PROBED_STEPS_PER_EPOCH
        self._probed_steps = {n_steps * i // n_probes for i in range(n_probes)}

    @never_ends_training
    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._weights_before = {}
        # A warm-up begins with a rate of zero, which changes nothing.
        rate = float(self.model.optimizer.learning_rate)
        if batch in self._probed_steps and rate != 0:
            self._weights_before = {
                variable.path: variable.numpy() for variable in self._matrices()
            }

    @never_ends_training
    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        norms = self.model.optimizer.gradient_norms.numpy()
        loss = (logs or {}).get("loss", 0.0)
        if not (math.isfinite(loss) and np.isfinite(norms).all()):
            self.overflowed = True
            self.report(explain_overflow(self.model, self.buckets[batch], norms))
            self.model.stop_training = True
            return
        self._norms.append(norms)
        if not self._weights_before:
            return
        for variable in self._matrices():
            before = self._weights_before[variable.path]
            if (norm := _norm(before)) > 0:
                ratio = _norm(variable.numpy() - before) / norm
                self._ratios.setdefault(layer_name(variable), []).append(ratio)

    @never_ends_training
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs if logs is not None else {}
        self._losses.append(float(logs.get("loss", math.nan)))
        norms = self._typical_norms()
        ratios = {
            layer: float(np.median(values)) for layer, values in self._ratios.items()
        }
        if norms:
            logs["gradient_norm"] = norms["all"]
        if ratios:
            logs["update_ratio"] = max(ratios.values())
        if self.overflowed:
            return
        self._steps += len(self._norms)
        self.report(curves.check_rising_loss(self._losses))
        self.report(gradients.check_gradients(norms, head=LOGITS), after=2)
        self.report(gradients.check_updates(ratios))
        for finding in gradients.check_units(*self._units()):
            self.report(finding)
        findings = []
        if self._steps >= FIRST_CHECKED_STEP:
            findings = self.check_predictions(self.best.logits)
        for finding in findings:
            self.report(finding, after=PREDICTION_EPOCHS)
        names = {finding.name for finding in findings}
        for name in self._epochs_seen:
            if name.startswith(PREDICTION_FINDINGS) and name not in names:
                self._epochs_seen[name] = 0

    def check_predictions(self, logits: np.ndarray | None) -> list[Finding]:
        """Check the predictions for the validation set."""
        if logits is None or not np.isfinite(logits).all():
            return []
        truth = self.best.valid.targets
        probabilities = as_probabilities(logits, multilabel=truth.ndim == 2)
        findings = [predictions.check_stuck(probabilities, truth, prior=self.prior)]
        if truth.ndim == 1:
            predicted = logits.argmax(1)
            findings.append(
                predictions.check_collapse(
                    predicted, truth, self.label_names, prior=self.prior
                )
            )
        return [finding for finding in findings if finding]

    @never_ends_training
    def check_result(
        self, logits: np.ndarray, *, best_epoch: int, history: Any
    ) -> None:
        """Check the network with its final weights.

        Findings on the predictions of earlier epochs are dropped if they are no longer
        true.
        """
        findings: list[Finding | None] = [*self.check_predictions(logits)]
        names = {finding.name for finding in findings if finding}
        self.findings = [
            finding
            for finding in self.findings
            if finding.name in names or not finding.name.startswith(PREDICTION_FINDINGS)
        ]
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
            curves.check_fit(
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

    def report(
        self, finding: Finding | None, *, after: int = 1, final: bool = False
    ) -> None:
        """Keep a finding that occurred in ``after`` epochs, once."""
        if finding is None:
            return
        seen = self._epochs_seen.get(finding.name, 0) + 1
        self._epochs_seen[finding.name] = seen
        if any(finding.name == earlier.name for earlier in self.findings):
            return
        if seen < after and not final:
            return
        finding = replace(finding, epoch=None if final else self._epoch)
        if self.run_settings is not None:
            cures = fitting_cures(finding.cures, self.run_settings)
            finding = replace(finding, cures=cures)
        self.findings.append(finding)
        self._undelivered.append(finding)

    def deliver(self) -> None:
        """Give new findings to the listeners, or log them."""
        while self._undelivered:
            finding = self._undelivered.pop(0)
            for listener in self.listeners:
                listener.on_finding(finding)
            if not self.listeners:
                logger.warning("%s", finding)

    def _matrices(self) -> list[Any]:
        """Return the weights whose updates are watched: no biases, no embeddings.

        Biases begin at zero; of an embedding a step changes a few rows only.
        """
        return [
            variable
            for variable in self.model.trainable_variables
            if len(variable.shape) > 1
            and layer_name(variable) not in (TRAINED, BIGRAMS)
        ]

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
                layer = layer_name(variable)
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


class WatchedUnits:
    """Activations of a network for a few texts.

    Parameters
    ----------
    model : keras.Model
    inputs : array, or tuple of arrays
        Inputs of the model; best without padding, which activates nothing.
    """

    def __init__(self, model: keras.Model, inputs: Any) -> None:
        self.activations = {
            layer.name: activation
            for layer in model.layers
            if (activation := _activation(layer)) in (*RECTIFIERS, *OUTPUT_RANGES)
        }
        self.inputs = inputs
        self.model = None
        if self.activations:
            self.model = layer_outputs(model, map(model.get_layer, self.activations))

    def shares(self) -> tuple[dict[str, float], dict[str, float]]:
        """Return the shares of dead units and of saturated outputs, by layer."""
        dead: dict[str, float] = {}
        saturated: dict[str, float] = {}
        outputs = self.model(self.inputs, training=False) if self.model else {}
        for layer, activation in self.activations.items():
            values = outputs[layer].numpy()
            if activation in RECTIFIERS:
                silent = (values <= 0).reshape(-1, values.shape[-1]).all(0)
                dead[layer] = float(silent.mean())
            else:
                low, high = OUTPUT_RANGES[activation]
                edge = SATURATED_EDGE * (high - low)
                at_end = (values < low + edge) | (values > high - edge)
                saturated[layer] = float(at_end.mean())
        return dead, saturated


def _activation(layer: Any) -> str:
    """Return the name of a layer's activation; of a bidirectional one, its cell's."""
    inner = getattr(layer, "forward_layer", layer)
    return getattr(getattr(inner, "activation", None), "__name__", "linear")


def _norm(values: np.ndarray) -> float:
    # The squares of very large weights would overflow in float32.
    return float(np.linalg.norm(values.astype(np.float64)))


def class_shares(targets: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the share of texts that have each class, shape (n_classes,)."""
    if targets.ndim == 2:
        return targets.mean(0)
    return np.bincount(targets, minlength=n_classes) / max(1, len(targets))


def as_probabilities(logits: np.ndarray, *, multilabel: bool) -> np.ndarray:
    """Return the probabilities of logits, in float64."""
    scores = logits.astype(np.float64)
    return expit(scores) if multilabel else softmax(scores, axis=1)
