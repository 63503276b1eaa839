"""History and checkpoints of a training, from which it is resumed."""

from __future__ import annotations

import logging
import numbers
import time
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from emoclf.errors import ResumeError
from emoclf.training.checkpoint import Checkpoint, CheckpointFolder
from emoclf.training.interruption import Interruption

logger = logging.getLogger(__name__)


class EpochRecorder(keras.callbacks.Callback):
    """Keep the history, the checkpoint and the states of the other callbacks.

    It must be the last callback: a checkpoint contains the states that the others have
    after the epoch, and they reset themselves in ``on_train_begin``.

    Parameters
    ----------
    buckets : object with ``epoch`` and ``as_dataset()``
        Batches; they are told the number of each epoch.
    best : callback with ``best_weights``
    callbacks : list of keras.callbacks.Callback
        The other callbacks, ``best`` among them, in the order in which Keras calls
        them.
    checkpoints : CheckpointFolder, optional
    """

    def __init__(
        self,
        buckets: Any,
        best: Any,
        callbacks: list[Any],
        checkpoints: CheckpointFolder | None,
    ) -> None:
        super().__init__()
        self.buckets = buckets
        self.best = best
        self.callbacks = callbacks
        self.checkpoints = checkpoints
        self.history: dict[str, list[float]] = {}
        self.epochs_done = 0
        self.stopped = False
        self._start = 0.0
        self._rate = 0.0
        self._states: list[Any] = []

    def start(self, model: keras.Model, *, resume: bool) -> None:
        """Go on from the checkpoint, if there is one, or begin a new run."""
        if self.checkpoints is None:
            return
        if resume and self.checkpoints.exists():
            self.restore(model, self.checkpoints.load())
        else:
            self.checkpoints.start()

    def fit(self, model: keras.Model, epochs: int) -> None:
        """Fit the epochs that are left, and end all callbacks, whatever happens."""
        if self.stopped or self.epochs_done >= epochs:
            return
        with Interruption() as interruption:
            callbacks = [interruption, *self.callbacks, self]
            try:
                model.fit(
                    self.buckets.as_dataset(),
                    epochs=epochs,
                    initial_epoch=self.epochs_done,
                    callbacks=callbacks,
                    shuffle=False,
                    verbose=0,
                )
            except BaseException:
                # Keras does not call it then, and a progress bar would go on drawing.
                for callback in callbacks:
                    callback.on_train_end()
                raise

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._restore_callbacks()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.buckets.epoch = epoch
        self._start = time.perf_counter()
        self._rate = float(self.model.optimizer.learning_rate.numpy())

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.add_to_history(logs or {})
        self.epochs_done = epoch + 1
        self.stopped = bool(self.model.stop_training)
        if self.checkpoints is not None:
            self.checkpoints.save(self._checkpoint())

    def add_to_history(self, logs: Mapping[str, Any]) -> None:
        """Add the metrics of an epoch to the history."""
        # The callbacks of a user may have logged other values than numbers.
        metrics = {
            name: float(value)
            for name, value in logs.items()
            if isinstance(value, numbers.Real)
        }
        metrics["learning_rate"] = self._rate
        metrics["seconds"] = time.perf_counter() - self._start
        for name, value in metrics.items():
            self.history.setdefault(name, []).append(value)

    def _checkpoint(self) -> Checkpoint:
        states = [
            [_class_name(callback), callback.get_state()]
            for callback in self.callbacks
            if hasattr(callback, "get_state")
        ]
        return Checkpoint(
            epoch=self.epochs_done,
            model=[x.numpy() for x in self.model.variables],
            optimizer=[x.numpy() for x in self.model.optimizer.variables],
            best=self.best.best_weights or [],
            states={
                "history": self.history,
                "stopped": self.stopped,
                "callbacks": states,
            },
        )

    def restore(self, twin: keras.Model, checkpoint: Checkpoint) -> None:
        """Restore network, optimizer, history and callbacks from a checkpoint."""
        _assign(twin.variables, checkpoint.model)
        _assign(twin.optimizer.variables, checkpoint.optimizer)
        self.history = checkpoint.states["history"]
        self.stopped = checkpoint.states["stopped"]
        self.epochs_done = checkpoint.epoch
        self.best.best_weights = checkpoint.best or None
        self._states = checkpoint.states["callbacks"]
        # A finished run skips fit(), so on_train_begin does not restore them.
        self._restore_callbacks()
        logger.info("Resumed after epoch %d.", self.epochs_done)

    def _restore_callbacks(self) -> None:
        # By class: the user may have added or removed callbacks before resuming.
        states = list(self._states)
        for callback in self.callbacks:
            name = _class_name(callback)
            if state := next((state for state in states if state[0] == name), None):
                callback.set_state(state[1])
                states.remove(state)


def _class_name(callback: Any) -> str:
    kind = type(callback)
    return f"{kind.__module__}.{kind.__qualname__}"


def _assign(variables: Sequence[Any], values: Sequence[Any]) -> None:
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes != [value.shape for value in values]:
        raise ResumeError(
            "The checkpoint belongs to another network: its arrays have other shapes. "
            "Start again with --overwrite."
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
