"""Fit a network on prepared inputs, and choose temperature and thresholds."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from scipy.special import logit

from emoclf.bundle.bundle import Bundle, installed_versions
from emoclf.bundle.json_values import UNREACHABLE_THRESHOLD
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.labels import numbers_by_label
from emoclf.doctor.findings import sorted_findings
from emoclf.errors import SettingsError, setting
from emoclf.evaluation.metric_names import MULTILABEL
from emoclf.evaluation.temperature import (
    at_temperature,
    calibration_errors,
    fit_temperature,
)
from emoclf.models.build import build_model
from emoclf.models.heads import divide_logits
from emoclf.models.inference import BatchedModel
from emoclf.settings import RunSettings, TrainSettings
from emoclf.training.batches import Examples
from emoclf.training.best_weights import validation_metrics
from emoclf.training.checkpoint import CheckpointFolder
from emoclf.training.fit import TrainingResult, fit_model
from emoclf.training.ngrams import fit_ngram_scores
from emoclf.training.progress import TrainingProgress
from emoclf.training.thresholds import choose_thresholds
from emoclf.training.watcher import class_shares
from emoclf.workflow.prepare import Prepared
from emoclf.workflow.trained_classifier import TrainedClassifier

logger = logging.getLogger(__name__)


def fit_prepared(
    prepared: Prepared,
    train: Dataset,
    settings: RunSettings,
    *,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoints: CheckpointFolder | None = None,
    resume: bool = False,
    chosen: Bundle | None = None,
) -> TrainedClassifier:
    """Build and fit a network on prepared inputs, which several networks can share.

    Parameters
    ----------
    prepared : Prepared
        Inputs, prepared with the same data, text and embedding settings.
    train : Dataset
        Training set that they were prepared from.
    settings : RunSettings
    callbacks, checkpoints, resume
        Options of :func:`~emoclf.training.fit.fit_model`.
    chosen : Bundle, optional
        Classifier whose temperature and thresholds are used; nothing is chosen on the
        validation set, not even the epoch.

    Returns
    -------
    trained : TrainedClassifier
    """
    _given_thresholds(settings, train)  # raises before any training
    model = new_network(prepared, train, settings)
    for callback in callbacks:
        if isinstance(callback, TrainingProgress) and train.multilabel:
            callback.task = MULTILABEL
    result = fit_model(
        model,
        prepared.train,
        prepared.valid,
        settings.training,
        seed=settings.seed,
        label_names=train.label_names,
        run_settings=settings.flat(),
        callbacks=callbacks,
        checkpoints=checkpoints,
        resume=resume,
        keep_last=chosen is not None,
    )
    return finish_classifier(model, result, prepared, train, settings, chosen=chosen)


def new_network(
    prepared: Prepared, train: Dataset, settings: RunSettings
) -> keras.Model:
    """Build the network of the settings for a training set."""
    return build_model(
        settings,
        n_classes=len(train.label_names),
        multilabel=train.multilabel,
        matrix=prepared.matrix,
        embedded_dim=prepared.inputs.dim if prepared.inputs else None,
        prior=class_shares(train.label_ids, len(train.label_names)),
    )


def finish_classifier(
    model: keras.Model,
    result: TrainingResult,
    prepared: Prepared,
    train: Dataset,
    settings: RunSettings,
    *,
    chosen: Bundle | None = None,
    ngram_train: Examples | None = None,
    metrics: Mapping[str, Any] | None = None,
) -> TrainedClassifier:
    """Make a classifier of a fitted network: n-grams, temperature and thresholds.

    Parameters
    ----------
    model : keras.Model
        Network from :func:`new_network`, with fitted weights.
    result : TrainingResult
    prepared, train, settings, chosen
        As in :func:`fit_prepared`.
    ngram_train : Examples, optional
        Training set of the linear classifier of n-grams; default: the prepared one.
    metrics : mapping, optional
        Further entries of the bundle's metrics.
    """
    given_thresholds = _given_thresholds(settings, train)
    has_ngrams = getattr(settings.model, "ngrams", False) and prepared.inputs is None
    if has_ngrams:
        fit_ngram_scores(
            model,
            prepared.train if ngram_train is None else ngram_train,
            settings.model.ngram_share,
            multilabel=train.multilabel,
        )
    if chosen is None:
        probabilities = BatchedModel.of(model)(prepared.valid.token_ids)
        targets = prepared.valid.targets
        if has_ngrams:
            _log_both_parts(probabilities, targets, result)
        temperature, thresholds, calibration = _choices(
            probabilities, targets, settings.training, given_thresholds
        )
    else:
        temperature = chosen.metrics.get("temperature", 1.0)
        thresholds, calibration = chosen.thresholds, None
    divide_logits(model, temperature)
    findings = sorted_findings([*prepared.findings, *result.findings])
    result = replace(result, findings=findings)
    bundle = Bundle(
        model=model,
        encoder=prepared.encoder,
        label_names=train.label_names,
        multilabel=train.multilabel,
        settings=settings,
        history=result.history,
        metrics={
            "best_epoch": result.best_epoch,
            "ended": result.ended,
            "temperature": temperature,
            "calibration": calibration,
            "texts": {"train": len(train), "valid": len(prepared.valid)},
            "cut": prepared.cut,
            "text_column": train.text_column,
            "findings": [finding.to_dict() for finding in findings],
            "coverage": prepared.coverage.to_dict() if prepared.coverage else None,
            **(metrics or {}),
        },
        versions=installed_versions(),
        thresholds=thresholds,
        inputs=prepared.inputs,
    )
    return TrainedClassifier(bundle, result, prepared)


def _log_both_parts(
    probabilities: np.ndarray, targets: np.ndarray, result: TrainingResult
) -> None:
    """Log the validation macro-F1 with the linear classifier, and without it."""
    logits = logit(np.clip(probabilities.astype(np.float64), 1e-12, 1 - 1e-12))
    logger.info(
        "Together with its linear classifier of words and word pairs, the network has "
        "a validation macro-F1 of %.3f (alone: %.3f).",
        validation_metrics(logits, targets)["macro_f1"],
        result.history["val_macro_f1"][result.best_epoch - 1],
    )


def _choices(
    probabilities: np.ndarray,
    targets: np.ndarray,
    settings: TrainSettings,
    given: Mapping[int, float],
) -> tuple[float, tuple[float, ...] | None, dict[str, float] | None]:
    """Return the temperature and the thresholds, chosen on the validation set.

    And the calibration error there, before and after; None if it was not calibrated.
    """
    temperature, calibration = 1.0, None
    if settings.calibrate:
        temperature = fit_temperature(probabilities, targets)
        calibration = calibration_errors(probabilities, targets, temperature)
    if targets.ndim == 1:
        return temperature, None, calibration
    chosen = choose_thresholds(
        probabilities, targets, min_precision=settings.min_precision
    )
    # The same decisions as before the logits are divided.
    scaled = at_temperature(chosen[None], temperature, multilabel=True)[0]
    thresholds = np.where(chosen > 1, UNREACHABLE_THRESHOLD, scaled)
    thresholds[list(given)] = list(given.values())
    return temperature, tuple(thresholds.tolist()), calibration


def _given_thresholds(settings: RunSettings, train: Dataset) -> dict[int, float]:
    """Return the thresholds that were set by hand, by class id."""
    training = settings.training
    for name in ("thresholds", "min_precision"):
        if getattr(training, name) is not None and not train.multilabel:
            raise SettingsError(
                f"{setting(name, getattr(training, name))} is for multilabel texts: of "
                "one label each, the likeliest is predicted. Leave it out."
            )
    return numbers_by_label(
        training.thresholds or {}, train.label_names, "thresholds", high=1
    )
