"""Residual CNN: blocks of two convolutions with a shortcut around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emoclf.models.layer_choices import ACTIVATIONS
from emoclf.settings.base import Settings, option, wrong_value

if TYPE_CHECKING:
    from emoclf.models.tensors import Tensor

SHORTCUTS = ("projection", "identity")
POOLINGS = ("max", "average")


@dataclass(frozen=True, kw_only=True)
class ResCNNSettings(Settings):
    """Settings of a residual CNN, after ResNet-18 (He et al., 2016) in one dimension.

    From stage to stage the positions are halved and the filters doubled. ResNet-18 has
    the stages 2, 2, 2, 2. Sentences of twenty words are short for that: one stage of
    two blocks had the best scores on ISEAR.
    """

    stages: tuple[int, ...] = option(
        (2,), "number of residual blocks in each stage", low=1, high=16
    )
    filters: int = option(
        200, "filters of the stem and the first stage", low=1, high=1024
    )
    kernel_size: int = option(3, "width of the filters, in tokens", low=1, high=30)
    activation: str = option(
        "relu", "activation function of the convolutions", choices=ACTIVATIONS
    )
    batch_norm: bool = option(True, "batch normalization after each convolution")
    shortcut: str = option(
        "projection",
        "shortcut around a block that changes the shape: a 1x1 convolution "
        "(projection), or the input padded with zeros",
        choices=SHORTCUTS,
    )
    pooling: str = option(
        "max", "pooling over the text after the last stage", choices=POOLINGS
    )
    input_dropout: float = option(
        0.5, "dropout rate between embedding and stem", low=0.0, high=0.95
    )
    dropout: float = option(0.5, "dropout rate before the head", low=0.0, high=0.95)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.stages:
            raise wrong_value(
                self, "stages", (), "one or more numbers of blocks, for instance 2,2"
            )


def build_res_cnn(
    token_ids: Tensor | None, embedded: Tensor, mask: Tensor, settings: ResCNNSettings
) -> Tensor:
    """Build the features of a residual CNN on embedded tokens.

    Parameters
    ----------
    token_ids : Tensor of int32, shape (batch, length), or None
    embedded : Tensor, shape (batch, length, dim)
    mask : Tensor of bool, shape (batch, length)
    settings : ResCNNSettings

    Returns
    -------
    features : Tensor, shape (batch, filters * 2 ** (len(stages) - 1))
    """
    # Keras is imported here, so that settings are cheap to import.
    from keras import layers

    from emoclf.models.pooling import GLOBAL_POOLINGS

    features = layers.Dropout(settings.input_dropout, name="input_dropout")(embedded)
    features, mask = _convolve(features, mask, settings, settings.filters, name="stem")
    features = _activate(features, mask, settings, name="stem")
    for stage, blocks in enumerate(settings.stages, 1):
        for block in range(1, blocks + 1):
            features, mask = _residual_block(
                features,
                mask,
                settings,
                filters=settings.filters * 2 ** (stage - 1),
                stride=2 if stage > 1 and block == 1 else 1,
                name=f"stage_{stage}_block_{block}",
            )
    pool = GLOBAL_POOLINGS[settings.pooling](name=settings.pooling)
    return layers.Dropout(settings.dropout, name="dropout")(pool(features, mask))


def _residual_block(
    features: Tensor,
    mask: Tensor,
    settings: ResCNNSettings,
    *,
    filters: int,
    stride: int,
    name: str,
) -> tuple[Tensor, Tensor]:
    """Return the activated sum of two convolutions and the shortcut around them."""
    from emoclf.models.convolution import zero_padding

    inner, inner_mask = _convolve(
        features, mask, settings, filters, stride=stride, name=f"{name}_1"
    )
    inner = _activate(inner, inner_mask, settings, name=f"{name}_1")
    inner, inner_mask = _convolve(
        inner, inner_mask, settings, filters, name=f"{name}_2"
    )
    shortcut = _shortcut(
        features, mask, settings, filters=filters, stride=stride, name=name
    )
    total = zero_padding(inner, inner_mask) + shortcut
    return _activate(total, inner_mask, settings, name=name), inner_mask


def _shortcut(
    features: Tensor,
    mask: Tensor,
    settings: ResCNNSettings,
    *,
    filters: int,
    stride: int,
    name: str,
) -> Tensor:
    from keras import ops

    from emoclf.models.convolution import convolve, zero_padding

    new_filters = filters - features.shape[2]
    if not new_filters and stride == 1:
        return features
    if settings.shortcut == "identity":
        return ops.pad(features[:, ::stride], [[0, 0], [0, 0], [0, new_filters]])
    name = f"{name}_projection"
    projected, projected_mask = convolve(
        features,
        mask,
        filters,
        1,
        stride=stride,
        name=name,
        norm_name=f"{name}_norm" if settings.batch_norm else None,
    )
    return zero_padding(projected, projected_mask)


def _convolve(
    features: Tensor,
    mask: Tensor,
    settings: ResCNNSettings,
    filters: int,
    *,
    stride: int = 1,
    name: str,
) -> tuple[Tensor, Tensor]:
    from emoclf.models.convolution import convolve

    return convolve(
        features,
        mask,
        filters,
        settings.kernel_size,
        stride=stride,
        name=f"{name}_conv",
        norm_name=f"{name}_norm" if settings.batch_norm else None,
    )


def _activate(
    features: Tensor, mask: Tensor, settings: ResCNNSettings, *, name: str
) -> Tensor:
    """Activate, and set padding to zero for the next convolution."""
    from keras import layers

    from emoclf.models.convolution import zero_padding

    layer = layers.Activation(settings.activation, name=f"{name}_{settings.activation}")
    return zero_padding(layer(features), mask)
