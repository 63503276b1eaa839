"""Convolution and normalization along a text, independent of its padding."""

from __future__ import annotations

from keras import layers, ops

from emoclf.models.tensors import Tensor


def convolve(
    features: Tensor,
    mask: Tensor,
    filters: int,
    size: int,
    *,
    padding: str = "same",
    stride: int = 1,
    name: str,
    norm_name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Slide filters along a text.

    Parameters
    ----------
    features : Tensor, shape (batch, length, channels)
        Zero where ``mask`` is False.
    mask : Tensor of bool, shape (batch, length)
    filters, size, stride : int >= 1
    padding : {"same", "valid"}
        "same" has a window around each position; "valid" only whole windows, and one
        for a text that is shorter than the kernel.
    name : str
        Name of the convolution layer.
    norm_name : str, optional
        Name of a batch normalization after the convolution, which then has no bias of
        its own. None: no normalization.

    Returns
    -------
    features : Tensor, shape (batch, ceil(length / stride), filters)
        Arbitrary values where ``mask`` is False.
    mask : Tensor of bool, shape (batch, ceil(length / stride))
    """
    plain = padding == "same" and stride == 1
    if not plain:
        # Keras pads a strided convolution by the parity of the padded length, so the
        # probabilities of a text would depend on the other texts of its batch. Padding
        # here, from the left, does not.
        left = (size - 1) // 2 if padding == "same" else 0
        features = ops.pad(features, [[0, 0], [left, size - 1 - left], [0, 0]])
    features = layers.Conv1D(
        filters,
        size,
        strides=stride,
        padding="same" if plain else "valid",
        use_bias=norm_name is None,
        name=name,
    )(features)
    if padding == "valid" and size > 1:
        # The windows that end within the text, and always the first one.
        tokens = ops.cast(mask, "int32")
        whole = ops.pad(tokens, [[0, 0], [0, size - 1]])[:, size - 1 :]
        first = ops.logical_and(mask, ops.equal(ops.cumsum(tokens, axis=1), 1))
        mask = ops.logical_or(ops.cast(whole, "bool"), first)
    if stride > 1:
        mask = mask[:, ::stride]
    if norm_name is not None:
        # Ioffe and Szegedy (2015), over the real positions of a batch: Keras weights
        # the statistics by a mask of the same rank. With a momentum of 0.9 the running
        # statistics converge within about twenty steps; small sets have few of them.
        normalize = layers.BatchNormalization(momentum=0.9, name=norm_name)
        features = normalize(features, mask=mask)
    return features, mask


def zero_padding(features: Tensor, mask: Tensor) -> Tensor:
    """Set padded positions to zero."""
    return features * ops.cast(ops.expand_dims(mask, -1), features.dtype)
