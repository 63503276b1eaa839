"""The stages of a student's training."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

from emoclf.doctor.findings import sorted_findings
from emoclf.evaluation.metric_names import METRICS, MONITORS
from emoclf.settings import RunSettings, TrainSettings
from emoclf.training.batches import Examples
from emoclf.training.checkpoint import CheckpointFolder
from emoclf.training.fit import History, TrainingResult, fit_model

logger = logging.getLogger(__name__)

Callbacks = Callable[[int], Sequence[keras.callbacks.Callback]]


@dataclass(frozen=True)
class Stage:
    """One stage of a student's training.

    Parameters
    ----------
    name : str
        Name of its checkpoint's folder.
    title : str
        Description in logs.
    train : Examples
    training : TrainSettings
    """

    name: str
    title: str
    train: Examples
    training: TrainSettings


def fit_stages(
    model: keras.Model,
    stages: Sequence[Stage],
    valid: Examples,
    settings: RunSettings,
    *,
    label_names: Sequence[str],
    callbacks: Callbacks,
    checkpoint: Path | None = None,
    fingerprint: Mapping[str, Any] | None = None,
    resume: bool = False,
) -> tuple[TrainingResult, list[dict[str, Any]]]:
    """Fit a network in stages, and give it the weights of the best one.

    Each stage begins with the best weights of the one before. The validation set, which
    has true labels, chooses the epoch of each stage, and the stage.

    Parameters
    ----------
    model : keras.Model
        Network, fitted in place.
    stages : sequence of Stage
    valid : Examples
    settings : RunSettings
    label_names : sequence of str
    callbacks : callable
        Function of the number of epochs that returns the callbacks of a stage.
    checkpoint : Path, optional
        Folder for the checkpoint of each stage. Those of finished stages stay there.
    fingerprint : mapping, optional
        Values that must be equal for a stage to be resumed.
    resume : bool, default=False

    Returns
    -------
    result : TrainingResult
        With the epochs of all stages, one after the other.
    facts : list of dict
        For each stage its name, its best epoch, and the validation metrics of it.
    """
    metric = settings.training.monitor
    history: History = History()
    best: tuple[float, int, list[Any]] | None = None
    facts: list[dict[str, Any]] = []
    results: list[TrainingResult] = []
    for number, stage in enumerate(stages, 1):
        if len(stages) > 1:
            logger.info("Stage %d of %d: %s.", number, len(stages), stage.title)
        checkpoints = None
        if checkpoint is not None:
            checkpoints = CheckpointFolder(checkpoint / stage.name, fingerprint or {})
        result = fit_model(
            model,
            stage.train,
            valid,
            stage.training,
            seed=settings.seed,
            label_names=label_names,
            run_settings=settings.flat(),
            callbacks=callbacks(stage.training.epochs),
            checkpoints=checkpoints,
            resume=resume,
        )
        scores = {
            name: result.history[f"val_{name}"][result.best_epoch - 1]
            for name in MONITORS
        }
        fact = {"stage": stage.name, "texts": len(stage.train), "epochs": result.epochs}
        facts.append({**fact, "best_epoch": result.best_epoch, **scores})
        before = len(history.get("loss", []))
        for name, values in result.history.items():
            history.setdefault(name, [float("nan")] * before).extend(values)
        rank = METRICS[metric].sign * scores[metric]
        # Of two equal stages the later one, which knows the true labels.
        if best is None or rank >= best[0]:
            best = rank, before + result.best_epoch, model.get_weights()
        model.set_weights(best[2])
        results.append(result)
        if result.ended == "interrupted":
            break
    assert best is not None
    findings = {one.name: one for result in results for one in result.findings}
    result = replace(
        results[-1],
        history=history,
        best_epoch=best[1],
        findings=sorted_findings([*findings.values()]),
    )
    return result, facts
