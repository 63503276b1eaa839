"""The reader of SavedModel exports, which tokenize inside the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from emoclf.batching import BATCH_TOKENS, batch_by_length, lengths_of, pad
from emoclf.classifier import check_finite
from emoclf.datasets.cells import utf8
from emoclf.errors import ExportError
from emoclf.runtime import check_fork, import_tensorflow
from emoclf.serving.export_folder import ExportFolder
from emoclf.serving.exported_classifier import ExportedClassifier
from emoclf.serving.exported_text import ExportedText
from emoclf.text.validation import as_texts

#: Code points in a batch of texts, which the graph pads to the longest.
BATCH_POINTS = 1 << 16


class SavedModelClassifier(ExportedClassifier):
    """Predict with a SavedModel.

    A SavedModel is a program of TensorFlow, which can read and write files: load only
    those that you trust. All other formats contain data alone.

    Parameters
    ----------
    folder : ExportFolder
        An export to "saved-model"; :func:`emoclf.load_exported` takes its path.
    """

    def __init__(self, folder: ExportFolder) -> None:
        super().__init__(folder)
        # TensorFlow loads here, so that other formats do without.
        import_tensorflow()
        import tensorflow as tf

        check_fork()
        # It owns the variables and tables; the signatures do not keep it alive.
        self._model = tf.saved_model.load(str(folder.place))
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
        texts = as_texts(texts, self.text_column)
        probabilities = np.empty((len(texts), len(self.label_names)), np.float32)
        for batch, outputs in self._batches(texts):
            columns = self._columns(outputs["labels"].numpy())
            rows = outputs["probabilities"].numpy()
            probabilities[batch[:, None], columns] = rows
        return check_finite(probabilities)

    def token_ids(self, texts: list[str]) -> list[np.ndarray]:
        """Return the token ids of each text, int32 of shape (length,)."""
        if self.text is not None:
            return self.text.encode_lists(texts)
        return [np.array(ids, np.int32) for _, ids in self.inspect(texts)]

    def predict(
        self, texts: Iterable[str], *, abstain_below: float | None = None
    ) -> list[Any]:
        """Return the label of each text, or its labels, as the graph names them."""
        if abstain_below is not None:
            return super().predict(texts, abstain_below=abstain_below)
        texts = as_texts(texts, self.text_column)
        predicted: list[Any] = [None] * len(texts)
        for batch, outputs in self._batches(texts):
            check_finite(outputs["probabilities"].numpy())
            if self.multilabel:
                labels: list[Any] = self._label_tuples(outputs)
            else:
                labels = [label.decode() for label in outputs["label"].numpy()]
            for i, label in zip(batch.tolist(), labels, strict=True):
                predicted[i] = label
        return predicted

    def inspect(self, texts: Iterable[str]) -> list[tuple[list[str], list[int]]]:
        """Return the tokens and the token ids of each text, as the graph has them.

        Raises
        ------
        ExportError
            If the export takes token ids, and so does not tokenize.
        """
        if self.text is not None:
            raise ExportError(
                f"{self.folder.place} takes token ids, so that there are no texts to "
                "inspect. Export it without tokens=True."
            )
        texts = as_texts(texts, self.text_column)
        rows: list[Any] = [None] * len(texts)
        for batch, outputs in self._batches(texts, "tokens"):
            for i, tokens, ids in zip(
                batch.tolist(),
                outputs["tokens"].numpy().tolist(),
                outputs["token_ids"].numpy().tolist(),
                strict=True,
            ):
                # No token is empty and none has id 0: those are padding.
                rows[i] = (
                    [token.decode() for token in tokens if token],
                    [number for number in ids if number],
                )
        return rows

    def _batches(
        self, texts: list[str], signature: str = "serving_default"
    ) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
        """Yield the indices of the texts of each batch, and a signature's outputs."""
        import tensorflow as tf

        check_fork()
        run = self._model.signatures[signature]
        if self.text is not None:
            token_ids = self.text.encode_lists(texts)
            for batch in batch_by_length(lengths_of(token_ids), BATCH_TOKENS):
                padded = pad([token_ids[i] for i in batch])
                yield batch, run(token_ids=tf.constant(padded))
            return
        for batch in batch_by_length(lengths_of(texts), BATCH_POINTS):
            encoded = [utf8(texts[i]) for i in batch]
            yield batch, run(text=tf.constant(encoded, tf.string))

    def _label_tuples(self, outputs: dict[str, Any]) -> list[tuple[str, ...]]:
        """Return the first ``count`` labels of each text, in the order of classes."""
        names = self.label_names
        columns = self._columns(outputs["labels"].numpy())
        return [
            tuple(names[i] for i in sorted(row[:count].tolist()))
            for row, count in zip(columns, outputs["count"].numpy(), strict=True)
        ]

    def _columns(self, labels: np.ndarray) -> np.ndarray:
        """Return the class that each label names, int of shape (batch, n_classes)."""
        names = np.array([name.encode() for name in self.label_names], object)
        order = np.argsort(names)
        return order[np.searchsorted(names[order], labels)]
