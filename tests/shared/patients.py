"""Networks as people wrote them when they "always predict one class".

They are kept as they were found: a sigmoid after a softmax, unmasked padding, hidden
softmaxes, losses that do not fit. Only names and sizes were made equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

LENGTH = 179
CLASSES = 7


def _embedding(matrix: Any, **values: Any) -> layers.Embedding:
    return layers.Embedding(
        matrix.shape[0],
        matrix.shape[1],
        embeddings_initializer=keras.initializers.Constant(matrix),
        trainable=False,
        **values,
    )


def stacked_lstm(
    matrix: Any, n_classes: int = CLASSES, *, squeezed: bool = True, mask: bool = False
) -> keras.Model:
    """Return two LSTMs over unmasked padding, with a sigmoid after the softmax.

    ``squeezed=False`` and ``mask=True`` correct one of the two mistakes each.
    """
    model = keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            _embedding(matrix, mask_zero=mask),
            layers.LSTM(64, return_sequences=True),
            layers.LSTM(64),
            layers.Dense(n_classes, activation="softmax"),
        ]
    )
    if squeezed:
        model.add(layers.Activation("sigmoid"))
    return model


def cnn_lstm(matrix: Any, n_classes: int = CLASSES) -> keras.Model:
    """Return convolutions, local pooling and LSTMs; a sigmoid after the softmax."""
    inputs = keras.Input((LENGTH,), dtype="int32")
    embedded = _embedding(matrix)(inputs)
    branches = []
    for size in (3, 4, 5):
        ngrams = layers.Conv1D(64, size, activation="relu")(embedded)
        branches.append(layers.LSTM(32)(layers.MaxPooling1D(2)(ngrams)))
    features = layers.Concatenate()(branches)
    outputs = layers.Dense(n_classes, activation="softmax")(features)
    return keras.Model(inputs, layers.Activation("sigmoid")(outputs))


def hand_written_cnn(matrix: Any, n_classes: int = CLASSES) -> keras.Model:
    """Return a TextCNN whose initial biases are far below zero: all units are dead."""
    inputs = keras.Input((LENGTH,), dtype="int32")
    embedded = _embedding(matrix)(inputs)
    pooled = [
        layers.GlobalMaxPooling1D()(
            layers.Conv1D(
                50,
                size,
                activation="relu",
                kernel_initializer=keras.initializers.RandomNormal(-0.5, 0.1, seed=0),
                bias_initializer=keras.initializers.Constant(-10.0),
            )(embedded)
        )
        for size in (3, 4, 5)
    ]
    outputs = layers.Dense(n_classes, activation="softmax")(
        layers.Concatenate()(pooled)
    )
    return keras.Model(inputs, outputs)


def plain_rnn(matrix: Any, n_classes: int = CLASSES) -> keras.Model:
    """Return a SimpleRNN over unmasked padding, which forgets the tokens before it."""
    return keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            _embedding(matrix),
            layers.SimpleRNN(64),
            layers.Dense(n_classes, activation="softmax"),
        ]
    )


def healthy(matrix: Any, n_classes: int = CLASSES) -> keras.Model:
    """Return the same plain RNN with a mask: no mistake."""
    return keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            _embedding(matrix, mask_zero=True),
            layers.SimpleRNN(64),
            layers.Dense(n_classes, activation="softmax"),
        ]
    )


#: Name: (network, names of the findings of check_model before the training).
PATIENTS: dict[str, tuple[Callable[..., keras.Model], set[str]]] = {
    "stacked_lstm": (stacked_lstm, {"stacked-activations", "unmasked-padding"}),
    "cnn_lstm": (cnn_lstm, {"stacked-activations", "unmasked-padding"}),
    "hand_written_cnn": (hand_written_cnn, set()),
    "plain_rnn": (plain_rnn, {"unmasked-padding"}),
    "healthy": (healthy, set()),
}
