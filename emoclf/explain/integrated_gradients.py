"""Integrated gradients on the embedded words of a Keras network.

Sundararajan, Taly and Yan (2017), "Axiomatic Attribution for Deep Networks": the
gradient of a logit is averaged on the way from a baseline to the text, and multiplied
by the way. The baseline is the same text with vectors of zeros; its mask stays. The
shares sum to the difference of the logits as far as logits have no jumps on the way:
k-max pooling has, where values change their order.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emoclf.bundle.bundle import Bundle
from emoclf.explain.bundle_terms import ngram_terms
from emoclf.explain.text_terms import NgramTerms
from emoclf.export.network_weights import NetworkWeights
from emoclf.models.embedding import STATIC, TRAINED
from emoclf.models.heads import PROBABILITIES
from emoclf.models.keras_globals import default_keras_globals
from emoclf.models.mean_embedding import BIGRAMS

#: Points on the way, in the middle of equal steps: many cheap ones suit kinks of relu.
N_STEPS = 64
#: Tokens of all points and classes that pass the network at once.
MAX_TOKENS = 1 << 14
DESCRIPTION = (
    "Not exact (integrated gradients): gradients of the logit, averaged along the path "
    "from zero vectors to the word vectors. The bias is the logit of zero vectors. The "
    "words and the bias sum to the logit, with an error of at most {gap:.2g}."
)


class IntegratedGradients:
    """Integrated gradients of a network, traced once for texts of all lengths.

    Parameters
    ----------
    bundle : Bundle
    """

    @default_keras_globals()
    def __init__(self, bundle: Bundle) -> None:
        self.model = model = bundle.model
        names = (STATIC, TRAINED, BIGRAMS)
        self._tables = [layer for layer in model.layers if layer.name in names]
        logits = model.get_layer(PROBABILITIES).input
        inputs = [model.input, *(layer.output for layer in self._tables)]
        network = keras.Model(inputs, logits)
        self._embed = keras.Model(model.input, inputs[1:])

        def gradients(token_ids: Any, columns: Any, *vectors: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(vectors)
                logits = network([token_ids, *vectors], training=False)
                chosen = tf.gather(logits, columns, batch_dims=1)
            return [logits, *tape.gradient(chosen, vectors)]

        self._gradients = tf.function(
            gradients,
            autograph=False,
            input_signature=[
                tf.TensorSpec([None, None], tf.int32),
                tf.TensorSpec([None], tf.int32),
                *(tf.TensorSpec([None, None, x.shape[-1]]) for x in inputs[1:]),
            ],
        )

    @default_keras_globals()
    def __call__(
        self, token_ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return logits, bias and words' shares of a text.

        Parameters
        ----------
        token_ids : ndarray of int64, shape (n_tokens,)

        Returns
        -------
        logits, bias : ndarray of float32, shape (n_classes,)
        words : ndarray of float32, shape (n_tokens, n_classes)
        """
        # A text without tokens is one place of padding.
        ids = np.atleast_2d(token_ids if len(token_ids) else [0]).astype(np.int32)
        embedded = self._embed(tf.constant(ids), training=False)
        vectors = [x.numpy() for x in keras.tree.flatten(embedded)]
        logits = self._run(ids, np.zeros(1), vectors)[0][0]
        zeros = [np.zeros_like(x) for x in vectors]
        bias = self._run(ids, np.zeros(1), zeros)[0][0]
        words = np.zeros((len(token_ids), len(logits)), np.float32)
        if not len(token_ids):
            return logits, bias, words
        for column in range(len(logits)):
            gradients = self._mean_gradients(ids, column, vectors)
            for layer, values, x in zip(self._tables, gradients, vectors, strict=True):
                shares, pairs = (values * x[0]).sum(1), None
                if layer.name == BIGRAMS:
                    # Row i is the pair of the tokens i and i + 1; the last has none.
                    shares, pairs = np.zeros_like(shares), shares[:-1]
                words[:, column] += NgramTerms(shares, pairs).by_word()
        # The linear part beside a network reads no vectors: its shares are exact.
        linear, _ = ngram_terms(NetworkWeights(self.model), token_ids, len(logits))
        for ngrams in linear:
            words += ngrams.by_word()
            bias = bias - ngrams.by_word().sum(0)
        return logits, bias, words

    def _mean_gradients(
        self, ids: np.ndarray, column: int, vectors: list[np.ndarray]
    ) -> list[np.ndarray]:
        """Return the mean gradients of a logit on the way, each (n_tokens, dim)."""
        fractions = ((np.arange(N_STEPS) + 0.5) / N_STEPS).astype(np.float32)
        totals = [np.zeros_like(x[0]) for x in vectors]
        size = max(1, MAX_TOKENS // ids.shape[1])
        for start in range(0, N_STEPS, size):
            part = fractions[start : start + size, None, None]
            points = [part * x for x in vectors]
            columns = np.full(len(part), column)
            repeated = np.repeat(ids, len(part), axis=0)
            for total, gradient in zip(
                totals, self._run(repeated, columns, points)[1:], strict=True
            ):
                total += gradient.sum(0)
        return [total / N_STEPS for total in totals]

    def _run(
        self, ids: np.ndarray, columns: np.ndarray, vectors: list[np.ndarray]
    ) -> list[np.ndarray]:
        inputs = [tf.constant(x) for x in (ids, columns.astype(np.int32), *vectors)]
        return [tf.convert_to_tensor(x).numpy() for x in self._gradients(*inputs)]
