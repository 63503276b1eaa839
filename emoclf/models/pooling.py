"""Pooling over the positions of a text that ignores padding."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from emoclf.models.convolution import zero_padding
from emoclf.models.tensors import Tensor

LOWEST_VALUE = -3.0e38


class _Pooling(keras.layers.Layer):
    """Base of layers that take a mask and return one row for each text.

    Input: ``features`` of float, shape (batch, length, channels), and ``mask`` of bool,
    shape (batch, length). Output: shape (batch, ``values_per_channel`` * channels).
    """

    values_per_channel = 1

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Keras warns about an input that has a mask unless the layer supports masks.
        self.supports_masking = True

    def compute_mask(self, *inputs: Any, **kwargs: Any) -> None:
        return None

    def compute_output_shape(self, features_shape: Any, mask_shape: Any = None) -> Any:
        return (features_shape[0], features_shape[2] * self.values_per_channel)


@keras.saving.register_keras_serializable(package="emoclf")
class MaskedGlobalMaxPooling(_Pooling):
    """Take the largest value of each channel over the real positions of a text.

    Keras' own ``GlobalMaxPooling1D`` takes no mask, so a padded position, where the
    output of a convolution is its bias, could be the largest.

    Input: ``features`` of float, shape (batch, length, channels), and ``mask`` of bool,
    shape (batch, length). Output: shape (batch, channels); zero for a text without any
    token.
    """

    def call(self, features: Tensor, mask: Tensor) -> Tensor:
        pooled = ops.max(_lowest_padding(features, mask), axis=1)
        has_tokens = ops.any(ops.expand_dims(mask, -1), axis=1)
        return ops.where(has_tokens, pooled, ops.zeros_like(pooled))


@keras.saving.register_keras_serializable(package="emoclf")
class MaskedGlobalAveragePooling(_Pooling):
    """Average each channel over the real positions of a text.

    Shapes as for :class:`MaskedGlobalMaxPooling`.
    """

    def call(self, features: Tensor, mask: Tensor) -> Tensor:
        keep = ops.cast(ops.expand_dims(mask, -1), features.dtype)
        count = ops.maximum(ops.sum(keep, axis=1), 1.0)
        return ops.sum(features * keep, axis=1) / count


#: Layers that reduce a text to one value for each channel.
GLOBAL_POOLINGS = {"max": MaskedGlobalMaxPooling, "average": MaskedGlobalAveragePooling}


@keras.saving.register_keras_serializable(package="emoclf")
class MaskedKMaxPooling(_Pooling):
    """Take the k largest values of each channel, in the order of their positions.

    Kalchbrenner, Grefenstette and Blunsom (2014), section 3.2.

    Parameters
    ----------
    k : int >= 1

    Input as for :class:`MaskedGlobalMaxPooling`; output of shape (batch, k * channels),
    filled up with zeros if a text has fewer than k positions.
    """

    def __init__(self, k: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.k = self.values_per_channel = k

    def call(self, features: Tensor, mask: Tensor) -> Tensor:
        lowered = _lowest_padding(features, mask)
        # At least k positions, also in a batch of short texts.
        spare = [[0, 0], [0, self.k - 1], [0, 0]]
        lowered = ops.pad(lowered, spare, constant_values=LOWEST_VALUE)
        by_channel = ops.transpose(lowered, (0, 2, 1))
        _, positions = ops.top_k(by_channel, self.k)
        largest = ops.take_along_axis(by_channel, ops.sort(positions, axis=-1), axis=-1)
        largest = ops.where(largest > LOWEST_VALUE, largest, ops.zeros_like(largest))
        return ops.reshape(largest, (-1, features.shape[2] * self.k))


@keras.saving.register_keras_serializable(package="emoclf")
class MaskedMaxPooling(_Pooling):
    """Take the largest value of each channel in windows along a text.

    Windows are counted from the first token, so that they do not move when a batch is
    padded further.

    Parameters
    ----------
    size : int >= 1
        Positions in a window.
    stride : int >= 1
        Positions from one window to the next.

    Input as for :class:`MaskedGlobalMaxPooling`. Output: ``pooled``, shape (batch,
    ceil(length / stride), channels), zero in windows without a token; and ``mask`` of
    bool, shape (batch, ceil(length / stride)).
    """

    def __init__(self, size: int, stride: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.stride = stride

    def call(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        spare = [[0, 0], [0, self.size - 1], [0, 0]]
        lowered = _lowest_padding(features, mask)
        lowered = ops.pad(lowered, spare, constant_values=LOWEST_VALUE)
        tokens = ops.cast(ops.expand_dims(mask, -1), features.dtype)
        pooled = ops.max_pool(lowered, self.size, self.stride, padding="valid")
        tokens = ops.max_pool(
            ops.pad(tokens, spare), self.size, self.stride, padding="valid"
        )
        has_token = tokens > 0
        return ops.where(has_token, pooled, ops.zeros_like(pooled)), has_token[:, :, 0]

    def compute_output_shape(self, features_shape: Any, mask_shape: Any = None) -> Any:
        batch, length, channels = features_shape
        windows = None if length is None else -(-length // self.stride)
        return (batch, windows, channels), (batch, windows)


@keras.saving.register_keras_serializable(package="emoclf")
class FirstPositions(_Pooling):
    """Concatenate the first positions of a text, filled up with zeros.

    Parameters
    ----------
    n_positions : int >= 1

    Input as for :class:`MaskedGlobalMaxPooling`; output of shape (batch, n_positions *
    channels).
    """

    def __init__(self, n_positions: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_positions = self.values_per_channel = n_positions

    def call(self, features: Tensor, mask: Tensor) -> Tensor:
        spare = [[0, 0], [0, self.n_positions], [0, 0]]
        first = ops.pad(zero_padding(features, mask), spare)[:, : self.n_positions]
        return ops.reshape(first, (-1, self.n_positions * features.shape[2]))


def _lowest_padding(features: Tensor, mask: Tensor) -> Tensor:
    """Return features in which padding is lower than anything else."""
    lowest = ops.cast(LOWEST_VALUE, features.dtype)
    return ops.where(ops.expand_dims(mask, -1), features, lowest)
