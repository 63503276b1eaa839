"""Base classes of the readers of exports."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from emoclf.batching import batch_by_length, lengths_of, pad
from emoclf.classifier import DEFAULT_THRESHOLD, Classifier, check_finite
from emoclf.errors import SettingsError
from emoclf.serving.export_folder import ExportFolder
from emoclf.serving.exported_text import ExportedText
from emoclf.text.validation import as_texts


class ExportedClassifier(Classifier):
    """A classifier whose labels and thresholds are in ``emoclf.json``.

    Parameters
    ----------
    folder : ExportFolder
    **options
        Options with which another process can load it again.
    """

    #: Tokenizer and vocabulary; None where the graph has them.
    text: ExportedText | None = None

    def __init__(self, folder: ExportFolder, **options: Any) -> None:
        self.folder = folder
        self._options = options

    def __reduce__(self) -> tuple[Any, ...]:
        # Interpreters cannot be pickled; another process loads the folder again.
        from emoclf.serving import load_exported

        path = os.path.abspath(self.folder.place)
        return partial(load_exported, path, **self._options), ()

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities' columns."""
        return tuple(self.folder.about["label_names"])

    @property
    def multilabel(self) -> bool:
        """Whether a text may have several labels."""
        return bool(self.folder.about["several"])

    @property
    def architecture(self) -> str:
        """Name of the network's architecture."""
        return str(self.folder.about["architecture"])

    @property
    def data_settings(self) -> dict[str, Any]:
        """Settings with which the training file was read; exports of 0.2 lack them."""
        return dict(self.folder.about.get("settings", {}).get("data", {}))

    @property
    def text_column(self) -> str | None:
        """Column of the training texts; None if unknown, or if they were a list."""
        return self.folder.about.get("text_column")

    @property
    def thresholds(self) -> np.ndarray:
        """Probability from which on each label counts, shape (n_classes,)."""
        values = self.folder.about["thresholds"]
        if values is None:
            return np.full(len(self.label_names), DEFAULT_THRESHOLD)
        return np.array(values)

    def token_ids(self, texts: list[str]) -> list[np.ndarray]:
        """Return the token ids of each text, int32 of shape (length,)."""
        assert self.text is not None
        return self.text.encode_lists(texts)


class TokenClassifier(ExportedClassifier):
    """A classifier that tokenizes in Python and has another runtime for its network.

    Parameters
    ----------
    folder : ExportFolder
        An export with a tokenizer and a vocabulary beside its network.
    **options
    """

    def __init__(self, folder: ExportFolder, **options: Any) -> None:
        super().__init__(folder, **options)
        self.text: ExportedText = ExportedText(folder)

    @abstractmethod
    def predict_batch(self, token_ids: np.ndarray) -> np.ndarray:
        """Return the probabilities of a batch of padded texts.

        Parameters
        ----------
        token_ids : ndarray of int32, shape (batch, length), length >= 1
            0 is padding.

        Returns
        -------
        probabilities : ndarray of float32, shape (batch, n_classes)
        """

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Return the probability of each class for each text.

        Parameters
        ----------
        texts : iterable of str

        Returns
        -------
        probabilities : ndarray of float32, shape (n_texts, n_classes)

        Raises
        ------
        DataError
            If a text is not a str.
        """
        token_ids = self.token_ids(as_texts(texts, self.text_column))
        probabilities = np.empty((len(token_ids), len(self.label_names)), np.float32)
        for batch in batch_by_length(lengths_of(token_ids)):
            padded = pad([token_ids[i] for i in batch])
            probabilities[batch] = self.predict_batch(padded)
        return check_finite(probabilities)


def check_threads(threads: int | None) -> None:
    """Refuse a value that is not a number of threads.

    Raises
    ------
    SettingsError
    """
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise SettingsError(
            "threads must be a whole number from 1 on, or None for the runtime's "
            f"default. Got {threads!r}."
        )
