"""Train a classifier; command line, estimator, search and notebooks all do it here."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import keras
import numpy as np

from emoclf.audit.drift import REFERENCE, reference_counts
from emoclf.bundle.bundle import installed_versions
from emoclf.bundle.described_folder import BUNDLE
from emoclf.bundle.summary import TEXT_HASHES
from emoclf.bundle.text_hashes import hash_texts
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split
from emoclf.datasets.split_files import as_split
from emoclf.datasets.trainable import as_dataset, from_lists
from emoclf.embeddings.vector_objects import given_vectors
from emoclf.errors import (
    DataError,
    SettingsError,
    did_you_mean,
    wrong_kind,
)
from emoclf.fingerprint import digest
from emoclf.settings import RunSettings
from emoclf.text.validation import is_frame
from emoclf.training.checkpoint import CheckpointFolder
from emoclf.training.progress import TrainingProgress
from emoclf.workflow.automatic_settings import resolve
from emoclf.workflow.fit_classifier import fit_prepared
from emoclf.workflow.prepare import Prepared, prepare
from emoclf.workflow.trained_classifier import TrainedClassifier

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

#: Arguments of other libraries, and what stands for them.
ADVICE = {
    "test": "for a test set give a split, train_classifier(split), or evaluate it "
    "afterwards, trained.evaluate(test)",
    "random_state": "the argument is called seed",
    "validation_data": "the second argument, valid, is the validation set",
    "validation_split": "the setting is called valid_fraction",
    "test_size": "the setting is called test_fraction",
}


def train_classifier(
    data: Split | Dataset | pd.DataFrame | Sequence[str],
    valid: Dataset | pd.DataFrame | Sequence[Any] | None = None,
    settings: RunSettings | Mapping[str, Any] | None = None,
    *,
    vectors: Any = None,
    sample_weight: np.ndarray | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    on_prepared: Callable[[Prepared], None] | None = None,
    verbose: Literal["auto", 0, 1] = "auto",
    **flat: Any,
) -> TrainedClassifier:
    """Train a classifier; a validation set chooses the epoch.

    Parameters
    ----------
    data : Split, Dataset, DataFrame or list of str
        A split; or labelled texts, which are split as ``emoclf train`` does, so that
        ``trained.split.test`` is left for the evaluation; or, with ``valid``, the
        training set; or the texts, with their labels as the second argument. Columns
        of a DataFrame are found by their usual names, or named by ``text_column`` and
        ``label_column``.
    valid : Dataset, DataFrame or list, optional
        Validation set with the same label names; or the labels of a list of texts.
    settings : RunSettings or mapping, optional
    vectors : path, WordVectors, KeyedVectors, (words, array), mapping or list, optional
        Word vectors instead of those of the settings, in the forms of
        :func:`emoclf.embedding_matrix`; "none": a random embedding. Of an object, the
        settings of the classifier contain the name and the hash.
    sample_weight : array of float, shape (number of training texts,), optional
        Only with a training set or a split.
    callbacks : sequence of keras.callbacks.Callback
        Callbacks; the logs that they get contain the validation metrics.
    checkpoint : path, optional
        Folder for the state after each epoch; removed when the training has ended.
    resume : bool, default=False
        Whether to continue from the checkpoint.
    on_prepared : callable, optional
        Function that gets the :class:`Prepared` inputs before the network is built.
    verbose : {"auto", 0, 1}, default="auto"
        Whether to show progress. "auto": unless one of the callbacks does.
    **flat
        Single settings, such as ``epochs=3``, which override ``settings``.

    Returns
    -------
    trained : TrainedClassifier

    Raises
    ------
    DataError, SettingsError, VectorsError, TrainingError, ResumeError

    Examples
    --------
    >>> from emoclf import load_sample, train_classifier
    >>> trained = train_classifier(load_sample(), epochs=20)  # doctest: +SKIP
    >>> trained.predict(["What a day!"])  # doctest: +SKIP
    ['joy']
    >>> print("\\n".join(trained.evaluate().lines()))  # doctest: +SKIP
    """
    _check_names(flat)
    if isinstance(settings, Dataset) or is_frame(settings):
        wanted, cure = "RunSettings or a mapping of names and values", ADVICE["test"]
        raise DataError(wrong_kind("settings", wanted, settings, cure))
    settings = RunSettings.of(settings, flat)
    split = split_of(data, valid, settings)
    if sample_weight is not None and len(sample_weight) != len(split.train):
        raise SettingsError(
            f"sample_weight must be {len(split.train)} numbers, one for each training "
            f"text. Got {len(sample_weight)}. Split the texts first, and give the "
            "weights of split.train."
        )
    callbacks = [*callbacks, *training_progress(verbose, callbacks, settings)]
    settings, sets = given_vectors(settings, vectors)
    settings = resolve(settings, split.train)
    prepared = prepare(
        split.train,
        split.valid,
        settings,
        vectors=sets,
        sample_weight=sample_weight,
    )
    if on_prepared is not None:
        on_prepared(prepared)
    for finding in prepared.findings:
        logger.warning("%s", finding)
    checkpoints = None
    if checkpoint is not None:
        checkpoints = CheckpointFolder(
            checkpoint, run_fingerprint(split.train, split.valid, settings, prepared)
        )
    trained = fit_prepared(
        prepared,
        split.train,
        settings,
        callbacks=callbacks,
        checkpoints=checkpoints,
        resume=resume,
    )
    trained = replace(trained, split=split)
    keep_reference(trained)
    return trained


def keep_reference(trained: TrainedClassifier) -> None:
    """Add to the bundle's metrics what later texts are compared with.

    Counts of the validation set tell of a drift, and hashes of the training texts of an
    overlap.
    """
    predictor, prepared = trained.predictor, trained.prepared
    thresholds = predictor.thresholds if predictor.multilabel else None
    probabilities = predictor.predict_inputs(prepared.valid.token_ids)
    counts = reference_counts(prepared.valid_ids, probabilities, thresholds)
    # In place, so that the predictor's bundle has them too.
    trained.bundle.metrics[REFERENCE] = counts
    if trained.split is not None and trained.split.train.has_texts:
        hashes = hash_texts(trained.split.train.texts)
        trained.bundle.metrics[TEXT_HASHES] = hashes


def _check_names(flat: Mapping[str, Any]) -> None:
    """Check that keywords are settings, or say which argument was meant."""
    settings = [*RunSettings().flat(), "architecture", "seed"]
    arguments = inspect.signature(train_classifier).parameters
    for name in flat:
        if name in ADVICE:
            raise SettingsError(
                f"train_classifier has no argument {name!r}: {ADVICE[name]}."
            )
        advice = did_you_mean(name, [*settings, *arguments])
        if advice and advice == did_you_mean(name, arguments):
            raise SettingsError(f"train_classifier has no argument {name!r}.{advice}")


def split_of(data: Any, valid: Any, settings: RunSettings) -> Split:
    """Return the split of what a caller gave; see :func:`train_classifier`."""
    if isinstance(valid, RunSettings | Mapping):
        raise DataError(
            wrong_kind("valid", "a Dataset", valid, "give settings by name: settings=…")
        )
    if isinstance(data, Split):
        if valid is not None:
            cure = "leave it out, since the split has a validation set"
            raise DataError(wrong_kind("valid", "None beside a Split", valid, cure))
        return data
    if not isinstance(data, Dataset) and not is_frame(data):
        if valid is None:
            wanted = "a Split, a Dataset, a DataFrame, or texts with their labels"
            cure = "give the labels too: train_classifier(texts, labels)"
            if isinstance(data, str | os.PathLike):
                cure = "read a file first: train_classifier(read_dataset(path))"
            elif isinstance(data, Mapping):
                cure = "make a DataFrame of it: pandas.DataFrame(data)"
            raise DataError(wrong_kind("data", wanted, data, cure))
        data = from_lists(data, valid, settings.data)
        valid = None
    if valid is None:
        return as_split(data, settings.data, seed=settings.seed)
    if not isinstance(valid, Dataset) and not is_frame(valid):
        cure = "with lists, give texts and labels: train_classifier(texts, labels)"
        raise DataError(wrong_kind("valid", "a Dataset or a DataFrame", valid, cure))
    train = as_dataset(data, settings.data, name="data")
    if is_frame(valid):
        valid = as_dataset(valid, settings.data, label_names=train.label_names)
    return Split(train, valid)


def training_progress(
    verbose: Any, callbacks: Sequence[Any], settings: RunSettings
) -> list[TrainingProgress]:
    """Return the callback that shows progress, if it is asked for."""
    if verbose not in ("auto", 0, 1):
        raise SettingsError(f"verbose must be 'auto', 0 or 1. Got {verbose!r} instead.")
    shown = any(isinstance(callback, TrainingProgress) for callback in callbacks)
    if not verbose or (verbose == "auto" and shown):
        return []
    # Where a program has configured logging, findings belong into its log.
    has_listener = any(hasattr(callback, "on_finding") for callback in callbacks)
    log_findings = logger.hasHandlers() and not has_listener
    return [TrainingProgress(settings.training.epochs, log_findings=log_findings)]


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
        **_inputs_digest(prepared),
        "versions": installed_versions(),
    }


def _inputs_digest(prepared: Prepared) -> dict[str, str]:
    if prepared.inputs is None:
        return {"embedding matrix": digest(prepared.matrix)}
    if prepared.inputs.encoder is not None:
        return {"encoder": prepared.inputs.digest}
    vectors = (*prepared.train_vectors, *prepared.valid_vectors)
    return {"vectors of the texts": digest(*vectors)}


def checkpoint_folder(output: str | os.PathLike[str]) -> Path:
    """Return the folder of an output's checkpoint, beside the output."""
    output = BUNDLE.place(output)
    return output.with_name(f"{output.name}.checkpoint")
