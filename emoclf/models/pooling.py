"""Pooling over the positions of a text, blind to padding."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

LOWEST = -3.0e38


class _Pooling(keras.layers.Layer):
    """A layer that is told where padding stands, and whose own output has none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # A mask that hangs on the input is the one that is given; it ends here.
        self.supports_masking = True

    def compute_mask(self, *inputs: Any, **kwargs: Any) -> None:
        return None


@keras.saving.register_keras_serializable(package="emoclf")
class MaskedGlobalMaxPooling(_Pooling):
    """Take the largest value of each channel over the real positions of a text.

    Keras' own ``GlobalMaxPooling1D`` takes no mask, so that a padded position, where a
    convolution still answers with its bias, could win.

    Input: ``features`` of float, shape (batch, length, channels), and ``mask`` of bool,
    shape (batch, length). Output: shape (batch, channels); zero for a text without any
    token.
    """

    def call(self, features: Any, mask: Any) -> Any:
        keep = ops.expand_dims(mask, -1)
        pooled = ops.max(_lowered(features, keep), axis=1)
        return ops.where(ops.any(keep, axis=1), pooled, ops.zeros_like(pooled))

    def compute_output_shape(self, features_shape: Any, mask_shape: Any = None) -> Any:
        return (features_shape[0], features_shape[2])


@keras.saving.register_keras_serializable(package="emoclf")
class MaskedGlobalAveragePooling(_Pooling):
    """Average each channel over the real positions of a text.

    Shapes as for :class:`MaskedGlobalMaxPooling`.
    """

    def call(self, features: Any, mask: Any) -> Any:
        keep = ops.cast(ops.expand_dims(mask, -1), features.dtype)
        count = ops.maximum(ops.sum(keep, axis=1), 1.0)
        return ops.sum(features * keep, axis=1) / count

    def compute_output_shape(self, features_shape: Any, mask_shape: Any = None) -> Any:
        return (features_shape[0], features_shape[2])


@keras.saving.register_keras_serializable(package="emoclf")
class MaskedKMaxPooling(_Pooling):
    """Take the k largest values of each channel, in the order in which they stand.

    Kalchbrenner, Grefenstette and Blunsom (2014), section 3.2.

    Parameters
    ----------
    k : int >= 1

    Input as for :class:`MaskedGlobalMaxPooling`; output of shape (batch, k * channels).
    Where a text has fewer positions, zeros follow.
    """

    def __init__(self, k: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.k = k

    def call(self, features: Any, mask: Any) -> Any:
        lowered = _lowered(features, ops.expand_dims(mask, -1))
        # So many positions that there are k of them even in a batch of short texts.
        spare = [[0, 0], [0, self.k - 1], [0, 0]]
        lowered = ops.pad(lowered, spare, constant_values=LOWEST)
        by_channel = ops.transpose(lowered, (0, 2, 1))
        _, places = ops.top_k(by_channel, self.k)
        found = ops.take_along_axis(by_channel, ops.sort(places, axis=-1), axis=-1)
        found = ops.where(found > LOWEST, found, ops.zeros_like(found))
        return ops.reshape(found, (-1, features.shape[2] * self.k))

    def compute_output_shape(self, features_shape: Any, mask_shape: Any = None) -> Any:
        return (features_shape[0], features_shape[2] * self.k)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "k": self.k}


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
        From one window to the next.

    Input as for :class:`MaskedGlobalMaxPooling`. Output: ``pooled``, shape (batch,
    ceil(length / stride), channels), zero in windows that hold no token; and ``mask``
    of bool, shape (batch, ceil(length / stride)).
    """

    def __init__(self, size: int, stride: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.stride = stride

    def call(self, features: Any, mask: Any) -> tuple[Any, Any]:
        keep = ops.expand_dims(mask, -1)
        rest = [[0, 0], [0, self.size - 1], [0, 0]]
        lowered = ops.pad(_lowered(features, keep), rest, constant_values=LOWEST)
        there = ops.pad(ops.cast(keep, features.dtype), rest)
        pooled = ops.max_pool(lowered, self.size, self.stride, padding="valid")
        kept = ops.max_pool(there, self.size, self.stride, padding="valid") > 0
        return ops.where(kept, pooled, ops.zeros_like(pooled)), kept[:, :, 0]

    def compute_output_shape(self, features_shape: Any, mask_shape: Any = None) -> Any:
        batch, length, channels = features_shape
        windows = None if length is None else -(-length // self.stride)
        return (batch, windows, channels), (batch, windows)

    def get_config(self) -> dict[str, Any]:
        own = {"size": self.size, "stride": self.stride}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="emoclf")
class FirstPositions(_Pooling):
    """Lay the first positions of a text side by side; zeros follow a shorter one.

    Parameters
    ----------
    n_positions : int >= 1

    Input as for :class:`MaskedGlobalMaxPooling`; output of shape (batch, n_positions *
    channels).
    """

    def __init__(self, n_positions: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_positions = n_positions

    def call(self, features: Any, mask: Any) -> Any:
        kept = features * ops.cast(ops.expand_dims(mask, -1), features.dtype)
        kept = ops.pad(kept, [[0, 0], [0, self.n_positions], [0, 0]])
        kept = kept[:, : self.n_positions]
        return ops.reshape(kept, (-1, self.n_positions * features.shape[2]))

    def compute_output_shape(self, features_shape: Any, mask_shape: Any = None) -> Any:
        return (features_shape[0], self.n_positions * features_shape[2])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n_positions": self.n_positions}


def _lowered(features: Any, keep: Any) -> Any:
    """Return features in which padding is lower than anything else."""
    return ops.where(keep, features, ops.cast(LOWEST, features.dtype))
