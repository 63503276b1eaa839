"""What every form of a trained classifier answers, with NumPy alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from emoclf._moved import RenamedAttribute

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


class Classifier(ABC):
    """Raw texts in, label names and probabilities out, whatever computes them.

    :class:`emoclf.Predictor` answers with the Keras model, :func:`emoclf.load_exported`
    gives what answers from an export.
    """

    @property
    @abstractmethod
    def label_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities' columns."""

    @property
    @abstractmethod
    def multilabel(self) -> bool:
        """Whether a text may have several labels."""

    several = RenamedAttribute("multilabel")

    @property
    @abstractmethod
    def thresholds(self) -> np.ndarray:
        """Probability from which on each label counts, where a text may have several.

        Shape (n_classes,); chosen on the validation part.
        """

    @abstractmethod
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

    def predict(self, texts: Iterable[str]) -> list[str] | list[tuple[str, ...]]:
        """Return the label of each text, or its labels where it may have several."""
        return self.name_labels(self.predict_proba(texts))

    def name_labels(
        self, probabilities: np.ndarray
    ) -> list[str] | list[tuple[str, ...]]:
        """Turn probabilities into label names."""
        names = self.label_names
        if self.multilabel:
            thresholds = self.thresholds
            return [
                tuple(names[i] for i in np.flatnonzero(row >= thresholds))
                for row in probabilities
            ]
        return [names[i] for i in probabilities.argmax(1).tolist()]

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
