"""Fit a network through ``keras.Model.fit``."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from emoclf.doctor.data import check_soft_targets, check_targets
from emoclf.doctor.findings import Finding, sorted_findings
from emoclf.errors import ModelError, TrainingError, setting
from emoclf.models.heads import LOGITS, PROBABILITIES, logits_twin
from emoclf.models.keras_globals import check_no_strategy, default_keras_globals
from emoclf.settings import TrainSettings
from emoclf.training.batches import Examples, LengthBuckets
from emoclf.training.best_weights import BestWeights
from emoclf.training.checkpoint import CheckpointFolder
from emoclf.training.epoch_recorder import EpochRecorder
from emoclf.training.losses import build_loss
from emoclf.training.monitor import Monitor
from emoclf.training.optimizers import build_optimizer
from emoclf.training.schedules import PlateauRate

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)


class History(dict[str, list[float]]):
    """Metrics by name, one number for each epoch."""

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with one row for each epoch, counted from 1."""
        import pandas as pd  # Most programs need no frames.

        frame = pd.DataFrame({name: pd.Series(self[name]) for name in self})
        frame.index = pd.RangeIndex(1, len(frame) + 1, name="epoch")
        return frame


@dataclass(frozen=True)
class TrainingResult:
    """History, best epoch, end and findings of a training.

    Parameters
    ----------
    history : dict of str to list of float
        One number for each epoch: ``loss`` and ``accuracy`` on the training set during
        the epoch, ``val_loss``, ``val_accuracy`` and ``val_macro_f1``,
        ``learning_rate``, ``seconds``, and two numbers of a typical step: the norm of
        the gradients (``gradient_norm``) and the largest change of a layer's weights as
        a share of their norm (``update_ratio``).
    best_epoch : int
        The epoch (from 1) whose weights the network has.
    ended : {"early", "all epochs", "callback", "interrupted", "loss not finite"}
        Reason for the end of the training.
    findings : tuple of Finding
        Certain and probable problems, the worst first.
    """

    history: dict[str, list[float]] = field(default_factory=History)
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

    def plot_training(self, ax: Any = None, *, metric: str = "loss") -> Any:
        """Plot a metric of each epoch on both sets, and return the ``ax``.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw into; default: those of a new figure.
        metric : {"loss", "accuracy", "macro_f1"}, default="loss"
        """
        from emoclf.plots.training_plots import plot_training

        best = self.best_epoch
        return plot_training(self.history, ax, metric=metric, best_epoch=best)


@default_keras_globals()
def fit_model(
    model: keras.Model,
    train: Examples,
    valid: Examples,
    settings: TrainSettings,
    *,
    seed: int = 0,
    label_names: Sequence[str] | None = None,
    run_settings: Mapping[str, Any] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoints: CheckpointFolder | None = None,
    resume: bool = False,
    keep_last: bool = False,
) -> TrainingResult:
    """Fit a network and give it the weights of its best epoch on the validation set.

    Parameters
    ----------
    model : keras.Model
        Network from :func:`emoclf.models.build_model`; fitted in place.
    train, valid : Examples
    settings : TrainSettings
    seed : int
        Seed of the batch order, together with the number of the epoch.
    label_names : sequence of str, optional
        Label names for findings; default: the class ids.
    run_settings : mapping of str to object, optional
        All settings of the run by name, so that findings advise only settings that the
        run has.
    callbacks : sequence of keras.callbacks.Callback
        Callbacks that are called after the validation metrics were added to the logs.
        With ``resume``, a callback with ``get_state() -> dict`` and ``set_state(dict)``
        gets its state back. A callback with ``on_finding(finding)`` receives each
        finding as it occurs; if there is none, findings are logged as warnings.
    checkpoints : CheckpointFolder, optional
        Folder for a checkpoint after each epoch, from which a killed training can be
        resumed.
    resume : bool, default=False
        Continue from the checkpoint, and end with the weights that an uninterrupted
        training would have had.
    keep_last : bool, default=False
        Train all epochs, and keep the weights of the last one.

    Returns
    -------
    result : TrainingResult

    Raises
    ------
    ModelError
        If the targets do not fit the model's head.
    TrainingError
        If no epoch had a finite validation metric.
    ResumeError
        If the checkpoint belongs to other settings or data, or is damaged.
    """
    check_no_strategy()
    n_classes, multilabel = _head_of(model)
    for examples in (train, valid):
        soft = examples.temperature is not None
        check = check_soft_targets if soft else check_targets
        finding = check(examples.targets, n_classes=n_classes, multilabel=multilabel)
        if finding is not None:
            raise ModelError(str(finding))
    buckets = LengthBuckets(train, settings.texts_per_step(len(train)), seed=seed)
    best = BestWeights(
        valid,
        monitor=settings.monitor,
        patience=settings.patience,
        keep_last=keep_last,
    )
    names = label_names or [str(number) for number in range(n_classes)]
    monitor = Monitor(buckets, best, names, callbacks, run_settings)
    monitor.check_rate(settings)
    plateau = []
    if settings.schedule == "plateau":
        mode = "min" if settings.monitor == "loss" else "max"
        plateau.append(PlateauRate(f"val_{settings.monitor}", mode))
    twin = _compiled_twin(
        model, settings, train, steps=len(buckets), multilabel=multilabel
    )
    recorder = EpochRecorder(
        buckets, best, [best, *plateau, monitor, *callbacks], checkpoints
    )
    recorder.start(twin, resume=resume)
    ended = _run(twin, settings, recorder, monitor)
    findings = sorted_findings(monitor.findings)
    if best.best_weights is None:
        raise TrainingError(
            f"No epoch ended with a finite validation {settings.monitor}. The loss was "
            f"{recorder.history.get('loss', [])[:5]}. Try a lower "
            f"{setting('learning_rate')} or a smaller {setting('clip_norm')}."
            + "".join(f"\n{finding}" for finding in findings)
        )
    twin.set_weights(best.best_weights)
    # A finished run skips fit(), so Keras has not called set_model on this callback.
    best.set_model(twin)
    best_epoch = (best.best_epoch or 0) + 1
    monitor.check_result(
        best.validation_logits(), best_epoch=best_epoch, history=recorder.history
    )
    return TrainingResult(
        History(recorder.history), best_epoch, ended, sorted_findings(monitor.findings)
    )


def _head_of(model: keras.Model) -> tuple[int, bool]:
    """Return the number of classes of a model's head, and whether it is multilabel."""
    layers = {layer.name: layer for layer in model.layers}
    if LOGITS not in layers or PROBABILITIES not in layers:
        raise ModelError(
            f"{model.name!r} does not end in emoclf's head, the layers {LOGITS!r} and "
            f"{PROBABILITIES!r}; its last layer is {model.layers[-1].name!r}. Build it "
            "with build_model, or apply class_probabilities to your features."
        )
    activation = layers[PROBABILITIES].activation
    return int(model.output_shape[-1]), activation is keras.activations.sigmoid


def _compiled_twin(
    model: keras.Model,
    settings: TrainSettings,
    train: Examples,
    *,
    steps: int,
    multilabel: bool,
) -> keras.Model:
    """Return the compiled and built model that outputs logits."""
    twin = logits_twin(model)
    if multilabel:
        metric: Any = keras.metrics.MeanMetricWrapper(_all_labels_right, "accuracy")
    elif train.targets.ndim == 2:
        # Agreement with the likeliest class of soft targets.
        metric = keras.metrics.CategoricalAccuracy(name="accuracy")
    else:
        metric = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    loss = build_loss(settings, multilabel=multilabel, temperature=train.temperature)
    optimizer = build_optimizer(settings, steps_per_epoch=steps)
    # XLA compiles for seconds for each text length, which did not pay on a CPU.
    twin.compile(optimizer, loss, metrics=[metric], jit_compile=False)
    optimizer.build(twin.trainable_variables)
    return twin


@keras.saving.register_keras_serializable(package="emoclf")
def _all_labels_right(targets: Any, logits: Any) -> Any:
    """Whether all labels of each text are right, as in validation."""
    ops = keras.ops
    return ops.all(ops.equal(targets > 0.5, logits > 0), axis=-1)


def _run(
    twin: keras.Model,
    settings: TrainSettings,
    recorder: EpochRecorder,
    monitor: Monitor,
) -> str:
    """Fit the epochs that are left, and return the reason for the end."""
    best = recorder.best
    try:
        recorder.fit(twin, settings.epochs)
    except KeyboardInterrupt:
        if best.best_weights is None:
            raise
        if best.best_epoch == recorder.epochs_done:
            # The best epoch was evaluated, and interrupted before it was recorded.
            recorder.add_to_history(best.logs)
        logger.warning("Interrupted; the weights of the best epoch are kept.")
        return "interrupted"
    losses = recorder.history.get("loss", [])
    if monitor.overflowed or not np.isfinite(losses[-1:]).all():
        return "loss not finite"
    if recorder.stopped and not best.stopped_early:
        return "callback"
    return "early" if best.stopped_early else "all epochs"
