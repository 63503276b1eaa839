"""Watching a training: what :mod:`emoclf.doctor` judges is recorded here."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from emoclf.doctor import curves, gradients, predictions
from emoclf.doctor.findings import Finding, fitting_cures
from emoclf.doctor.overflow import explain_overflow
from emoclf.models.embedding import TRAINED
from emoclf.models.heads import LOGITS
from emoclf.models.mean_embedding import BIGRAMS
from emoclf.training.batches import LengthBuckets
from emoclf.training.best_weights import BestWeights
from emoclf.training.thresholds import choose_thresholds

logger = logging.getLogger(__name__)

SAMPLE = 128
LONGEST = 40
PROBES = 3
# Epochs in which nothing may be said of answers: networks begin with one class.
PATIENCE = 3
FIRST_STEPS = 300
RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
RECTIFIERS = ("relu",)
EDGE = 0.02


class Monitor(keras.callbacks.Callback):
    """Record gradients, updates, units and answers, and say what is wrong at once.

    It reads what the optimizer and the validation have computed anyway; beside that it
    copies the weights before three steps of an epoch, and sends a few training texts
    through the network at its end.

    Parameters
    ----------
    buckets : LengthBuckets
    best : BestWeights
        Stands before this callback, and judges the epoch.
    label_names : sequence of str
    listeners : sequence of callbacks
        Those with ``on_finding(finding)`` are told; else a warning is logged.
    in_force : mapping of str to object, optional
        All settings of the run: nobody is told to use what is not there.
    """

    def __init__(
        self,
        buckets: LengthBuckets,
        best: BestWeights,
        label_names: Sequence[str],
        listeners: Sequence[Any] = (),
        in_force: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.buckets = buckets
        self.best = best
        self.label_names = list(label_names)
        self.listeners = [one for one in listeners if hasattr(one, "on_finding")]
        self.in_force = in_force
        self.findings: list[Finding] = []
        #: An answer or a gradient was not finite; the training ended there.
        self.overflowed = False
        self.prior = class_shares(buckets.examples.targets, len(self.label_names))
        self._losses: list[float] = []
        self._norms: list[np.ndarray] = []
        self._ratios: dict[str, list[float]] = {}
        self._before: dict[str, np.ndarray] = {}
        self._epochs_seen: dict[str, int] = {}
        self._watched: Any = None
        self._epoch: int | None = None
        self._steps = 0
        self._told_of_answers: set[str] = set()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch + 1
        self._norms = []
        self._ratios = {}
        steps = len(self.buckets)
        self._probed = {steps * place // PROBES for place in range(PROBES)}

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        # A warm-up begins with a rate of zero, which moves nothing.
        self._before = {}
        if batch in self._probed and float(self.model.optimizer.learning_rate) != 0:
            self._before = {
                variable.path: variable.numpy() for variable in self._matrices()
            }

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        norms = self.model.optimizer.gradient_norms.numpy()
        loss = (logs or {}).get("loss", 0.0)
        if not (math.isfinite(loss) and np.isfinite(norms).all()):
            self.overflowed = True
            self.tell(explain_overflow(self.model, self.buckets[batch], norms))
            self.model.stop_training = True
            return
        self._norms.append(norms)
        if batch in self._probed and self._before:
            for variable in self._matrices():
                before = self._before[variable.path]
                size = _norm(before)
                if size > 0:
                    ratio = _norm(variable.numpy() - before) / size
                    self._ratios.setdefault(_layer(variable), []).append(ratio)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs if logs is not None else {}
        self._losses.append(float(logs.get("loss", math.nan)))
        typical = self._typical_norms()
        ratios = {name: float(np.median(found)) for name, found in self._ratios.items()}
        if typical:
            logs["gradient_norm"] = typical["all"]
        if ratios:
            logs["update_ratio"] = max(ratios.values())
        if self.overflowed:
            return
        self._steps += len(self._norms)
        self.tell(curves.check_rising_loss(self._losses))
        self.tell(gradients.check_gradients(typical, head=LOGITS), after=2)
        self.tell(gradients.check_updates(ratios))
        for found in gradients.check_units(*self._units()):
            self.tell(found)
        # Networks begin with one answer for all; averaged weights linger there.
        answers = self.judge(self.best.logits) if self._steps >= FIRST_STEPS else []
        for finding in answers:
            self.tell(finding, after=PATIENCE)
        for name in self._told_of_answers - {finding.name for finding in answers}:
            self._epochs_seen[name] = 0
        self._told_of_answers |= {finding.name for finding in answers}

    def judge(self, logits: np.ndarray | None) -> list[Finding]:
        """Judge answers for the validation part."""
        if logits is None or not np.isfinite(logits).all():
            return []
        truth = self.best.valid.targets
        probabilities = as_probabilities(logits, multilabel=truth.ndim == 2)
        found = [predictions.check_stuck(probabilities, truth, prior=self.prior)]
        if truth.ndim == 1:
            predicted = logits.argmax(1)
            found.append(
                predictions.check_collapse(
                    predicted, truth, self.label_names, prior=self.prior
                )
            )
        return [one for one in found if one]

    def last_word(self, logits: np.ndarray, *, best_epoch: int, history: Any) -> None:
        """Judge the network that came out.

        What was said of answers on the way is forgotten where it is no longer true.
        """
        lasting: list[Finding | None] = [*self.judge(logits)]
        passing = ("class-collapse", "stuck-at-")
        lasts = {finding.name for finding in lasting if finding}
        self.findings = [
            found
            for found in self.findings
            if found.name in lasts or not found.name.startswith(passing)
        ]
        truth = self.best.valid.targets
        if truth.ndim == 2:
            chances = as_probabilities(logits, multilabel=True)
            truth = truth.astype(np.int64)
            # As the classifier will answer.
            predicted = (chances >= choose_thresholds(chances, truth)).astype(np.int64)
        else:
            predicted = logits.argmax(1)
        if not lasting:
            lasting.append(
                predictions.check_unseen(
                    predicted, truth, self.label_names, prior=self.prior
                )
            )
        lasting.append(
            curves.check_fit(
                accuracy=history["accuracy"][-1],
                val_losses=history["val_loss"],
                val_accuracy=history["val_accuracy"][best_epoch - 1],
                best_epoch=best_epoch,
                prior=self.prior,
                multilabel=truth.ndim == 2,
            )
        )
        for finding in lasting:
            self.tell(finding, last=True)

    def get_state(self) -> dict[str, Any]:
        """Return what a resumed training has to know."""
        return {
            "findings": [found.to_dict() for found in self.findings],
            "losses": self._losses,
            "steps": self._steps,
            "overflowed": self.overflowed,
            "seen": self._epochs_seen,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Take up the state of :meth:`get_state`."""
        self.findings = [Finding.from_dict(found) for found in state["findings"]]
        self._losses = list(state["losses"])
        self._steps = state["steps"]
        self.overflowed = state["overflowed"]
        self._epochs_seen = dict(state["seen"])

    def tell(
        self, finding: Finding | None, *, after: int = 1, last: bool = False
    ) -> None:
        """Keep a finding that has been seen in ``after`` epochs, and say it once."""
        if finding is None:
            return
        seen = self._epochs_seen.get(finding.name, 0) + 1
        self._epochs_seen[finding.name] = seen
        if any(old.name == finding.name for old in self.findings):
            return
        if seen < after and not last:
            return
        epoch = None if last else self._epoch
        finding = replace(finding, epoch=epoch)
        if self.in_force is not None:
            cures = fitting_cures(finding.cures, self.in_force)
            finding = replace(finding, cures=cures)
        self.findings.append(finding)
        for listener in self.listeners:
            listener.on_finding(finding)
        if not self.listeners:
            logger.warning("%s", finding)

    def _matrices(self) -> list[Any]:
        """Return the weights whose updates are watched: no biases, no embeddings.

        Biases begin at zero; of an embedding a step moves a few rows only.
        """
        return [
            variable
            for variable in self.model.trainable_variables
            if len(variable.shape) > 1 and _layer(variable) not in (TRAINED, BIGRAMS)
        ]

    def _typical_norms(self) -> dict[str, float]:
        """Return each layer's median gradient, as a root mean square, and the norm."""
        if not self._norms:
            return {}
        norms = np.array(self._norms)
        watched = {variable.path for variable in self._matrices()}
        typical = {"all": float(np.median(np.linalg.norm(norms, axis=1)))}
        for column, variable in enumerate(self.model.trainable_variables):
            if variable.path in watched:
                size = math.sqrt(math.prod(variable.shape))
                rms = float(np.median(norms[:, column])) / size
                name = _layer(variable)
                typical[name] = max(rms, typical.get(name, 0.0))
        return typical

    def _units(self) -> tuple[dict[str, float], dict[str, float]]:
        """Return the shares of dead units and of saturated answers, by layer."""
        if self._watched is None:
            inputs = self.buckets.examples.sample(SAMPLE, LONGEST)
            if inputs is None:
                return {}, {}
            self._watched = WatchedUnits(self.model, inputs)
        return self._watched.shares()


class WatchedUnits:
    """The activations of a network for a few texts.

    Parameters
    ----------
    model : keras.Model
    inputs : array, or tuple of arrays
        What the model takes; best without padding, which fires nothing.
    """

    def __init__(self, model: keras.Model, inputs: Any) -> None:
        self.kinds = {
            layer.name: kind
            for layer in model.layers
            if (kind := _activation(layer)) in (*RECTIFIERS, *RANGES)
        }
        self.inputs = inputs
        outputs = [model.get_layer(name).output for name in self.kinds]
        # A Sequential knows its inputs by this name alone.
        entry = model.inputs[0] if len(model.inputs) == 1 else model.input
        self.model = keras.Model(entry, outputs) if outputs else None

    def shares(self) -> tuple[dict[str, float], dict[str, float]]:
        """Return the shares of dead units and of saturated answers, by layer."""
        dead: dict[str, float] = {}
        saturated: dict[str, float] = {}
        if self.model is None:
            return dead, saturated
        outputs = self.model(self.inputs, training=False)
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        for (name, kind), output in zip(self.kinds.items(), outputs, strict=True):
            values = output.numpy()
            if kind in RECTIFIERS:
                silent = (values <= 0).reshape(-1, values.shape[-1]).all(0)
                dead[name] = float(silent.mean())
            else:
                low, high = RANGES[kind]
                edge = EDGE * (high - low)
                at_end = (values < low + edge) | (values > high - edge)
                saturated[name] = float(at_end.mean())
        return dead, saturated


def _activation(layer: Any) -> str:
    """Return the activation of a layer's answers; that of a recurrent one's cell."""
    inner = getattr(layer, "forward_layer", layer)
    return getattr(getattr(inner, "activation", None), "__name__", "linear")


def _norm(values: np.ndarray) -> float:
    # Squares of what has grown out of bounds would overflow in float32.
    return float(np.linalg.norm(values.astype(np.float64)))


def _layer(variable: Any) -> str:
    return str(variable.path).partition("/")[0]


def class_shares(targets: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the share of texts that have each class, shape (n_classes,)."""
    if targets.ndim == 2:
        return targets.mean(0)
    return np.bincount(targets, minlength=n_classes) / max(1, len(targets))


def as_probabilities(logits: np.ndarray, *, multilabel: bool) -> np.ndarray:
    """Return the probabilities of logits, in float64."""
    scores = logits.astype(np.float64)
    if multilabel:
        return np.exp(-np.logaddexp(0, -scores))
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)
