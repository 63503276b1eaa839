"""The one embedding of a network, and the mask that everything after it sees."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

STATIC = "embedding_static"
TRAINED = "embedding"


@keras.saving.register_keras_serializable(package="emoclf")
class RowEmbedding(layers.Embedding):
    """Keras' embedding, reading rows where its own reads the matrix first.

    As soon as an optimizer moves single rows, TensorFlow answers each read of the
    matrix with a copy of it: 26 MB in every step for 22,000 words of 300 dimensions, a
    seventh of the step's time.
    """

    def call(self, inputs: Any) -> Any:
        """Return the vectors, shape (batch, length, dim), of ids (batch, length)."""
        return tf.gather(self.embeddings.value, inputs)


def embed_tokens(
    token_ids: Any,
    *,
    mode: str,
    size: int,
    dim: int,
    matrix: np.ndarray | None = None,
) -> tuple[Any, Any]:
    """Look up the vectors of a text's tokens; padding stays zero.

    Parameters
    ----------
    token_ids : KerasTensor of int32, shape (batch, length)
        0 is padding.
    mode : {"random", "static", "non-static", "two-channel"}
        As in Kim (2014): the vectors are drawn and trained, given and kept, given and
        trained, or both kept and trained side by side.
    size, dim : int
        Rows and columns of the embedding matrix.
    matrix : ndarray of float32, shape (size, dim), optional
        Initial rows; zeros when the weights are loaded afterwards.

    Returns
    -------
    embedded : KerasTensor, shape (batch, length, dim), or 2 * dim for two channels
    mask : KerasTensor of bool, shape (batch, length)
        True where a token stands.
    """
    if matrix is None:
        matrix = np.zeros((size, dim), np.float32)
    names = {"static": [STATIC], "two-channel": [STATIC, TRAINED]}.get(mode, [TRAINED])
    channels = [
        RowEmbedding(
            size,
            dim,
            embeddings_initializer=keras.initializers.Constant(matrix),
            trainable=name != STATIC,
            name=name,
        )(token_ids)
        for name in names
    ]
    embedded = channels[0]
    if len(channels) == 2:
        embedded = layers.Concatenate(name="channels")(channels)
    mask = ops.not_equal(token_ids, 0)
    # Row 0 is zero and, multiplied by zero here, never receives a gradient.
    keep = ops.cast(ops.expand_dims(mask, -1), embedded.dtype)
    return embedded * keep, mask


def embedding_shape(model: keras.Model) -> tuple[int, int]:
    """Return (vocabulary, dim) of a network that :func:`embed_tokens` begins."""
    layer = next(x for x in model.layers if x.name in (STATIC, TRAINED))
    return tuple(layer.embeddings.shape)
