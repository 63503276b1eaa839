"""Pooling over the positions of a text, blind to padding."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="emoclf")
class MaskedGlobalMaxPooling(keras.layers.Layer):
    """Take the largest value of each channel over the real positions of a text.

    Keras' own ``GlobalMaxPooling1D`` takes no mask, so that a padded position, where a
    convolution still answers with its bias, could win.

    Input: ``features`` of float, shape (batch, length, channels), and ``mask`` of bool,
    shape (batch, length). Output: shape (batch, channels); zero for a text without any
    token.
    """

    def call(self, features: Any, mask: Any) -> Any:
        keep = ops.expand_dims(mask, -1)
        lowest = ops.cast(-3.0e38, features.dtype)
        pooled = ops.max(ops.where(keep, features, lowest), axis=1)
        return ops.where(ops.any(keep, axis=1), pooled, ops.zeros_like(pooled))

    def compute_output_shape(self, features_shape: Any, mask_shape: Any = None) -> Any:
        return (features_shape[0], features_shape[2])
