"""A convolution along a text whose answers do not depend on how far it was padded."""

from __future__ import annotations

from typing import Any

from keras import layers, ops


def convolve(
    features: Any,
    mask: Any,
    filters: int,
    size: int,
    *,
    padding: str = "same",
    stride: int = 1,
    use_bias: bool = True,
    name: str,
) -> tuple[Any, Any]:
    """Slide filters along a text.

    Parameters
    ----------
    features : KerasTensor, shape (batch, length, channels)
        Zero where ``mask`` is False.
    mask : KerasTensor of bool, shape (batch, length)
    filters, size, stride : int >= 1
    padding : {"same", "valid"}
        "same" has a window around each position; "valid" only whole windows, and one
        for a text that is shorter than the kernel.
    use_bias : bool, default=True
    name : str

    Returns
    -------
    features : KerasTensor, shape (batch, ceil(length / stride), filters)
        Anything may stand where ``mask`` is False.
    mask : KerasTensor of bool, shape (batch, ceil(length / stride))
    """
    if padding == "same" and stride == 1:
        layer = layers.Conv1D(
            filters, size, padding="same", use_bias=use_bias, name=name
        )
        return layer(features), mask
    # Keras pads a strided convolution by the parity of the padded length, so that a
    # text's answer would change with the texts beside it: pad here, from the left.
    left = (size - 1) // 2 if padding == "same" else 0
    padded = ops.pad(features, [[0, 0], [left, size - 1 - left], [0, 0]])
    layer = layers.Conv1D(
        filters, size, strides=stride, padding="valid", use_bias=use_bias, name=name
    )
    if padding == "valid" and size > 1:
        # The windows that end within the text, and the first in any case.
        there = ops.cast(mask, "int32")
        whole = ops.pad(there, [[0, 0], [0, size - 1]])[:, size - 1 :]
        first = ops.logical_and(mask, ops.equal(ops.cumsum(there, axis=1), 1))
        mask = ops.logical_or(ops.cast(whole, "bool"), first)
    return layer(padded), mask[:, ::stride]


def keep_real(features: Any, mask: Any) -> Any:
    """Set padded positions to zero."""
    return features * ops.cast(ops.expand_dims(mask, -1), features.dtype)


def normalize(features: Any, mask: Any, *, name: str) -> Any:
    """Normalise each channel over the real positions of a batch.

    Ioffe and Szegedy (2015). The running statistics close in within about twenty steps,
    since small sets have few of them.
    """
    # Keras weighs the statistics by a mask that has the rank of the features.
    layer = layers.BatchNormalization(momentum=0.9, name=name)
    return layer(features, mask=mask)
