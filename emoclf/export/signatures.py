"""The functions behind the signatures of a SavedModel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from emoclf.predictor import Predictor
from emoclf.text.graph_encoder import GraphEncoder

TEXT_SPEC = tf.TensorSpec([None], tf.string, "text")
IDS_SPEC = tf.TensorSpec([None, None], tf.int32, "token_ids")


class Signatures(tf.Module):
    """A classifier's signatures, on texts or on token ids.

    Parameters
    ----------
    predictor : Predictor
    network : keras.Model
        Its network, without the parts that training alone needs.
    top : int >= 1
        Number of labels that ``predict_top`` returns.
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
        # Each function is traced once, though several signatures call it, and again
        # while they are saved.
        self._probabilities = _traced(self._run_network, IDS_SPEC)
        if not tokens:
            self.encoder = GraphEncoder(predictor.bundle.encoder)
            self._tokens = _traced(self._tokenize, TEXT_SPEC)
            self._ids = _traced(self._encode, TEXT_SPEC)
        self._names = tf.constant(list(predictor.label_names))
        # In float64, as Python compares them.
        self._thresholds = (
            tf.constant(predictor.thresholds, tf.float64)
            if predictor.multilabel
            else None
        )

    def functions(self) -> dict[str, tuple[Any, list[tf.TensorSpec]]]:
        """Return the function of each signature and the spec of its input."""
        spec = [IDS_SPEC if self.tokens else TEXT_SPEC]
        encode = tf.identity if self.tokens else self._ids
        functions = {
            "serving_default": (lambda inputs: self.predict(encode(inputs)), spec),
            "predict_top": (lambda inputs: self.predict_top(encode(inputs)), spec),
        }
        if not self.tokens:
            functions["tokens"] = (lambda inputs: self.inspect(inputs), spec)
        return functions

    def predict(self, token_ids: Any) -> dict[str, Any]:
        """Return the labels of each text and the probabilities of all classes."""
        probabilities = self._probabilities(token_ids)
        if self._thresholds is None:
            rows = tf.shape(probabilities)[0]
            return {
                "label": tf.gather(self._names, tf.argmax(probabilities, axis=1)),
                "labels": tf.tile(self._names[None, :], [rows, 1]),
                "probabilities": probabilities,
            }
        ranked = self._rank(probabilities, len(self._names))
        label = tf.where(ranked["count"] > 0, ranked["labels"][:, 0], "")
        return {"label": label, **ranked}

    def predict_top(self, token_ids: Any) -> dict[str, Any]:
        """Return the first labels of each text."""
        return self._rank(self._probabilities(token_ids), self.top)

    def inspect(self, text: Any) -> dict[str, Any]:
        """Return the tokens of each text, and the ids that the network takes."""
        return {"tokens": self._tokens(text), "token_ids": self._ids(text)}

    def _tokenize(self, text: Any) -> Any:
        return self.encoder.tokens(text).to_tensor("")

    def _encode(self, text: Any) -> Any:
        return self.encoder(text).to_tensor()

    def _run_network(self, token_ids: Any) -> Any:
        # The network needs at least one position, also in a batch of empty texts.
        token_ids = tf.pad(token_ids, [[0, 0], [0, 1]])
        return self.network(token_ids, training=False)

    def _rank(self, probabilities: Any, n_labels: int) -> dict[str, Any]:
        """Return the first labels in falling order of probability.

        With multilabel texts, labels that reach their thresholds come before all
        others, and ``count`` is their number.
        """
        order = tf.argsort(probabilities, direction="DESCENDING", stable=True)
        counts = {}
        if self._thresholds is not None:
            reached = tf.cast(probabilities, tf.float64) >= self._thresholds
            below = tf.cast(~tf.gather(reached, order, batch_dims=1), tf.int32)
            order = tf.gather(order, tf.argsort(below, stable=True), batch_dims=1)
            counts = {"count": tf.reduce_sum(tf.cast(reached, tf.int32), axis=1)}
        order = order[:, :n_labels]
        return {
            "labels": tf.gather(self._names, order),
            "probabilities": tf.gather(probabilities, order, batch_dims=1),
            **counts,
        }


def _traced(function: Callable[[Any], Any], spec: tf.TensorSpec) -> Any:
    # AutoGraph, which rewrites Python's branches and loops on tensors, finds none here,
    # and takes most of the time.
    traced = tf.function(function, input_signature=[spec], autograph=False)
    return traced.get_concrete_function()
