"""Residual CNN: blocks of two convolutions with a way around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emoclf.models.layer_choices import ACTIVATIONS
from emoclf.settings.base import Settings, option, wrong_value

SHORTCUTS = ("projection", "identity")
POOLINGS = ("max", "average")


@dataclass(frozen=True, kw_only=True)
class ResCNNSettings(Settings):
    """Settings of a residual CNN, after ResNet-18 (He et al., 2016) in one dimension.

    From stage to stage the positions are halved and the filters doubled. ResNet-18 has
    the stages 2, 2, 2, 2. Sentences of twenty words are short for that: one stage of
    two blocks answered ISEAR best.
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


def build_res_cnn(token_ids: Any, embedded: Any, mask: Any, settings: Any) -> Any:
    """Build the features of a residual CNN on embedded tokens.

    Parameters
    ----------
    token_ids : KerasTensor of int32, shape (batch, length)
    embedded : KerasTensor, shape (batch, length, dim)
    mask : KerasTensor of bool, shape (batch, length)
    settings : ResCNNSettings

    Returns
    -------
    features : KerasTensor, shape (batch, filters * 2 ** (len(stages) - 1))
    """
    # Keras loads here, so that reading settings stays cheap.
    from keras import layers

    from emoclf.models.pooling import MaskedGlobalAveragePooling, MaskedGlobalMaxPooling

    features = layers.Dropout(settings.input_dropout, name="input_dropout")(embedded)
    features, mask = _convolved(
        features, mask, settings, filters=settings.filters, name="stem"
    )
    features = _active(features, mask, settings, name="stem")
    for stage, blocks in enumerate(settings.stages, 1):
        filters = settings.filters * 2 ** (stage - 1)
        for block in range(1, blocks + 1):
            features, mask = _residual_block(
                features,
                mask,
                settings,
                filters=filters,
                stride=2 if stage > 1 and block == 1 else 1,
                name=f"stage_{stage}_block_{block}",
            )
    pools = {"max": MaskedGlobalMaxPooling, "average": MaskedGlobalAveragePooling}
    features = pools[settings.pooling](name=settings.pooling)(features, mask)
    return layers.Dropout(settings.dropout, name="dropout")(features)


def _residual_block(
    features: Any, mask: Any, settings: Any, *, filters: int, stride: int, name: str
) -> tuple[Any, Any]:
    """Add two convolutions to what goes around them."""
    from emoclf.models.convolution import keep_real

    inner, there = _convolved(
        features, mask, settings, filters=filters, stride=stride, name=f"{name}_1"
    )
    inner = _active(inner, there, settings, name=f"{name}_1")
    inner, there = _convolved(inner, there, settings, filters=filters, name=f"{name}_2")
    around = _shortcut(
        features, mask, settings, filters=filters, stride=stride, name=name
    )
    return _active(keep_real(inner, there) + around, there, settings, name=name), there


def _shortcut(
    features: Any, mask: Any, settings: Any, *, filters: int, stride: int, name: str
) -> Any:
    from keras import ops

    from emoclf.models.convolution import convolve, keep_real, normalize

    same = features.shape[2] == filters and stride == 1
    if same:
        return features
    if settings.shortcut == "identity":
        new = filters - features.shape[2]
        return ops.pad(features[:, ::stride], [[0, 0], [0, 0], [0, new]])
    around, there = convolve(
        features,
        mask,
        filters,
        1,
        stride=stride,
        use_bias=not settings.batch_norm,
        name=f"{name}_projection",
    )
    if settings.batch_norm:
        around = normalize(around, there, name=f"{name}_projection_norm")
    return keep_real(around, there)


def _convolved(
    features: Any, mask: Any, settings: Any, *, filters: int, stride: int = 1, name: str
) -> tuple[Any, Any]:
    from emoclf.models.convolution import convolve, normalize

    features, mask = convolve(
        features,
        mask,
        filters,
        settings.kernel_size,
        stride=stride,
        use_bias=not settings.batch_norm,
        name=f"{name}_conv",
    )
    if settings.batch_norm:
        features = normalize(features, mask, name=f"{name}_norm")
    return features, mask


def _active(features: Any, mask: Any, settings: Any, *, name: str) -> Any:
    """Activate, and set to zero what the next convolution must not see."""
    from keras import layers

    from emoclf.models.convolution import keep_real

    layer = layers.Activation(settings.activation, name=f"{name}_{settings.activation}")
    return keep_real(layer(features), mask)
