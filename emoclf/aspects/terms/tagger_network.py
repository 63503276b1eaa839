"""Networks of a tagger: from tokens to a score of each tag, with a CRF on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops

from emoclf.aspects.terms.aspect_settings import AspectSettings
from emoclf.aspects.terms.sentence_encoder import MAX_CHARACTERS
from emoclf.models.build import seeded_layers
from emoclf.models.convolution import convolve, zero_padding
from emoclf.models.crf import CRF, tag_constraints
from emoclf.models.embedding import embed_tokens
from emoclf.models.keras_globals import default_keras_globals
from emoclf.models.tensors import Tensor

#: Names of the layers with a score of each tag, and of each pair of neighbours.
EMISSIONS, CRF_SCORES = "emissions", "crf"
#: Widths of the CNN's first layer, half of its filters each, and of the others.
FIRST_WIDTHS, WIDTH = (3, 5), 5


class TaggerNetwork(NamedTuple):
    """A network in two forms that share all layers.

    Parameters
    ----------
    emissions : keras.Model
        token_ids (batch, length) and, if they are read, characters (batch, length,
        MAX_CHARACTERS) → scores of tags, float32 (batch, length, n_tags).
    training : keras.Model
        The same inputs and ``tags`` (batch, length) → log-likelihood (batch,).
    crf : CRF
    """

    emissions: keras.Model
    training: keras.Model
    crf: CRF


@keras.saving.register_keras_serializable(package="emoclf")
class CharacterCNN(layers.Layer):
    """Features of a token from its characters: embedding, convolution, maximum.

    Ma and Hovy (2016), section 2.1.

    Input: character ids of int32, shape (batch, length, characters); 0 is padding.
    Output: shape (batch, length, filters); zero for a token without characters.

    Parameters
    ----------
    n_characters : int
        Number of character ids, with padding.
    dim : int
        Width of a character's vector.
    filters : int
    width : int, default=3
        Width of the filters.
    """

    def __init__(
        self, n_characters: int, dim: int, filters: int, width: int = 3, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.n_characters = n_characters
        self.dim = dim
        self.filters = filters
        self.width = width

    def build(self, shape: Any) -> None:
        """Create the characters' vectors and the filters."""
        # Not called an embedding: it learns at the rate of the rest.
        self.vectors = self.add_weight(
            name="characters",
            shape=(self.n_characters, self.dim),
            initializer=keras.initializers.RandomUniform(-0.35, 0.35),
        )
        self.kernel = self.add_weight(
            name="kernel", shape=(self.width * self.dim, self.filters)
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.filters,), initializer="zeros"
        )
        self.built = True

    def call(self, characters: Tensor) -> Tensor:
        mask = ops.cast(ops.not_equal(characters, 0), self.compute_dtype)[..., None]
        # Vectors and filters are multiplied once for each character of the alphabet,
        # not at each position. The product makes the gradient dense as well, which
        # optimizers treat as any other. Padding, the first row, adds nothing.
        is_character = ops.arange(self.n_characters, dtype="int32")[:, None] > 0
        vectors = self.vectors * ops.cast(is_character, self.compute_dtype)
        kernel = ops.reshape(self.kernel, (self.width, self.dim, self.filters))
        tables = ops.matmul(vectors, kernel)
        side = self.width // 2
        padded = ops.pad(characters, [[0, 0], [0, 0], [side, self.width - 1 - side]])
        length = characters.shape[-1]
        features = self.bias
        for i in range(self.width):
            features = features + ops.take(
                tables[i], padded[:, :, i : i + length], axis=0
            )
        return ops.max(ops.relu(features) * mask, axis=2)

    def compute_output_shape(self, shape: Any) -> Any:
        """Return (batch, length, filters)."""
        return (*shape[:2], self.filters)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that build this layer again."""
        return {
            **super().get_config(),
            "n_characters": self.n_characters,
            "dim": self.dim,
            "filters": self.filters,
            "width": self.width,
        }


@default_keras_globals()
def build_tagger(
    settings: AspectSettings,
    tags: Sequence[str],
    *,
    shape: tuple[int, int],
    n_characters: int,
    matrix: np.ndarray | None = None,
    seed: int = 0,
) -> TaggerNetwork:
    """Build a network that the settings describe.

    Parameters
    ----------
    settings : AspectSettings
    tags : sequence of str
        Tags in the order of their ids.
    shape : tuple of int
        Shape of the embedding matrix.
    n_characters : int
        Number of character ids.
    matrix : ndarray of float32, optional
        Embedding matrix; None: the weights are loaded afterwards.
    seed : int
        Seed of the initial weights and of dropout.
    """
    with seeded_layers(seed):
        token_ids = keras.Input((None,), dtype="int32", name="token_ids")
        inputs = {"token_ids": token_ids}
        embedded, mask = embed_tokens(
            token_ids,
            mode=settings.embedding or "non-static",
            shape=shape,
            matrix=matrix,
        )
        if settings.characters:
            characters = keras.Input(
                (None, MAX_CHARACTERS), dtype="int32", name="characters"
            )
            inputs["characters"] = characters
            layer = CharacterCNN(
                n_characters,
                settings.character_dim,
                settings.character_filters,
                name="character_cnn",
            )
            embedded = layers.Concatenate(name="token")([embedded, layer(characters)])
        features = layers.Dropout(settings.input_dropout, name="input_dropout")(
            embedded
        )
        build = {"bilstm": _bilstm, "cnn": _cnn}[settings.network]
        features = build(settings, features, mask)
        emissions = layers.Dense(len(tags), name=EMISSIONS)(features)
        # Without a CRF all transitions are allowed and stay zero.
        rules = tag_constraints(tags) if settings.crf else {}
        crf = CRF(len(tags), **rules, name=CRF_SCORES, trainable=settings.crf)
        target = keras.Input((None,), dtype="int32", name="tags")
        likelihood = crf(emissions, mask=mask, tags=target)
        return TaggerNetwork(
            keras.Model(inputs, emissions, name="tagger"),
            keras.Model({**inputs, "tags": target}, likelihood, name="tagger_training"),
            crf,
        )


def _bilstm(settings: AspectSettings, features: Tensor, mask: Tensor) -> Tensor:
    layer = layers.Bidirectional(
        layers.LSTM(settings.units, return_sequences=True, name="lstm"), name="bilstm"
    )
    return layers.Dropout(settings.dropout, name="dropout")(layer(features, mask=mask))


def _cnn(settings: AspectSettings, features: Tensor, mask: Tensor) -> Tensor:
    half = settings.filters // 2
    first = [
        convolve(
            zero_padding(features, mask), mask, half, width, name=f"conv_1_{width}"
        )[0]
        for width in FIRST_WIDTHS
    ]
    features = ops.relu(layers.Concatenate(name="conv_1")(first))
    for number in range(2, settings.layers + 1):
        features = layers.Dropout(settings.dropout, name=f"dropout_{number}")(features)
        features = zero_padding(features, mask)
        features, _ = convolve(
            features, mask, settings.filters, WIDTH, name=f"conv_{number}"
        )
        features = ops.relu(features)
    return layers.Dropout(settings.dropout, name="dropout")(features)
