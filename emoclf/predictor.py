"""From raw texts to probabilities: the one place where text meets a network."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from emoclf.bundle import Bundle
from emoclf.bundle_folder import load_bundle, save_bundle
from emoclf.models.answers import Answers
from emoclf.text.door import as_texts

CHUNK = 2048
HALF = 0.5


class Prediction(NamedTuple):
    """What a classifier says of one text.

    Parameters
    ----------
    label : str, or tuple of str where a text may have several labels
    probabilities : dict of str to float
        By label name, in the order of the classes.
    """

    label: str | tuple[str, ...]
    probabilities: dict[str, float]


class Predictor:
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
    def thresholds(self) -> np.ndarray:
        """Probability from which on each label counts, where a text may have several.

        Shape (n_classes,); chosen on the validation part.
        """
        if self.bundle.thresholds is None:
            return np.full(len(self.label_names), HALF)
        return np.array(self.bundle.thresholds)

    @cached_property
    def _answers(self) -> Answers:
        return Answers(self.bundle.model)

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

    def predict(self, texts: Iterable[str]) -> list[str] | list[tuple[str, ...]]:
        """Return the label of each text, or its labels where it may have several."""
        return self.name_labels(self.predict_proba(texts))

    def name_labels(
        self, probabilities: np.ndarray
    ) -> list[str] | list[tuple[str, ...]]:
        """Turn probabilities into label names."""
        names = self.label_names
        if self.bundle.several:
            thresholds = self.thresholds
            return [
                tuple(names[i] for i in np.flatnonzero(row >= thresholds))
                for row in probabilities
            ]
        return [names[i] for i in probabilities.argmax(1)]

    def predict_stream(self, texts: Iterable[str]) -> Iterator[Prediction]:
        """Answer texts as they come, in order and in constant memory."""
        for chunk in chunks(texts):
            probabilities = self.predict_proba(chunk)
            labels: list[Any] = list(self.name_labels(probabilities))
            for label, row in zip(labels, probabilities.tolist(), strict=True):
                yield Prediction(label, dict(zip(self.label_names, row, strict=True)))


def chunks(texts: Iterable[str], size: int = CHUNK) -> Iterator[list[str]]:
    """Cut a stream into lists of at most ``size`` texts."""
    texts = iter(texts)
    while chunk := list(islice(texts, size)):
        yield chunk
