"""Base of the doctor's callbacks: weight updates, units, and the findings so far."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from scipy.special import expit, softmax

from emoclf.doctor import predictions
from emoclf.doctor.findings import Finding, fitting_cures
from emoclf.doctor.overflow import layer_name, layer_outputs
from emoclf.models.embedding import TRAINED
from emoclf.models.mean_embedding import BIGRAMS

logger = logging.getLogger(__name__)

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


class Watcher(keras.callbacks.Callback):
    """Record weight updates and keep findings, each of which is reported once.

    Parameters
    ----------
    listeners : sequence of callbacks
        Those with ``on_finding(finding)`` receive the findings; if there is none,
        findings are logged as warnings.
    run_settings : mapping of str to object, optional
        All settings of the run: advice on settings that it does not have is left out.
    cures : mapping of str to str, optional
        Other words for some of the cures.
    """

    #: Layers whose updates are not watched, since a step changes a few rows only.
    unwatched: tuple[str, ...] = (TRAINED, BIGRAMS)

    def __init__(
        self,
        listeners: Sequence[Any] = (),
        run_settings: Mapping[str, Any] | None = None,
        *,
        cures: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.listeners = [item for item in listeners if hasattr(item, "on_finding")]
        self.run_settings = run_settings
        self.cures = cures or {}
        #: A check raised an error.
        self.failed = False
        self.start()

    def start(self) -> None:
        """Forget what earlier trainings had."""
        self.findings: list[Finding] = []
        #: The loss or a gradient was not finite.
        self.overflowed = False
        self._undelivered: list[Finding] = []
        self._losses: list[float] = []
        self._ratios: dict[str, list[float]] = {}
        self._weights_before: dict[str, np.ndarray] = {}
        self._probed_steps: set[int] = set()
        self._epochs_seen: dict[str, int] = {}
        self._watched: WatchedUnits | None = None
        self._epoch: int | None = None
        self._steps = 0

    def begin_epoch(self, epoch: int, n_steps: int) -> None:
        """Choose the steps of an epoch, counted from 0, whose updates are recorded."""
        self._epoch = epoch + 1
        self._ratios = {}
        n_probes = PROBED_STEPS_PER_EPOCH
        self._probed_steps = {n_steps * i // n_probes for i in range(n_probes)}

    @never_ends_training
    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Copy the weights before a step whose update is recorded."""
        self._weights_before = {}
        # A warm-up begins with a rate of zero, which changes nothing.
        rate = float(self.model.optimizer.learning_rate)
        if batch in self._probed_steps and rate != 0:
            self._weights_before = {
                variable.path: variable.numpy() for variable in self._matrices()
            }

    def end_step(self) -> None:
        """Record the update of a step, if its weights were copied before it."""
        if not self._weights_before:
            return
        for variable in self._matrices():
            before = self._weights_before[variable.path]
            if (norm := _norm(before)) > 0:
                ratio = _norm(variable.numpy() - before) / norm
                self._ratios.setdefault(layer_name(variable, self.model), []).append(
                    ratio
                )

    def update_ratios(self) -> dict[str, float]:
        """Return the relative size of each layer's typical update in the epoch."""
        return {
            layer: float(np.median(values)) for layer, values in self._ratios.items()
        }

    def report_predictions(self, findings: Sequence[Finding]) -> None:
        """Report findings on the predictions of an epoch that last."""
        self.report(*findings, after=PREDICTION_EPOCHS)
        names = {finding.name for finding in findings}
        for name in self._epochs_seen:
            if name.startswith(PREDICTION_FINDINGS) and name not in names:
                self._epochs_seen[name] = 0

    def drop_outdated(self, findings: Sequence[Finding]) -> None:
        """Drop findings on the predictions of earlier epochs that are not true now."""
        names = {finding.name for finding in findings}
        self.findings = [
            finding
            for finding in self.findings
            if finding.name in names or not finding.name.startswith(PREDICTION_FINDINGS)
        ]

    def report(
        self, *findings: Finding | None, after: int = 1, final: bool = False
    ) -> None:
        """Keep findings that occurred in ``after`` epochs, each of them once."""
        for finding in filter(None, findings):
            n_epochs = self._epochs_seen.get(finding.name, 0) + 1
            self._epochs_seen[finding.name] = n_epochs
            if any(finding.name == earlier.name for earlier in self.findings):
                continue
            if n_epochs < after and not final:
                continue
            finding = replace(finding, epoch=None if final else self._epoch)
            if self.run_settings is not None:
                worded = tuple(self.cures.get(cure, cure) for cure in finding.cures)
                cures = fitting_cures(worded, self.run_settings)
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
            and layer_name(variable, self.model) not in self.unwatched
            and not str(variable.path).endswith("/embeddings")
        ]


class WatchedUnits:
    """Activations of a network for a few texts.

    Parameters
    ----------
    model : keras.Model
    inputs : array, or tuple of arrays
        Inputs of the model; best without padding, which activates nothing.
    head : collection of str
        Layers that are left out: the outputs of a head may be at their limits.
    """

    def __init__(
        self, model: keras.Model, inputs: Any, *, head: Collection[str] = ()
    ) -> None:
        self.activations = {
            layer.name: activation
            for layer in model.layers
            if layer.name not in head
            and (activation := _activation(layer)) in (*RECTIFIERS, *OUTPUT_RANGES)
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
        # Soft targets may be of half precision.
        return targets.mean(0, dtype=np.float64)
    return np.bincount(targets, minlength=n_classes) / max(1, len(targets))


def as_probabilities(logits: np.ndarray, *, multilabel: bool) -> np.ndarray:
    """Return the probabilities of logits, in float64."""
    scores = logits.astype(np.float64)
    return expit(scores) if multilabel else softmax(scores, axis=1)


def check_predictions(
    probabilities: np.ndarray,
    truth: np.ndarray,
    label_names: Sequence[str],
    *,
    prior: np.ndarray,
) -> list[Finding]:
    """Check predictions for constant probabilities, and for one class for all texts.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, n_classes)
    truth : ndarray of int
        Class ids, shape (n,); or 0 and 1, shape (n, n_classes).
    label_names : sequence of str
    prior : ndarray of float, shape (n_classes,)
        Class shares in the training set.
    """
    findings = [predictions.check_stuck(probabilities, truth, prior=prior)]
    if truth.ndim == 1:
        predicted = probabilities.argmax(1)
        findings.append(
            predictions.check_collapse(predicted, truth, label_names, prior=prior)
        )
    return [finding for finding in findings if finding]
