"""A SavedModel that TensorFlow runs; its texts are tokenized inside the graph."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from emoclf.batching import batch_by_length, lengths_of, pad
from emoclf.errors import ExportError
from emoclf.serving.export_folder import ExportFolder
from emoclf.serving.exported_classifier import ExportedClassifier
from emoclf.serving.exported_text import ExportedText
from emoclf.text.validation import as_texts

#: Code points in a batch of texts, which the graph pads to the longest.
BATCH_POINTS = 1 << 16
_SURROGATES = re.compile("[\ud800-\udfff]")


class SavedModelClassifier(ExportedClassifier):
    """Answer raw texts with a SavedModel.

    Parameters
    ----------
    folder : ExportFolder
        Of the form "saved-model"; :func:`emoclf.load_exported` takes its path.
    """

    def __init__(self, folder: ExportFolder) -> None:
        super().__init__(folder)
        # TensorFlow loads here, so that other forms do without.
        import tensorflow as tf

        # It holds the variables and tables; the signatures do not keep it alive.
        self._loaded = tf.saved_model.load(str(folder.place))
        self._serve = self._loaded.signatures["serving_default"]
        takes_ids = folder.about["network"]["input"] == "token_ids"
        self.text = ExportedText(folder) if takes_ids else None

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Return the probability of each class for each text.

        Parameters
        ----------
        texts : iterable of str

        Returns
        -------
        probabilities : ndarray of float32, shape (n_texts, n_classes)
            Columns in the order of ``label_names``, whatever order the signature has.

        Raises
        ------
        DataError
            If a text is not a str.
        """
        texts = as_texts(texts)
        found = np.empty((len(texts), len(self.label_names)), np.float32)
        for batch, answer in self._answers(texts):
            columns = self._columns(answer["labels"].numpy())
            rows = np.empty_like(columns, np.float32)
            np.put_along_axis(rows, columns, answer["probabilities"].numpy(), axis=1)
            found[batch] = rows
        return found

    def predict(self, texts: Iterable[str]) -> list[str] | list[tuple[str, ...]]:
        """Return the label of each text, or its labels, as the graph names them."""
        texts = as_texts(texts)
        found: list[Any] = [None] * len(texts)
        for batch, answer in self._answers(texts):
            if self.multilabel:
                labels = self._multilabel(answer)
            else:
                labels = [label.decode() for label in answer["label"].numpy()]
            for i, label in zip(batch.tolist(), labels, strict=True):
                found[i] = label
        return found

    def inspect(self, texts: Iterable[str]) -> list[tuple[list[str], list[int]]]:
        """Return the tokens and the ids of each text, as the graph cuts them.

        Raises
        ------
        ExportError
            If the export takes token ids and cuts nothing.
        """
        import tensorflow as tf

        if self.text is not None:
            raise ExportError(
                f"{self.folder.place} takes token ids: there is nothing to inspect. "
                "Export it without tokens=True."
            )
        texts = as_texts(texts)
        found: list[Any] = [None] * len(texts)
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        for batch in batch_by_length(lengths, BATCH_POINTS):
            encoded = [_utf8(texts[i]) for i in batch]
            answer = self._loaded.signatures["tokens"](
                text=tf.constant(encoded, tf.string)
            )
            rows = zip(
                batch.tolist(),
                answer["tokens"].numpy().tolist(),
                answer["token_ids"].numpy().tolist(),
                strict=True,
            )
            for i, tokens, ids in rows:
                # Tokens are never empty, and no token has id 0: what is is padding.
                found[i] = (
                    [token.decode() for token in tokens if token],
                    [number for number in ids if number],
                )
        return found

    def _answers(self, texts: list[str]) -> Iterable[tuple[np.ndarray, dict[str, Any]]]:
        import tensorflow as tf

        if self.text is not None:
            token_ids = self.text.encode_lists(texts)
            for batch in batch_by_length(lengths_of(token_ids)):
                padded = pad([token_ids[i] for i in batch])
                yield batch, self._serve(token_ids=tf.constant(padded))
            return
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        for batch in batch_by_length(lengths, BATCH_POINTS):
            encoded = [_utf8(texts[i]) for i in batch]
            yield batch, self._serve(text=tf.constant(encoded, tf.string))

    def _multilabel(self, answer: dict[str, Any]) -> list[tuple[str, ...]]:
        names = self.label_names
        columns = self._columns(answer["labels"].numpy())
        counts = answer["count"].numpy().tolist()
        return [
            tuple(names[i] for i in sorted(row[:count].tolist()))
            for row, count in zip(columns, counts, strict=True)
        ]

    def _columns(self, labels: np.ndarray) -> np.ndarray:
        """Return which class each label names, int of shape (batch, n_classes)."""
        names = np.array([name.encode() for name in self.label_names], object)
        order = np.argsort(names)
        return order[np.searchsorted(names[order], labels)]


def _utf8(text: str) -> bytes:
    """Encode a text; each lone surrogate becomes U+FFFD, as at every door."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATES.sub("\ufffd", text).encode()
