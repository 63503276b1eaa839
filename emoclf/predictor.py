"""Prediction with the Keras model of a bundle."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from emoclf.bundle.bundle import Bundle
from emoclf.bundle.bundle_folder import load_bundle, save_bundle
from emoclf.classifier import (
    DEFAULT_THRESHOLD,
    Classifier,
    Prediction,
    check_finite,
)
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.given_vectors import are_vectors, checked_vectors
from emoclf.datasets.labels import numbers_by_label
from emoclf.errors import BundleError, DataError, SettingsError, wrong_kind
from emoclf.fingerprint import digest
from emoclf.models.inference import BatchedModel
from emoclf.text.validation import as_texts

if TYPE_CHECKING:
    import keras

__all__ = ["Prediction", "Predictor"]


class Predictor(Classifier):
    """Classifier that predicts with the Keras model of a bundle.

    Parameters
    ----------
    bundle : Bundle
        Bundle from :func:`emoclf.load_bundle`; :meth:`load` does both in one step.

    Raises
    ------
    BundleError
        If something else is given.
    """

    def __init__(self, bundle: Bundle) -> None:
        if not isinstance(bundle, Bundle):
            raise BundleError(wrong_kind("bundle", "a Bundle", bundle, _cure(bundle)))
        self.bundle = bundle

    def _facts(self) -> dict[str, object]:
        return {"architecture": self.bundle.settings.architecture, **super()._facts()}

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        encoder: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Load a classifier that was saved as a bundle.

        Parameters
        ----------
        path : path
        encoder : path, optional
            Folder of the transformer encoder that the classifier was trained with, if
            it is in another place now.
        """
        return cls(load_bundle(path, encoder=encoder))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save the classifier as a bundle."""
        return save_bundle(self.bundle, path, overwrite=overwrite)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities' columns."""
        return self.bundle.label_names

    @property
    def multilabel(self) -> bool:
        """Whether a text may have several labels."""
        return self.bundle.multilabel

    @property
    def architecture(self) -> str:
        """Name of the network's architecture."""
        return self.bundle.settings.architecture

    @property
    def data_settings(self) -> dict[str, Any]:
        """Settings with which the training file was read."""
        return self.bundle.settings.data.to_dict()

    @property
    def thresholds(self) -> np.ndarray:
        """Lowest probability at which each label is predicted (multilabel only).

        Shape (n_classes,); chosen on the validation set.
        """
        if self.bundle.thresholds is None:
            return np.full(len(self.label_names), DEFAULT_THRESHOLD)
        return np.array(self.bundle.thresholds)

    def with_thresholds(self, thresholds: Mapping[str, float]) -> Self:
        """Return the same classifier with other thresholds for some labels.

        Parameters
        ----------
        thresholds : mapping of str to float in [0, 1]
            Thresholds by label name.

        Raises
        ------
        SettingsError
            If the classifier predicts one label for each text, a label is unknown or a
            number is not from 0 to 1.

        Examples
        --------
        >>> cautious = predictor.with_thresholds({"joy": 0.8})  # doctest: +SKIP
        """
        if not self.multilabel:
            raise SettingsError(
                "Thresholds are for multilabel classifiers: this one predicts the "
                "likeliest label. predict(texts, abstain_below=0.6) withholds others."
            )
        new_values = numbers_by_label(
            thresholds, self.label_names, "thresholds", high=1
        )
        values = self.thresholds
        values[list(new_values)] = list(new_values.values())
        return type(self)(replace(self.bundle, thresholds=tuple(values.tolist())))

    @property
    def text_column(self) -> str | None:
        """Column of the training texts; None if they were a list."""
        column = self.bundle.settings.data.text_column
        return column or self.bundle.metrics.get("text_column")

    @property
    def model(self) -> keras.Model:
        """The Keras network: token_ids (batch, length) → probabilities."""
        return self.bundle.model

    def digest(self) -> str:
        """Return a digest of all that its probabilities depend on."""
        bundle, parts = self.bundle, self.bundle.to_parts()
        names = ("architecture", "label_names", "several", "text")
        inputs = bundle.inputs and [bundle.inputs.digest, bundle.inputs.pooled]
        tables, weights = sorted(parts.tables.items()), sorted(parts.weights.items())
        return digest(
            [parts.about[name] for name in names],
            [bundle.settings.model.to_dict(), inputs],
            parts.tokens,
            [name for name, _ in [*tables, *weights]],
            *(array for _, array in [*tables, *weights]),
        )

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Return the probability of each class for each text.

        Parameters
        ----------
        texts : iterable of str
            Also a DataFrame: its only column, or that of the training texts. Where the
            network was trained on vectors from elsewhere: an array of shape (n_texts,
            length, dim), or a list of arrays of shape (length, dim), without padding.

        Returns
        -------
        probabilities : ndarray of float32, shape (n_texts, n_classes)
            Columns in the order of :attr:`label_names`. A text's probabilities do not
            depend on the texts beside it.

        Raises
        ------
        DataError
            If a text is not a str.
        """
        if are_vectors(texts):
            return self._predict_vectors(checked_vectors(texts))
        return self.predict_with_ids(as_texts(texts, self.text_column))[1]

    def predict_with_ids(
        self, texts: list[str]
    ) -> tuple[Sequence[np.ndarray], np.ndarray]:
        """Return the token ids of each text, and the probabilities of its classes."""
        token_ids = self.token_ids(texts)
        inputs: Sequence[np.ndarray] = token_ids
        if self.bundle.inputs is not None:
            inputs = self.bundle.inputs.embed(texts)
        return token_ids, check_finite(self.predict_inputs(inputs))

    def predict_dataset(self, dataset: Dataset) -> np.ndarray:
        """Return the probabilities of labelled texts, or of their vectors."""
        inputs = self.bundle.inputs
        if inputs is not None and inputs.encoder is not None and dataset.has_texts:
            # Labelled texts are evaluated more than once.
            inputs.embed(dataset.texts, keep=True)
        elif inputs is not None and dataset.vectors is not None:
            return self._predict_vectors(dataset.vectors)
        return super().predict_dataset(dataset)

    def _predict_vectors(self, vectors: Sequence[np.ndarray]) -> np.ndarray:
        inputs = self.bundle.inputs
        if inputs is None or inputs.encoder is not None:
            raise DataError(
                "This classifier reads texts. Got vectors instead; give the texts."
            )
        if not len(vectors):
            return np.zeros((0, len(self.label_names)), np.float32)
        width = vectors[0].shape[1]
        if width != inputs.dim:
            raise DataError(
                f"The vectors have {width} dimensions, and those of the training texts "
                f"{inputs.dim}. Make them in the same way."
            )
        return check_finite(self.predict_inputs(vectors))

    def uncached(self) -> Self:
        """Return the same classifier; an encoder computes each text anew."""
        inputs = self.bundle.inputs
        if inputs is None:
            return self
        return type(self)(replace(self.bundle, inputs=inputs.uncached()))

    def predict_inputs(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Return the probabilities of the network's inputs, unchecked.

        Parameters
        ----------
        inputs : sequence of ndarray
            Ids of the bundle's encoder, int32 of shape (length,); or vectors of texts,
            shape (length, dim), where the network takes them.
        """
        return BatchedModel.of(self.bundle.model)(inputs)

    def known(self, texts: list[str]) -> list[bool]:
        """Return whether each text has a word that the classifier knows."""
        if self.bundle.inputs is None:
            return super().known(texts)
        # An encoder knows parts of all words; of vectors the words are not known.
        inputs = texts if are_vectors(texts) else self.token_ids(texts)
        return [len(text) > 0 for text in inputs]

    def token_ids(self, texts: list[str]) -> Sequence[np.ndarray]:
        """Return the token ids of each text, int32 of shape (length,)."""
        return self.bundle.encoder.encode(texts)


def as_predictor(model: Any) -> Predictor:
    """Return the Predictor of what a caller gave.

    Parameters
    ----------
    model : Predictor, TrainedClassifier, EmotionClassifier, SearchResult or Bundle

    Raises
    ------
    BundleError
        If it is something else, or an estimator that is not fitted.
    """
    if isinstance(model, Bundle):
        return Predictor(model)
    for name in ("predictor", "predictor_"):
        model = getattr(model, name, model)
    if isinstance(model, Predictor):
        return model
    raise BundleError(wrong_kind("predictor", "a Predictor", model, _cure(model)))


def _cure(model: Any) -> str:
    if isinstance(model, str | os.PathLike):
        return f"use Predictor.load({os.fspath(model)!r})"
    if isinstance(model, Classifier):
        return "use the bundle that it was exported from"
    return "fit it first" if hasattr(model, "fit") else ""
