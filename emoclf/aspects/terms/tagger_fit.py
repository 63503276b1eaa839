"""Fit a tagger through ``keras.Model.fit``; the exact-span F1 chooses the epoch."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emoclf.aspects.terms.aspect_settings import AspectSettings
from emoclf.aspects.terms.sentence_encoder import MAX_CHARACTERS, TaggedExamples
from emoclf.aspects.terms.tagger_network import CRF_SCORES, EMISSIONS, TaggerNetwork
from emoclf.doctor.findings import Finding
from emoclf.errors import TrainingError, setting
from emoclf.models.keras_globals import check_no_strategy, default_keras_globals
from emoclf.training.batches import LengthBuckets
from emoclf.training.best_weights import BestEpoch
from emoclf.training.checkpoint import CheckpointFolder
from emoclf.training.epoch_recorder import EpochRecorder
from emoclf.training.optimizers import build_optimizer
from emoclf.training.progress import TrainingProgress
from emoclf.training.step_monitor import StepMonitor

logger = logging.getLogger(__name__)

#: Metric in the logs that chooses the epoch.
VAL_F1 = "val_f1"


@default_keras_globals()
def fit_tagger(
    network: TaggerNetwork,
    train: TaggedExamples,
    settings: AspectSettings,
    evaluate: Callable[[], float],
    *,
    seed: int,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoints: CheckpointFolder | None = None,
    resume: bool = False,
) -> tuple[dict[str, list[float]], list[Finding]]:
    """Fit a network and give it the weights of its best epoch.

    Parameters
    ----------
    network : TaggerNetwork
        Fitted in place.
    train : TaggedExamples
    settings : AspectSettings
    evaluate : function
        Returns the F1 of the network on the validation set.
    seed : int
        Seed of the batches, together with the number of the epoch.
    callbacks : sequence of keras.callbacks.Callback
        Called after the validation F1 was added to the logs.
    checkpoints : CheckpointFolder, optional
        Folder for a checkpoint after each epoch.
    resume : bool, default=False
        Continue from the checkpoint, if there is one, and end with the weights that an
        uninterrupted training would have had.

    Returns
    -------
    history : dict of str to list of float
        ``loss``, ``val_f1``, ``gradient_norm``, ``update_ratio``, ``learning_rate`` and
        ``seconds`` of each epoch.
    findings : list of Finding
        Findings of the doctor on losses, gradients and weight updates. They are also
        given to callbacks with ``on_finding``, or else logged.

    Raises
    ------
    TrainingError
        If no epoch had a finite loss.
    ResumeError
        If the checkpoint belongs to other settings or data, or is damaged.
    """
    check_no_strategy()
    model = network.training
    batches = _Batches(
        train, settings.batch_size, seed=seed, characters=settings.characters
    )
    training = settings.training
    optimizer = build_optimizer(training, steps_per_epoch=len(batches))
    # XLA compiles for seconds for each length, which does not pay on a CPU.
    model.compile(optimizer, loss=_negative, jit_compile=False)
    optimizer.build(model.trainable_variables)
    best = _BestSpans(evaluate, settings.patience)
    monitor = _TaggerMonitor(batches, callbacks, settings.to_dict(), head=EMISSIONS)
    monitor.check_rate(training)
    recorder = EpochRecorder(batches, best, [best, monitor, *callbacks], checkpoints)
    recorder.start(model, resume=resume)
    recorder.fit(model, settings.epochs)
    history = recorder.history
    if best.best_weights is None:
        raise TrainingError(
            f"No epoch ended with a finite loss: {history.get('loss', [])[:5]}. Try a "
            f"lower {setting('learning_rate')}."
            + "".join(f"\n{finding}" for finding in monitor.findings)
        )
    model.set_weights(best.best_weights)
    return history, monitor.findings


@keras.saving.register_keras_serializable(package="emoclf")
def _negative(_: Any, log_likelihood: Any) -> Any:
    """Return the loss of sentences, whose tags are an input of the network."""
    return -log_likelihood


class _TaggerMonitor(StepMonitor):
    """Losses, gradients and weight updates of a tagger."""

    # The scores of the transitions begin at zero, so that every update is large.
    unwatched = (*StepMonitor.unwatched, CRF_SCORES)


@dataclass
class _Batches(LengthBuckets):
    """Batches of sentences with their tags."""

    examples: Any
    characters: bool = False

    def _batch(self, rows: np.ndarray) -> tuple[Any, ...]:
        inputs = self.examples.batch(rows, characters=self.characters)
        # Keras wants a target for each output; the tags are an input.
        return inputs, np.zeros(len(rows), np.float32)

    def _signature(self) -> tuple[Any, ...]:
        inputs = {name: tf.TensorSpec((None, None), tf.int32) for name in TOKENS}
        if self.characters:
            shape = (None, None, MAX_CHARACTERS)
            inputs["characters"] = tf.TensorSpec(shape, tf.int32)
        return inputs, tf.TensorSpec((None,), tf.float32)


#: Inputs with a number for each token.
TOKENS = ("token_ids", "tags")


class _BestSpans(BestEpoch):
    """Validation F1 in the logs, the best weights, and early stopping."""

    def __init__(self, evaluate: Callable[[], float], patience: int) -> None:
        super().__init__(patience)
        self.evaluate = evaluate

    def rank(self, logs: dict[str, Any]) -> tuple[float, float]:
        """Return the F1 and the negative training loss.

        Ties go to the smaller loss, so that something is learnt where the first epochs
        find no term.
        """
        loss = logs.get("loss", math.nan)
        if not math.isfinite(loss):
            return math.nan, math.nan
        logs[VAL_F1] = self.evaluate()
        return logs[VAL_F1], -loss


class TaggerProgress(TrainingProgress):
    """Loss and validation F1 of each epoch, and on a terminal a bar."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        width = len(str(self.epochs))
        self._print(
            f"epoch {epoch + 1:>{width}}/{self.epochs}  "
            f"loss {logs.get('loss', math.nan):.3f}  "
            f"validation F1 {logs.get(VAL_F1, math.nan):.3f}"
        )
