"""From raw texts to probabilities: the one place where text meets a network."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from emoclf.bundle.bundle import Bundle
from emoclf.bundle.bundle_folder import load_bundle, save_bundle
from emoclf.classifier import HALF, Classifier, Prediction
from emoclf.models.inference import BatchedModel
from emoclf.text.validation import as_texts

__all__ = ["Prediction", "Predictor"]


class Predictor(Classifier):
    """Answer raw texts with label names and probabilities.

    Parameters
    ----------
    bundle : Bundle
        What :func:`emoclf.load_bundle` gives; :meth:`load` does both in one step.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Load a classifier that was saved as a bundle."""
        return cls(load_bundle(path))

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
    def thresholds(self) -> np.ndarray:
        """Probability from which on each label counts, where a text may have several.

        Shape (n_classes,); chosen on the validation part.
        """
        if self.bundle.thresholds is None:
            return np.full(len(self.label_names), HALF)
        return np.array(self.bundle.thresholds)

    @cached_property
    def _answers(self) -> BatchedModel:
        return BatchedModel(self.bundle.model)

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Return the probability of each class for each text.

        Parameters
        ----------
        texts : iterable of str

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
        return self._answers(self.bundle.encoder.encode(as_texts(texts)))
