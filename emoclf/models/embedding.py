"""Embedding of token ids, and the mask of padding for all later layers."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from emoclf.models.convolution import zero_padding
from emoclf.models.tensors import Tensor

STATIC = "embedding_static"
TRAINED = "embedding"


@keras.saving.register_keras_serializable(package="emoclf")
class RowEmbedding(layers.Embedding):
    """Keras' embedding, but reading single rows instead of the whole matrix.

    Once an optimizer has updated single rows, TensorFlow copies the matrix whenever it
    is read as a whole: 26 MB in every step for 22,000 words of 300 dimensions, a
    seventh of the step's time.
    """

    def call(self, inputs: Tensor) -> Tensor:
        """Return the vectors, shape (batch, length, dim), of ids (batch, length)."""
        return tf.gather(self.embeddings.value, inputs)


def embed_tokens(
    token_ids: Tensor,
    *,
    mode: str,
    shape: tuple[int, int],
    matrix: np.ndarray | None = None,
) -> tuple[Tensor, Tensor]:
    """Look up the vectors of the tokens of a text; padding stays zero.

    Parameters
    ----------
    token_ids : Tensor of int32, shape (batch, length)
        0 is padding.
    mode : {"random", "static", "non-static", "two-channel"}
        As in Kim (2014): random vectors, trained; given vectors, frozen; given vectors,
        trained; or given vectors twice, frozen and trained.
    shape : tuple of int
        Rows and columns of the embedding matrix.
    matrix : ndarray of float32, optional
        Initial rows. None: zeros, for weights that are loaded afterwards.

    Returns
    -------
    embedded : Tensor, shape (batch, length, dim), or 2 * dim for two channels
    mask : Tensor of bool, shape (batch, length)
        True where there is a token.
    """
    names = {"static": [STATIC], "two-channel": [STATIC, TRAINED]}.get(mode, [TRAINED])
    channels = []
    for name in names:
        layer = RowEmbedding(
            *shape,
            embeddings_initializer="zeros",
            trainable=name != STATIC,
            name=name,
        )
        channels.append(layer(token_ids))
        if matrix is not None:
            # Not as an initializer: the configuration would contain it as text.
            layer.embeddings.assign(matrix)
    embedded = channels[0]
    if len(channels) == 2:
        embedded = layers.Concatenate(name="channels")(channels)
    mask = ops.not_equal(token_ids, 0)
    # Row 0 is zero and, multiplied by zero here, never receives a gradient.
    return zero_padding(embedded, mask), mask


def embedding_shape(model: keras.Model) -> tuple[int, int]:
    """Return (vocabulary, dim) of a network that begins with :func:`embed_tokens`."""
    layer = next(x for x in model.layers if x.name in (STATIC, TRAINED))
    return tuple(layer.embeddings.shape)


def is_embedding(path: str) -> bool:
    """Return whether a variable's path is that of an embedding matrix."""
    return path.split("/")[0] in (STATIC, TRAINED)
