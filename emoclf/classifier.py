"""Interface of every trained classifier; needs NumPy only."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from emoclf.datasets.given_vectors import are_vectors
from emoclf.display import Described, short_names
from emoclf.errors import DataError, ModelError, SettingsError, setting
from emoclf.text.validation import as_texts, iterate_texts
from emoclf.text.vocabulary import FIRST_TOKEN_ID

if TYPE_CHECKING:
    from emoclf.datasets.dataset import Dataset
    from emoclf.explain.explanation import Explanation

CHUNK_TEXTS = 2048
#: Threshold of multilabel classifiers without thresholds of their own.
DEFAULT_THRESHOLD = 0.5
#: Why a label is withheld, in files of predictions too.
UNSURE, NO_KNOWN_WORD = "unsure", "no known word"


class Prediction(NamedTuple):
    """Prediction for one text.

    Parameters
    ----------
    label : str; multilabel: tuple of str
    probabilities : dict of str to float
        Probabilities by label name, in the order of the classes.
    """

    label: str | tuple[str, ...]
    probabilities: dict[str, float]


def check_finite(probabilities: np.ndarray) -> np.ndarray:
    """Return probabilities, or raise an error if they are not numbers.

    Raises
    ------
    ModelError
        If the network's weights, or sums of them, are too large for float32.
    """
    # The sum is quicker than a test of each number, and as sure.
    if not math.isfinite(probabilities.sum()):
        raise ModelError(
            "The classifier predicts probabilities that are not numbers (NaN): its "
            "weights are damaged or far too large. Train it again."
        )
    return probabilities


def check_abstention(abstain_below: float, *, multilabel: bool) -> None:
    """Check the probability below which labels are withheld.

    Raises
    ------
    SettingsError
    """
    name = setting("abstain_below", abstain_below)
    if not isinstance(abstain_below, int | float) or not 0 <= abstain_below <= 1:
        raise SettingsError(f"{name} must be a probability: a number from 0 to 1.")
    if multilabel:
        raise SettingsError(
            f"{name} is for classifiers of one label for each text. This one predicts "
            "every label from its threshold on. Leave the setting out and choose "
            "labels by their probabilities, or train with higher "
            f"{setting('thresholds')}."
        )


class Classifier(Described, ABC):
    """Base class that predicts label names and probabilities of raw texts.

    :class:`emoclf.Predictor` predicts with the Keras model,
    :func:`emoclf.load_exported` returns classifiers that predict with an export.
    """

    @property
    @abstractmethod
    def label_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities' columns."""

    @property
    @abstractmethod
    def multilabel(self) -> bool:
        """Whether a text may have several labels."""

    @property
    def architecture(self) -> str:
        """Name of the network's architecture."""
        return type(self).__name__

    @property
    def data_settings(self) -> dict[str, Any]:
        """Settings with which the training file was read, if they are known."""
        return {}

    @property
    def text_column(self) -> str | None:
        """Column of the texts in a DataFrame with several columns."""
        return None

    def _facts(self) -> dict[str, object]:
        kind = "multilabel, " if self.multilabel else ""
        return {"labels": kind + short_names(self.label_names)}

    @property
    @abstractmethod
    def thresholds(self) -> np.ndarray:
        """Lowest probability at which each label is predicted (multilabel only).

        Shape (n_classes,); chosen on the validation set.
        """

    @abstractmethod
    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Return the probability of each class for each text.

        Parameters
        ----------
        texts : iterable of str
            Also a DataFrame: its only column, or that of the training texts.

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

    def predict_dataset(self, dataset: Dataset) -> np.ndarray:
        """Return the probabilities of labelled texts.

        Raises
        ------
        DataError
            If only vectors of the texts are known.
        """
        if not dataset.has_texts:
            raise DataError(
                f"{dataset.source} contains vectors without their texts, and this "
                "classifier reads texts. Give the texts."
            )
        return self.predict_proba(dataset.texts)

    @abstractmethod
    def token_ids(self, texts: list[str]) -> Sequence[np.ndarray]:
        """Return the token ids of each text, int32 of shape (length,)."""

    def predict(
        self, texts: Iterable[str], *, abstain_below: float | None = None
    ) -> list[Any]:
        """Return the label of each text; multilabel: its labels.

        Parameters
        ----------
        texts : iterable of str
        abstain_below : float in [0, 1], optional
            Withhold labels whose probability is lower, and the label of every text
            without a known token: None stands for them; :meth:`withheld` tells why.
            Not for multilabel texts.

        Returns
        -------
        labels : list of str, of None where withheld; multilabel: list of tuple of str
        """
        if abstain_below is None:
            return list(self.name_labels(self.predict_proba(texts)))
        inputs: list[Any] = (
            list(texts) if are_vectors(texts) else as_texts(texts, self.text_column)
        )
        return self.confident_labels(inputs, self.predict_proba(inputs), abstain_below)

    def confident_labels(
        self, texts: list[str], probabilities: np.ndarray, abstain_below: float
    ) -> list[str | None]:
        """Return the label of each text; None where it is withheld.

        Parameters
        ----------
        texts : list of str
        probabilities : ndarray of float, shape (n_texts, n_classes)
            Their probabilities.
        abstain_below : float in [0, 1]

        Raises
        ------
        SettingsError
        """
        reasons = self.withheld(texts, probabilities, abstain_below)
        labels = self.name_labels(probabilities)
        return [
            str(label) if reason is None else None
            for label, reason in zip(labels, reasons, strict=True)
        ]

    def withheld(
        self, texts: list[str], probabilities: np.ndarray, abstain_below: float
    ) -> list[str | None]:
        """Return why each label is withheld.

        Parameters and errors are those of :meth:`confident_labels`.

        Returns
        -------
        reasons : list of {"unsure", "no known word"}, of None where it is not
        """
        check_abstention(abstain_below, multilabel=self.multilabel)
        unsure = probabilities.max(1, initial=0) < abstain_below
        return [
            (UNSURE if low else None) if is_known else NO_KNOWN_WORD
            for is_known, low in zip(self.known(texts), unsure.tolist(), strict=True)
        ]

    def known(self, texts: list[str]) -> list[bool]:
        """Return whether each text has a word that the classifier knows."""
        return [bool((ids >= FIRST_TOKEN_ID).any()) for ids in self.token_ids(texts)]

    def name_labels(
        self, probabilities: np.ndarray
    ) -> list[str] | list[tuple[str, ...]]:
        """Return the labels that probabilities of shape (n, n_classes) predict."""
        names = self.label_names
        if self.multilabel:
            thresholds = self.thresholds
            return [
                tuple(names[i] for i in np.flatnonzero(row >= thresholds))
                for row in probabilities
            ]
        return [names[i] for i in probabilities.argmax(1).tolist()]

    def explain(
        self, text: str, *, label: str | None = None, method: str = "auto"
    ) -> Explanation:
        """Explain the prediction of a text; see :func:`emoclf.explain_text`."""
        from pkgutil import resolve_name

        # Explanations know all kinds of classifiers, and so come after them.
        explain_text = resolve_name("emoclf.explain.text_explainer:explain_text")
        return explain_text(self, text, label=label, method=method)

    def predict_stream(self, texts: Iterable[str]) -> Iterator[Prediction]:
        """Predict texts one by one, in order and in constant memory."""
        texts = iter(iterate_texts(texts, self.text_column))
        while chunk := list(islice(texts, CHUNK_TEXTS)):
            probabilities = self.predict_proba(chunk)
            labels: list[Any] = list(self.name_labels(probabilities))
            for label, row in zip(labels, probabilities.tolist(), strict=True):
                yield Prediction(label, dict(zip(self.label_names, row, strict=True)))
