"""What a SavedModel answers: the functions behind its signatures."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from emoclf.predictor import Predictor
from emoclf.text.graph_encoder import GraphEncoder

TEXT = tf.TensorSpec([None], tf.string, "text")
IDS = tf.TensorSpec([None, None], tf.int32, "token_ids")


class Signatures(tf.Module):
    """A classifier's signatures, on texts or on token ids.

    Parameters
    ----------
    predictor : Predictor
    network : keras.Model
        Its network, without what training alone needs.
    top : int >= 1
        Labels that ``predict_top`` names.
    tokens : bool
        Take token ids instead of texts.

    Raises
    ------
    ExportError
        If texts are asked for and the tokenizer cannot run in a graph.
    """

    def __init__(
        self, predictor: Predictor, network: keras.Model, *, top: int, tokens: bool
    ) -> None:
        super().__init__(name="signatures")
        self.top = top
        self.tokens = tokens
        self.network = network
        # Each part is traced once, whichever signatures share it.
        self._network = tf.function(self._answer, input_signature=[IDS])
        if not tokens:
            self.encoder = GraphEncoder(predictor.bundle.encoder)
            self._tokens = tf.function(self._cut, input_signature=[TEXT])
            self._ids = tf.function(self._encode, input_signature=[TEXT])
        self._names = tf.constant(list(predictor.label_names))
        # In float64, as Python compares them.
        self._thresholds = (
            tf.constant(predictor.thresholds, tf.float64)
            if predictor.multilabel
            else None
        )

    def functions(self) -> dict[str, tuple[Any, tf.TensorSpec]]:
        """Return each signature's function and what it takes."""
        if self.tokens:
            return {
                "serving_default": (lambda token_ids: self.serve(token_ids), IDS),
                "predict_top": (lambda token_ids: self.best(token_ids), IDS),
            }
        return {
            "serving_default": (lambda text: self.serve(self._ids(text)), TEXT),
            "predict_top": (lambda text: self.best(self._ids(text)), TEXT),
            "tokens": (lambda text: self.inspect(text), TEXT),
        }

    def serve(self, token_ids: Any) -> dict[str, Any]:
        """Return all labels of each text, and which of them count."""
        probabilities = self._network(token_ids)
        if self._thresholds is None:
            rows = tf.shape(probabilities)[0]
            return {
                "label": tf.gather(self._names, tf.argmax(probabilities, axis=1)),
                "labels": tf.tile(self._names[None, :], [rows, 1]),
                "probabilities": probabilities,
            }
        order, count = self._ranked(probabilities)
        labels = tf.gather(self._names, order)
        return {
            "label": tf.where(count > 0, labels[:, 0], ""),
            "labels": labels,
            "probabilities": tf.gather(probabilities, order, batch_dims=1),
            "count": count,
        }

    def best(self, token_ids: Any) -> dict[str, Any]:
        """Return the first labels of each text."""
        probabilities = self._network(token_ids)
        order, count = self._ranked(probabilities)
        order = order[:, : self.top]
        found = {
            "labels": tf.gather(self._names, order),
            "probabilities": tf.gather(probabilities, order, batch_dims=1),
        }
        return found if self._thresholds is None else {**found, "count": count}

    def inspect(self, text: Any) -> dict[str, Any]:
        """Return what the tokenizer makes of each text, and what the network sees."""
        return {"tokens": self._tokens(text), "token_ids": self._ids(text)}

    def _cut(self, text: Any) -> Any:
        return self.encoder.tokens(text).to_tensor("")

    def _encode(self, text: Any) -> Any:
        return self.encoder(text).to_tensor()

    def _answer(self, token_ids: Any) -> Any:
        # A batch of empty texts still needs a position to look at.
        token_ids = tf.pad(token_ids, [[0, 0], [0, 1]])
        return self.network(token_ids, training=False)

    def _ranked(self, probabilities: Any) -> tuple[Any, Any]:
        """Return labels in falling order, and how many of the first ones count.

        Labels from their thresholds on stand before all others.
        """
        order = tf.argsort(probabilities, direction="DESCENDING", stable=True)
        if self._thresholds is None:
            return order, None
        counts = tf.cast(probabilities, tf.float64) >= self._thresholds
        below = tf.cast(~tf.gather(counts, order, batch_dims=1), tf.int32)
        first = tf.argsort(below, stable=True)
        order = tf.gather(order, first, batch_dims=1)
        return order, tf.reduce_sum(tf.cast(counts, tf.int32), axis=1)
