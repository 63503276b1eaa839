"""The linear part of a polarity network: scores of words by their place.

A logistic regression reads the averages of the word vectors of a target, of the words
before it, after it and on both sides, near ones first, and of all other words alike.
Averages are sums over words, so the products of vectors and coefficients are one table
with a score of each word for each place and class, and the layer needs no vectors.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from emoclf.batching import pad
from emoclf.models.heads import MIN_PRIOR
from emoclf.models.tensors import Tensor
from emoclf.training.batches import Examples
from emoclf.training.ngrams import fit_regression

PLACE_SCORES = "place_scores"
#: The target, before it, after it, near it on both sides, all words outside of it.
N_PLACES = 5
#: Tokens over which the weight of a word falls to 1 / e.
DECAY_TOKENS = 4.0
#: Inverse strength of the regularization, for features whose squares sum to about one.
C = 3.0
#: Of more targets a sample is read: so the features take 0.4 GB for 900 dimensions of
#: word vectors, and 0.3 GB for the two layers of an encoder with 384.
MAX_TARGETS = 20_000
#: Targets whose features are computed together.
CHUNK_TARGETS = 512


@keras.saving.register_keras_serializable(package="emoclf")
class PlaceScores(layers.Layer):
    """Mix a network's logits with scores of words by their place around the target.

    Its weights are not trained with the network: :func:`fit_place_scores` fits them.
    Until then they are zero, and the logits pass unchanged.

    Parameters
    ----------
    vocabulary : int
        Number of token ids.
    **kwargs
        Arguments of the Keras layer.
    """

    def __init__(self, vocabulary: int, **kwargs: Any) -> None:
        super().__init__(**{"trainable": False, **kwargs})
        # Keras warns about an input that has a mask unless the layer supports masks.
        self.supports_masking = True
        self.vocabulary = vocabulary

    def build(
        self, token_ids_shape: Any, weights_shape: Any, logits_shape: Any
    ) -> None:
        """Create the table, the biases and the share of the network."""
        n_classes = int(logits_shape[-1])
        zeros: dict[str, Any] = {"initializer": "zeros", "trainable": False}
        shape = (self.vocabulary, N_PLACES * n_classes)
        self.table = self.add_weight(shape=shape, name="table", **zeros)
        self.bias = self.add_weight(shape=(n_classes,), name="bias", **zeros)
        #: Factor of the network's logits.
        self.share = self.add_weight(
            shape=(), name="share", initializer="ones", trainable=False
        )
        self.built = True

    def call(self, token_ids: Tensor, weights: Tensor, logits: Tensor) -> Tensor:
        """Return logits, shape (batch, n_classes).

        Parameters
        ----------
        token_ids : Tensor of int32, shape (batch, length)
        weights : Tensor, shape (batch, length, N_PLACES)
            From :func:`place_weights`.
        logits : Tensor, shape (batch, n_classes)
        """
        rows = tf.gather(self.table.value, token_ids)
        scores = ops.reshape(
            rows, (*ops.shape(token_ids), N_PLACES, int(self.bias.shape[0]))
        )
        total = ops.sum(scores * ops.expand_dims(weights, -1), axis=(1, 2))
        return self.share * logits + total + self.bias

    def compute_output_spec(self, *inputs: Any) -> Any:
        return keras.KerasTensor(inputs[-1].shape, inputs[-1].dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that build this layer again."""
        return {**super().get_config(), "vocabulary": self.vocabulary}


def place_weights(offset: Tensor, is_word: Tensor) -> Tensor:
    """Return the share of each token in the average of each place.

    Parameters
    ----------
    offset : Tensor of int32, shape (batch, length)
        Distance from the target: 0 in it, negative before it.
    is_word : Tensor of bool, shape (batch, length)
        False for padding and markers, which have no share.

    Returns
    -------
    weights : Tensor of float32, shape (batch, length, N_PLACES)
        Their sum over the tokens is 1, or 0 in a place without a token.
    """
    near = ops.exp(ops.cast(ops.abs(offset), "float32") / -DECAY_TOKENS)
    outside = ops.not_equal(offset, 0)
    places = (
        (ops.equal(offset, 0), ops.ones_like(near)),
        (ops.less(offset, 0), near),
        (ops.greater(offset, 0), near),
        (outside, near),
        (outside, ops.ones_like(near)),
    )
    shares = [
        weight * ops.cast(ops.logical_and(is_word, inside), "float32")
        for inside, weight in places
    ]
    weights = ops.stack(shares, axis=-1)
    return weights / ops.maximum(ops.sum(weights, axis=1, keepdims=True), 1e-6)


def fit_place_scores(
    networks: Sequence[keras.Model],
    train: Examples,
    matrix: np.ndarray,
    share: float,
    *,
    seed: int,
) -> None:
    """Fit the logistic regression, and mix it with each network.

    Parameters
    ----------
    networks : sequence of keras.Model
        Networks with a layer of :class:`PlaceScores`.
    train : Examples
        Training set.
    matrix : ndarray of float32, shape (vocabulary, dim)
        Word vectors, as they were before a training.
    share : float in [0, 1]
        Share of the regression in the logits.
    seed : int
        Seed of the sample, if there are more than ``MAX_TARGETS`` targets.
    """
    rows = sample_rows(len(train), seed)
    features = _averages(networks[0], [train.token_ids[i] for i in rows], matrix)
    layer: Any = networks[0].get_layer(PLACE_SCORES)
    n_classes = int(layer.bias.shape[0])
    label_ids = train.targets[rows]
    coefficients, bias = fit_averages(features, label_ids, n_classes)
    by_place = coefficients.reshape(N_PLACES, matrix.shape[1], n_classes)
    table = np.concatenate([matrix @ x for x in by_place], axis=1)
    for network in networks:
        layer = network.get_layer(PLACE_SCORES)
        layer.table.assign(share * table)
        layer.bias.assign(share * bias)
        layer.share.assign(1 - share)


def sample_rows(n_rows: int, seed: int) -> list[int]:
    """Return all rows, or a sample of ``MAX_TARGETS`` if there are more."""
    if n_rows <= MAX_TARGETS:
        return list(range(n_rows))
    return random.Random(seed).sample(range(n_rows), MAX_TARGETS)


def fit_averages(
    features: np.ndarray, label_ids: np.ndarray, n_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a logistic regression of features of one deviation each.

    Parameters
    ----------
    features : ndarray of float32, shape (n, n_features)
        They are scaled in place.
    label_ids : ndarray of int, shape (n,)
    n_classes : int

    Returns
    -------
    coefficients : ndarray of float32, shape (n_features, n_classes)
        For the features before they were scaled.
    bias : ndarray of float32, shape (n_classes,)
    """
    mean = features.mean(0)
    # The squares of a target's features sum to about one.
    scale = np.maximum(features.std(0), 1e-6) * np.sqrt(features.shape[1])
    features -= mean
    features /= scale
    coefficients, bias = fit_classes(features, label_ids, n_classes)
    coefficients = coefficients / scale[:, None]
    bias = bias - mean @ coefficients
    return coefficients.astype(np.float32), bias.astype(np.float32)


def fit_classes(
    features: np.ndarray, label_ids: np.ndarray, n_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights, shape (n_features, n_classes), and biases of a softmax."""
    table = np.zeros((features.shape[1], n_classes))
    # Of classes that no target has.
    bias = np.full(n_classes, np.log(MIN_PRIOR))
    present = np.unique(label_ids)
    if len(present) == 1:
        bias[present] = 0.0
        return table, bias
    model = fit_regression(features, label_ids, strength=C)
    coefficients, intercepts = model.coef_.T, model.intercept_
    if len(present) == 2:
        # scikit-learn has one column for the difference of two classes.
        coefficients = np.concatenate([-coefficients, coefficients], 1) / 2
        intercepts = np.array([-intercepts[0], intercepts[0]]) / 2
    table[:, present], bias[present] = coefficients, intercepts
    return table, bias


def _averages(
    network: keras.Model, token_ids: Sequence[np.ndarray], matrix: np.ndarray
) -> np.ndarray:
    """Return the mean vector of each place, float32 (n, N_PLACES * dim)."""
    inputs = network.get_layer(PLACE_SCORES).input
    weigh = keras.Model(network.input, inputs[1])
    features = np.empty((len(token_ids), N_PLACES * matrix.shape[1]), np.float32)
    for first in range(0, len(token_ids), CHUNK_TARGETS):
        chunk = token_ids[first : first + CHUNK_TARGETS]
        weights = weigh(pad(chunk), training=False).numpy()
        for row, (ids, shares) in enumerate(zip(chunk, weights, strict=True), first):
            features[row] = (shares[: len(ids)].T @ matrix[ids]).ravel()
    return features
