"""The network of a polarity classifier: a BiLSTM that knows where the target is.

A target stands between two markers among the token ids. The network reads, beside each
token's vector, how far the token is from the target; its features are the states of the
target's tokens and those that an attention chooses, with the target and the distance in
view (Wang et al., 2016, "Attention-based LSTM for Aspect-level Sentiment
Classification"; Gu et al., 2018, "A Position-aware Bidirectional Attention Network").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from emoclf.aspects.polarities.place_scores import (
    PLACE_SCORES,
    PlaceScores,
    place_weights,
)
from emoclf.aspects.terms.aspect_settings import SharedSettings
from emoclf.models.build import seeded_layers
from emoclf.models.embedding import embed_tokens
from emoclf.models.heads import class_probabilities
from emoclf.models.keras_globals import default_keras_globals
from emoclf.models.tensors import Tensor
from emoclf.settings.base import option
from emoclf.text.vocabulary import FIRST_TOKEN_ID

#: Ids of the markers before and after a target: the first two tokens.
OPEN_ID, CLOSE_ID = FIRST_TOKEN_ID, FIRST_TOKEN_ID + 1
#: Farther tokens have this distance from the target.
MAX_DISTANCE = 15


@dataclass(frozen=True, kw_only=True)
class PolaritySettings(SharedSettings):
    """Settings of a polarity classifier."""

    sentiment_vectors: bool = option(
        True,
        "append the word vectors of the ready classifier sentiment-en to the others, "
        "if they cover the texts",
    )
    lowercase: bool = option(True, "convert letters to lower case")
    members: int = option(
        3, "number of networks whose probabilities are averaged", low=1, high=20
    )
    units: int = option(64, "units of the LSTM per direction", low=1, high=4096)
    distance_dim: int = option(16, "dimensions of a distance vector", low=1, high=512)
    input_dropout: float = option(
        0.5, "dropout rate between embedding and LSTM", low=0.0, high=0.95
    )
    dropout: float = option(0.5, "dropout rate before the classes", low=0.0, high=0.95)
    linear_share: float = option(
        0.5,
        "share of the logistic regression of word vectors in the logits; used only "
        "with word vectors",
        low=0.0,
        high=1.0,
    )
    encoder: str | None = option(
        None,
        "folder of a transformer encoder, or its name on the Hugging Face Hub: a "
        "linear classifier of its vectors is mixed with the networks (extra "
        "'transformers')",
    )
    encoder_share: float = option(
        0.7, "share of the encoder's classifier in the logits", low=0.0, high=1.0
    )
    epochs: int = option(20, "maximum number of epochs", low=1)
    batch_size: int = option(32, "terms per training step", low=1)
    learning_rate: float = option(1e-3, "learning rate", above=0.0)
    patience: int = option(4, "epochs without improvement until early stopping", low=1)
    monitor: str = option(
        "loss",
        "validation metric that selects the epoch",
        choices=("accuracy", "macro_f1", "loss"),
    )


@keras.saving.register_keras_serializable(package="emoclf")
class TargetDistance(layers.Layer):
    """Return how far each token is from the target between the markers.

    Input: token ids of int32, shape (batch, length). Output: int32 of the same shape, 0
    for the target and its markers, negative before it, and at most ``MAX_DISTANCE``
    away, plus ``MAX_DISTANCE``.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, token_ids: Tensor) -> Tensor:
        positions = ops.arange(ops.shape(token_ids)[1], dtype="int32")[None, :]
        # As numbers: onnxruntime finds no maximum of booleans.
        first, last = (
            ops.argmax(ops.cast(ops.equal(token_ids, marker), "int32"), axis=1)
            for marker in (OPEN_ID, CLOSE_ID)
        )
        before = ops.minimum(positions - ops.cast(first[:, None], "int32"), 0)
        after = ops.maximum(positions - ops.cast(last[:, None], "int32"), 0)
        distance = ops.clip(before + after, -MAX_DISTANCE, MAX_DISTANCE)
        return distance + MAX_DISTANCE

    def compute_output_spec(self, token_ids: Tensor) -> Any:
        return keras.KerasTensor(token_ids.shape, "int32")


@keras.saving.register_keras_serializable(package="emoclf")
class TargetAttention(layers.Layer):
    """Average states by weights that depend on state, target and distance.

    Input: states (batch, length, width), distances (batch, length, dim), and masks of
    the tokens and of the target, bool (batch, length). Output: the weighted mean of the
    states and the mean of the target's, shape (batch, 2 * width).
    """

    def __init__(self, units: int = 64, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Keras warns about an input that has a mask unless the layer supports masks.
        self.supports_masking = True
        self.units = units

    def compute_mask(self, *inputs: Any, **kwargs: Any) -> None:
        """Return None: the output has no positions."""
        return None

    def build(self, states_shape: Any, distances_shape: Any) -> None:
        """Create the weights of the scores."""
        width = 2 * states_shape[-1] + distances_shape[-1]
        self.kernel = self.add_weight(name="kernel", shape=(width, self.units))
        self.bias = self.add_weight(
            name="bias", shape=(self.units,), initializer="zeros"
        )
        self.scores = self.add_weight(name="scores", shape=(self.units, 1))
        self.built = True

    def call(
        self, states: Tensor, distances: Tensor, mask: Tensor, target: Tensor
    ) -> Tensor:
        inside = ops.cast(target[..., None], states.dtype)
        count = ops.maximum(ops.sum(inside, axis=1), 1.0)
        of_target = ops.sum(states * inside, axis=1) / count
        repeated = ops.ones_like(states) * of_target[:, None, :]
        inputs = ops.concatenate([states, distances, repeated], axis=-1)
        hidden = ops.tanh(ops.matmul(inputs, self.kernel) + self.bias)
        scores = ops.matmul(hidden, self.scores)[..., 0]
        scores = ops.where(mask, scores, ops.cast(-1e9, scores.dtype))
        weights = ops.softmax(scores, axis=-1)[..., None]
        attended = ops.sum(weights * states, axis=1)
        return ops.concatenate([attended, of_target], axis=-1)

    def compute_output_spec(
        self, states: Tensor, distances: Tensor, mask: Tensor, target: Tensor
    ) -> Any:
        return keras.KerasTensor((states.shape[0], 2 * states.shape[-1]), states.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that build this layer again."""
        return {**super().get_config(), "units": self.units}


@default_keras_globals()
def build_polarity(
    settings: PolaritySettings,
    n_classes: int,
    *,
    shape: tuple[int, int],
    matrix: np.ndarray | None = None,
) -> keras.Model:
    """Build the network: token_ids (batch, length) → probabilities (batch, n_classes).

    Parameters
    ----------
    settings : PolaritySettings
    n_classes : int >= 2
    shape : tuple of int
        Shape of the embedding matrix.
    matrix : ndarray of float32, optional
        Embedding matrix; None: the weights are loaded afterwards.
    """
    with seeded_layers(settings.seed):
        token_ids = keras.Input((None,), dtype="int32", name="token_ids")
        mode = settings.embedding or "non-static"
        embedded, mask = embed_tokens(token_ids, mode=mode, shape=shape, matrix=matrix)
        distance = TargetDistance(name="target_distance")(token_ids)
        # Dense over one-hot rows: not an embedding, which would learn at a lower rate.
        hot = ops.one_hot(distance, 2 * MAX_DISTANCE + 1)
        distances = layers.Dense(
            settings.distance_dim, use_bias=False, name="distances"
        )(hot)
        tokens = layers.Dropout(settings.input_dropout, name="input_dropout")(embedded)
        tokens = layers.Concatenate(name="token")([tokens, distances])
        states = layers.Bidirectional(
            layers.LSTM(settings.units, return_sequences=True, name="lstm"),
            name="bilstm",
        )(tokens, mask=mask)
        target = ops.logical_and(mask, ops.equal(distance, MAX_DISTANCE))
        features = TargetAttention(settings.units, name="target_attention")(
            states, distances, mask, target
        )
        features = layers.Dropout(settings.dropout, name="dropout")(features)
        mix: Callable[[Tensor], Tensor] | None = None
        if settings.linear_share:
            is_marker = ops.logical_or(
                ops.equal(token_ids, OPEN_ID), ops.equal(token_ids, CLOSE_ID)
            )
            weights = place_weights(
                distance - MAX_DISTANCE,
                ops.logical_and(mask, ops.logical_not(is_marker)),
            )
            linear = PlaceScores(shape[0], name=PLACE_SCORES)

            def mix(logits: Tensor) -> Tensor:
                return linear(token_ids, weights, logits)

        probabilities = class_probabilities(
            features, n_classes, multilabel=False, mix=mix
        )
        return keras.Model(token_ids, probabilities, name="polarity")
