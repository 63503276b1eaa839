"""Fit a chosen classifier again, on all labelled texts."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import keras

from emoclf.audit.drift import REFERENCE
from emoclf.bundle.summary import TEXT_HASHES
from emoclf.bundle.text_hashes import hash_texts
from emoclf.datasets.split import join_parts
from emoclf.embeddings.vector_objects import given_vectors
from emoclf.errors import DataError, TrainingError
from emoclf.workflow.fit_classifier import fit_prepared
from emoclf.workflow.prepare import prepare
from emoclf.workflow.trained_classifier import TrainedClassifier

logger = logging.getLogger(__name__)


class _NoFindings(keras.callbacks.Callback):
    """Drop findings: they compare with validation texts, which are fitted here."""

    def on_finding(self, finding: Any) -> None:
        """Do nothing."""


def refit(trained: TrainedClassifier, vectors: Any = None) -> TrainedClassifier:
    """Fit a trained classifier again, on training, validation and test set.

    The number of epochs, the temperature and the thresholds are those that the
    validation set chose before; a schedule of the learning rate ends with them. The
    metrics stay those of the first fit, since no text
    is left to evaluate the second one on.

    Parameters
    ----------
    trained : TrainedClassifier
        With its split.
    vectors : object, optional
        Word vectors, where those of the training were an object and not a file.

    Returns
    -------
    refitted : TrainedClassifier

    Raises
    ------
    DataError
        If the classifier has no split, as after loading, or was trained with a
        ``sample_weight``.
    TrainingError
        If the loss is not finite.
    """
    split = trained.split
    if split is None:
        raise DataError(
            "Only a classifier that was trained in this process can be fitted again: "
            "this one has no split. Train it again, and call refit() on the result."
        )
    if split.test and "evaluations" not in trained.bundle.metrics:
        trained = trained.with_metrics(split, trained.evaluate())
    bundle = trained.bundle
    data = join_parts(*split.parts().values(), source=split.train.source)
    best_epoch = trained.result.best_epoch
    logger.info(
        "Fitting again on all %d labelled texts, for %d epochs.", len(data), best_epoch
    )
    if "distillation" in bundle.metrics:
        raise DataError(
            "A distilled student cannot be fitted again on all texts, since the labels "
            "alone would replace what its teachers know. Distil it with a validation "
            "set as small as you dare: valid_fraction=0.05, test_fraction=0."
        )
    weighted = trained.prepared.train.weights is not None
    if weighted and bundle.settings.training.class_weight is None:
        raise DataError(
            "This classifier was trained with a sample_weight for its training texts "
            "alone. Train on all texts with weights for all of them instead."
        )
    settings, sets = given_vectors(bundle.settings, vectors)
    settings = settings.override(epochs=best_epoch)
    again = fit_prepared(
        prepare(data, split.valid, settings, vectors=sets),
        data,
        settings,
        callbacks=[_NoFindings()],
        chosen=bundle,
    )
    if again.result.ended == "interrupted":
        # The checkpoint of the first fit is still there.
        raise KeyboardInterrupt
    if again.result.ended == "loss not finite":
        raise TrainingError(
            "The loss was not finite when the classifier was fitted again on all "
            "texts. Train without refit, or with a lower learning rate."
        )
    # Counts of the validation set say nothing of a network that was fitted on it.
    other_metrics = {name: x for name, x in bundle.metrics.items() if name != REFERENCE}
    metrics = {
        **other_metrics,
        "refit": {"texts": len(data), "epochs": best_epoch},
        TEXT_HASHES: hash_texts(data.texts),
    }
    again_bundle = replace(
        again.bundle, settings=bundle.settings, history=bundle.history, metrics=metrics
    )
    return replace(again, bundle=again_bundle, result=trained.result)
