"""Train a classifier; command line, estimator, search and notebooks all do it here."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emoclf.bundle.bundle import Bundle, installed_versions
from emoclf.bundle.described_folder import BUNDLE
from emoclf.datasets.dataset import Dataset
from emoclf.doctor.findings import sorted_findings
from emoclf.embeddings.vector_objects import named_vectors
from emoclf.fingerprint import digest
from emoclf.models.build import build_model
from emoclf.models.inference import BatchedModel
from emoclf.predictor import Predictor
from emoclf.settings import RunSettings
from emoclf.training.batches import Examples
from emoclf.training.checkpoint import CheckpointFolder
from emoclf.training.fit import TrainingResult, fit_model
from emoclf.training.monitor import class_shares
from emoclf.training.thresholds import choose_thresholds
from emoclf.workflow.prepare import Prepared, prepare

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedClassifier:
    """A trained classifier, and the inputs and results of its training."""

    bundle: Bundle
    result: TrainingResult
    prepared: Prepared

    @property
    def predictor(self) -> Predictor:
        """The classifier, ready for texts."""
        return Predictor(self.bundle)


def train_classifier(
    train: Dataset,
    valid: Dataset,
    settings: RunSettings | None = None,
    *,
    vectors: Any = None,
    sample_weight: np.ndarray | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    on_prepared: Callable[[Prepared], None] | None = None,
) -> TrainedClassifier:
    """Train a classifier; ``valid`` chooses the epoch, and no other texts are used.

    Parameters
    ----------
    train, valid : Dataset
        Training and validation set, with the same label names.
    settings : RunSettings, optional
    vectors : path, WordVectors, KeyedVectors, (words, array) or mapping, optional
        Word vectors instead of those of the settings; the forms are those of
        :func:`emoclf.embedding_matrix`. Of an object, the settings of the classifier
        contain the name and the hash.
    sample_weight : array of float, shape (len(train),), optional
    callbacks : sequence of keras.callbacks.Callback
        Callbacks; the logs that they get contain the validation metrics.
    checkpoint : path, optional
        Folder for the state after each epoch; removed when the training has ended.
    resume : bool, default=False
        Whether to continue from the checkpoint.
    on_prepared : callable, optional
        Function that gets the :class:`Prepared` inputs before the network is built.

    Returns
    -------
    trained : TrainedClassifier

    Raises
    ------
    DataError, SettingsError, VectorsError, TrainingError, ResumeError

    Examples
    --------
    >>> from emoclf import load_sample, split_dataset, train_classifier
    >>> split = split_dataset(load_sample())
    >>> trained = train_classifier(split.train, split.valid)  # doctest: +SKIP
    >>> trained.predictor.predict(["What a day!"])  # doctest: +SKIP
    ['joy']
    """
    settings = settings or RunSettings()
    name, source = named_vectors(vectors)
    if name is not None:
        settings = settings.override(vectors=name)
    prepared = prepare(
        train, valid, settings, vectors=source, sample_weight=sample_weight
    )
    if on_prepared is not None:
        on_prepared(prepared)
    for finding in prepared.findings:
        logger.warning("%s", finding)
    checkpoints = None
    if checkpoint is not None:
        checkpoints = CheckpointFolder(
            checkpoint, run_fingerprint(train, valid, settings, prepared)
        )
    return fit_prepared(
        prepared,
        train,
        settings,
        callbacks=callbacks,
        checkpoints=checkpoints,
        resume=resume,
    )


def fit_prepared(
    prepared: Prepared,
    train: Dataset,
    settings: RunSettings,
    *,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoints: CheckpointFolder | None = None,
    resume: bool = False,
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

    Returns
    -------
    trained : TrainedClassifier
    """
    model = build_model(
        settings,
        n_classes=len(train.label_names),
        multilabel=train.multilabel,
        matrix=prepared.matrix,
        prior=class_shares(train.label_ids, len(train.label_names)),
    )
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
    )
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
            "texts": {"train": len(train), "valid": len(prepared.valid)},
            "cut": prepared.cut,
            "findings": [finding.to_dict() for finding in findings],
            "coverage": prepared.coverage.to_dict() if prepared.coverage else None,
        },
        versions=installed_versions(),
        thresholds=_thresholds(model, prepared.valid) if train.multilabel else None,
    )
    return TrainedClassifier(bundle, result, prepared)


def _thresholds(model: keras.Model, valid: Examples) -> tuple[float, ...]:
    """Return a threshold for each label, chosen on the validation set."""
    probabilities = BatchedModel(model)(valid.token_ids)
    return tuple(choose_thresholds(probabilities, valid.targets).tolist())


def run_fingerprint(
    train: Dataset, valid: Dataset, settings: RunSettings, prepared: Prepared
) -> dict[str, Any]:
    """Return the values that must be equal for a training to be resumed."""
    weights = prepared.train.weights
    return {
        "settings": settings.to_dict(),
        "training texts": digest(list(train.texts), list(train.labels)),
        "validation texts": digest(list(valid.texts), list(valid.labels)),
        "sample weights": "none" if weights is None else digest(weights),
        "embedding matrix": digest(prepared.matrix),
        "versions": installed_versions(),
    }


def checkpoint_folder(output: str | os.PathLike[str]) -> Path:
    """Return the folder of an output's checkpoint, beside the output."""
    output = BUNDLE.place(output)
    return output.with_name(f"{output.name}.checkpoint")
