"""Networks as people wrote them when they "always predict one class".

They are kept as they were found: a sigmoid laid on a softmax, padding that nobody
masks, hidden softmaxes, losses that do not fit. Only names and sizes were made equal.
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
    """Two LSTMs over unmasked padding, and a sigmoid laid on the softmax.

    ``squeezed`` and ``mask`` mend one of the two, to see which of them it was.
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
    """Convolutions, local pooling, an LSTM each; a sigmoid laid on the softmax."""
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
    """A TextCNN whose filters begin far below zero: its units are dead from birth."""
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
    """A SimpleRNN over unmasked padding: the words are forgotten before it ends."""
    return keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            _embedding(matrix),
            layers.SimpleRNN(64),
            layers.Dense(n_classes, activation="softmax"),
        ]
    )


def healthy(matrix: Any, n_classes: int = CLASSES) -> keras.Model:
    """The same plain RNN, masked: nothing to complain of."""
    return keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            _embedding(matrix, mask_zero=True),
            layers.SimpleRNN(64),
            layers.Dense(n_classes, activation="softmax"),
        ]
    )


#: Name: (network, what check_model says of it before any training).
PATIENTS: dict[str, tuple[Callable[..., keras.Model], set[str]]] = {
    "stacked_lstm": (stacked_lstm, {"stacked-activations", "unmasked-padding"}),
    "cnn_lstm": (cnn_lstm, {"stacked-activations", "unmasked-padding"}),
    "hand_written_cnn": (hand_written_cnn, set()),
    "plain_rnn": (plain_rnn, {"unmasked-padding"}),
    "healthy": (healthy, set()),
}
