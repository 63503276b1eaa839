"""Fit a network through ``keras.Model.fit``."""

from __future__ import annotations

import logging
import numbers
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from emoclf.doctor.data import check_targets
from emoclf.doctor.findings import Finding, sorted_findings
from emoclf.doctor.gradients import check_rate
from emoclf.errors import ModelError, ResumeError, TrainingError, setting
from emoclf.models.heads import LOGITS, PROBABILITIES, logits_twin
from emoclf.settings import TrainSettings
from emoclf.settings.sections import RATES
from emoclf.training.batches import Examples, LengthBuckets
from emoclf.training.best_weights import BestWeights
from emoclf.training.checkpoint import Checkpoint, CheckpointFolder
from emoclf.training.losses import build_loss
from emoclf.training.monitor import Monitor
from emoclf.training.optimizers import build_optimizer
from emoclf.training.schedules import PlateauRate

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingResult:
    """How a training went.

    Parameters
    ----------
    history : dict of str to list of float
        One number for each epoch: ``loss`` and ``accuracy`` on the training part while
        it was fitted, ``val_loss``, ``val_accuracy`` and ``val_macro_f1``,
        ``learning_rate``, ``seconds``; of a typical step the norm of the gradients
        (``gradient_norm``) and the largest change of a layer's weights as a share of
        their norm (``update_ratio``).
    best_epoch : int
        The epoch (from 1) whose weights the network has.
    ended : {"early", "all epochs", "callback", "interrupted", "loss not finite"}
    findings : tuple of Finding
        What is wrong, or probably wrong; the worst first.
    """

    history: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = 0
    ended: str = "all epochs"
    findings: tuple[Finding, ...] = ()

    @property
    def epochs(self) -> int:
        """Number of epochs that were trained."""
        return len(self.history.get("loss", []))

    @property
    def seconds(self) -> float:
        """Wall time of all epochs."""
        return float(sum(self.history.get("seconds", [])))


def fit_model(
    model: keras.Model,
    train: Examples,
    valid: Examples,
    settings: TrainSettings,
    *,
    seed: int = 0,
    label_names: Sequence[str] | None = None,
    in_force: Mapping[str, Any] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoints: CheckpointFolder | None = None,
    resume: bool = False,
) -> TrainingResult:
    """Fit a network; the best epoch on the validation part gives its weights.

    Parameters
    ----------
    model : keras.Model
        From :func:`emoclf.models.build_model`; fitted in place.
    train, valid : Examples
    settings : TrainSettings
    seed : int
        Together with the epoch's number it gives the order of the batches.
    label_names : sequence of str, optional
        For findings; else the ids.
    in_force : mapping of str to object, optional
        All settings of the run by name, so that findings advise only what there is.
    callbacks : sequence of keras.callbacks.Callback
        Called after the validation figures were added to the logs. With ``resume``,
        one that has ``get_state() -> dict`` and ``set_state(dict)`` gets its state
        back. One that has ``on_finding(finding)`` is told each finding as it happens;
        without any they are logged as warnings.
    checkpoints : CheckpointFolder, optional
        Where each epoch's end is kept, so that a killed training can be resumed.
    resume : bool, default=False
        Go on from the checkpoint, and end with the weights that an undisturbed
        training would have had.

    Returns
    -------
    result : TrainingResult

    Raises
    ------
    ModelError
        If the targets are not what the model's head takes.
    TrainingError
        If no epoch gave a finite validation figure.
    ResumeError
        If the checkpoint belongs to other settings or data, or is damaged.
    """
    n_classes, multilabel = _head_of(model)
    for part in (train, valid):
        wrong = check_targets(part.targets, n_classes=n_classes, multilabel=multilabel)
        if wrong is not None:
            raise ModelError(str(wrong))
    buckets = LengthBuckets(train, settings.batch_size, seed=seed)
    best = BestWeights(valid, monitor=settings.monitor, patience=settings.patience)
    keepers: list[Any] = [best]
    if settings.schedule == "plateau":
        mode = "min" if settings.monitor == "loss" else "max"
        keepers.append(PlateauRate(f"val_{settings.monitor}", mode))
    names = label_names or [str(number) for number in range(n_classes)]
    monitor = Monitor(buckets, best, names, callbacks, in_force)
    monitor.tell(
        check_rate(
            settings.rate,
            usual=RATES[settings.optimizer],
            optimizer=settings.optimizer,
        )
    )
    keepers += [monitor, *callbacks]
    twin = _compiled_twin(model, settings, steps=len(buckets), targets=train.targets)
    recorder = _Recorder(buckets, best, keepers, checkpoints)
    if checkpoints is not None and resume and checkpoints.exists():
        recorder.restore(twin, checkpoints.load())
    elif checkpoints is not None:
        checkpoints.start()
    ended = _run(twin, settings, recorder, monitor)
    if best.best_weights is None:
        said = "\n".join(map(str, sorted_findings(monitor.findings)))
        raise TrainingError(
            f"No epoch ended with a finite validation {settings.monitor}. The loss was "
            f"{recorder.history.get('loss', [])[:5]}. Try a lower "
            f"{setting('learning_rate')} or a smaller {setting('clip_norm')}."
            + (f"\n{said}" if said else "")
        )
    twin.set_weights(best.best_weights)
    # Of a run that had ended nothing was fitted, and Keras has told nobody.
    best.set_model(twin)
    best_epoch = (best.best_epoch or 0) + 1
    monitor.last_word(best.answers(), best_epoch=best_epoch, history=recorder.history)
    return TrainingResult(
        recorder.history, best_epoch, ended, sorted_findings(monitor.findings)
    )


def _head_of(model: keras.Model) -> tuple[int, bool]:
    """Return the classes of a model's head, and whether a text may have several."""
    named = {layer.name: layer for layer in model.layers}
    if LOGITS not in named or PROBABILITIES not in named:
        raise ModelError(
            f"{model.name!r} does not end in emoclf's head, the layers {LOGITS!r} and "
            f"{PROBABILITIES!r}; its last layer is {model.layers[-1].name!r}. Make it "
            "with build_model, or lay class_probabilities on your features."
        )
    activation = named[PROBABILITIES].activation
    return int(model.output_shape[-1]), activation is keras.activations.sigmoid


def _compiled_twin(
    model: keras.Model, settings: TrainSettings, *, steps: int, targets: Any
) -> keras.Model:
    """Return the twin that gives logits, ready for ``fit``."""
    twin = logits_twin(model)
    if targets.ndim == 2:
        metric: Any = keras.metrics.MeanMetricWrapper(_all_labels_right, "accuracy")
    else:
        metric = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    loss = build_loss(settings, multilabel=targets.ndim == 2)
    optimizer = build_optimizer(settings, steps_per_epoch=steps)
    # XLA compiles each length for seconds, and did not pay on a CPU.
    twin.compile(optimizer, loss, metrics=[metric], jit_compile=False)
    optimizer.build(twin.trainable_variables)
    return twin


def _all_labels_right(targets: Any, logits: Any) -> Any:
    """Say of each text whether all its labels are right, as in validation."""
    ops = keras.ops
    return ops.all(ops.equal(ops.cast(targets, "bool"), logits > 0), axis=-1)


def _run(
    twin: keras.Model, settings: TrainSettings, recorder: _Recorder, monitor: Monitor
) -> str:
    """Fit until the end, and say in a word or two why it came."""
    best = recorder.best
    if not (recorder.stopped or recorder.done >= settings.epochs):
        try:
            _fit(twin, settings, recorder)
        except KeyboardInterrupt:
            if best.best_weights is None:
                raise
            if best.best_epoch == recorder.done:
                # The best epoch was judged, and interrupted before it was written.
                recorder.write_down(best.logs)
            logger.warning("Interrupted; the best epoch so far is kept.")
            return "interrupted"
    losses = recorder.history.get("loss", [])
    finite = not losses or abs(losses[-1]) < float("inf")
    if monitor.overflowed or not finite:
        return "loss not finite"
    if recorder.stopped and not best.stopped_early:
        return "callback"
    return "early" if best.stopped_early else "all epochs"


def _fit(twin: keras.Model, settings: TrainSettings, recorder: _Recorder) -> None:
    callbacks = recorder.callbacks()
    try:
        twin.fit(
            recorder.buckets.as_dataset(),
            epochs=settings.epochs,
            initial_epoch=recorder.done,
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )
    except BaseException:
        # Keras tells callbacks of no such end, and a bar would go on drawing.
        for callback in callbacks:
            callback.on_train_end()
        raise


class _Recorder(keras.callbacks.Callback):
    """Tell the buckets which epoch it is; keep the history and the checkpoint.

    It stands first in the list of callbacks to open an epoch; :class:`_EpochEnd` calls
    it again as the last, when every other callback has seen the epoch.
    """

    def __init__(
        self,
        buckets: LengthBuckets,
        best: BestWeights,
        keepers: list[Any],
        checkpoints: CheckpointFolder | None,
    ) -> None:
        super().__init__()
        self.buckets = buckets
        self.best = best
        self.keepers = keepers
        self.checkpoints = checkpoints
        self.history: dict[str, list[float]] = {}
        self.done = 0
        self.stopped = False
        self._began = 0.0
        self._rate = 0.0
        self._states: list[Any] = []

    def give_back_states(self) -> None:
        """Give callbacks their states; ``on_train_begin`` resets them, so there too."""
        # By class, since a resumed run may have other callbacks of the user beside.
        states = list(self._states)
        for keeper in self.keepers:
            found = [own for own in states if own[0] == _class_of(keeper)]
            if found:
                keeper.set_state(found[0][1])
                states.remove(found[0])

    def callbacks(self) -> list[keras.callbacks.Callback]:
        """Return all callbacks in the order in which Keras has to call them."""
        return [self, *self.keepers, _EpochEnd(self)]

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.buckets.epoch = epoch
        self._began = time.perf_counter()
        self._rate = float(self.model.optimizer.learning_rate.numpy())

    def finish_epoch(self, epoch: int, logs: dict[str, Any]) -> None:
        """Write the epoch down, and save what a resumed training needs."""
        self.write_down(logs)
        self.done = epoch + 1
        self.stopped = bool(self.model.stop_training)
        if self.checkpoints is not None:
            self.checkpoints.save(self._checkpoint())

    def write_down(self, logs: dict[str, Any]) -> None:
        """Add an epoch's figures to the history."""
        # Beside the figures a user's callback may have logged anything.
        metrics = {
            name: float(value)
            for name, value in logs.items()
            if isinstance(value, numbers.Real)
        }
        metrics["learning_rate"] = self._rate
        metrics["seconds"] = time.perf_counter() - self._began
        for name, value in metrics.items():
            self.history.setdefault(name, []).append(value)

    def _checkpoint(self) -> Checkpoint:
        states = [
            [_class_of(keeper), keeper.get_state()]
            for keeper in self.keepers
            if hasattr(keeper, "get_state")
        ]
        return Checkpoint(
            epoch=self.done,
            model=_values(self.model.variables),
            optimizer=_values(self.model.optimizer.variables),
            best=self.best.best_weights or [],
            states={
                "history": self.history,
                "stopped": self.stopped,
                "callbacks": states,
            },
        )

    def restore(self, twin: keras.Model, checkpoint: Checkpoint) -> None:
        """Put network, optimizer, history and callbacks where they were."""
        _assign(twin.variables, checkpoint.model)
        _assign(twin.optimizer.variables, checkpoint.optimizer)
        self.history = checkpoint.states["history"]
        self.stopped = checkpoint.states["stopped"]
        self.done = checkpoint.epoch
        self.best.best_weights = checkpoint.best or None
        self._states = list(checkpoint.states["callbacks"])
        # At once as well: of a run that had ended no epoch begins any more.
        self.give_back_states()
        logger.info("Resumed after epoch %d.", self.done)


class _EpochEnd(keras.callbacks.Callback):
    """The last callback of an epoch."""

    def __init__(self, recorder: _Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.recorder.give_back_states()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.recorder.finish_epoch(epoch, dict(logs or {}))


def _class_of(callback: Any) -> str:
    kind = type(callback)
    return f"{kind.__module__}.{kind.__qualname__}"


def _values(variables: Sequence[Any]) -> list[Any]:
    return [variable.numpy() for variable in variables]


def _assign(variables: Sequence[Any], values: Sequence[Any]) -> None:
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes != [value.shape for value in values]:
        raise ResumeError(
            "The checkpoint is of another network: its arrays have other shapes. Start "
            "again with --overwrite."
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
