"""TextCNN: parallel convolutions over word vectors, each max-pooled over the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emoclf.models.layer_choices import ACTIVATIONS, check_kernel_sizes
from emoclf.settings.base import Settings, option

POOLINGS = ("max", "average", "k-max", "local-flat", "local-average")
PADDINGS = ("same", "valid")


@dataclass(frozen=True, kw_only=True)
class TextCNNSettings(Settings):
    """Settings of a TextCNN.

    The defaults are those of Kim (2014), "Convolutional Neural Networks for Sentence
    Classification"; Zhang and Wallace (2015) advise to find the best single kernel
    size first, and then to combine sizes near it. Pooling: global maximum or average;
    the k largest values in their order (Kalchbrenner et al., 2014); or the maxima of
    windows along the text, laid side by side in their order or averaged.
    """

    kernel_sizes: tuple[int, ...] = option(
        (3, 4, 5), "widths of the filters, in tokens", low=1, high=30
    )
    filters: int = option(100, "filters per kernel size", low=1, high=4096)
    activation: str = option(
        "relu",
        "activation function of the filters and the hidden layer",
        choices=ACTIVATIONS,
    )
    pooling: str = option(
        "max", "pooling of each filter's outputs over the text", choices=POOLINGS
    )
    k: int = option(3, "values per filter with k-max pooling", low=1, high=64)
    pool_size: int = option(5, "width of the windows with local pooling", low=1)
    pool_stride: int = option(5, "stride of the windows with local pooling", low=1)
    windows: int = option(
        16, "number of leading windows with local-flat pooling", low=1, high=512
    )
    padding: str = option(
        "same",
        "padding of the convolutions; valid: whole windows only",
        choices=PADDINGS,
    )
    stride: int = option(1, "stride of the filters, in tokens", low=1)
    batch_norm: bool = option(False, "batch normalization of the filters' outputs")
    hidden: int | None = option(
        None,
        "units of a hidden layer before the head (default: no hidden layer)",
        low=1,
    )
    dropout: float = option(0.5, "dropout rate before the head", low=0.0, high=0.95)
    max_norm: float | None = option(
        3.0,
        "largest L2 norm of each class's weights in the head; none: no limit",
        above=0.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_kernel_sizes(self)


def build_text_cnn(token_ids: Any, embedded: Any, mask: Any, settings: Any) -> Any:
    """Build the features of a TextCNN on embedded tokens.

    Parameters
    ----------
    token_ids : KerasTensor of int32, shape (batch, length)
    embedded : KerasTensor, shape (batch, length, dim)
    mask : KerasTensor of bool, shape (batch, length)
    settings : TextCNNSettings

    Returns
    -------
    features : KerasTensor, shape (batch, width)
        The width is ``len(kernel_sizes) * filters`` (times ``k`` or ``windows`` where
        so many values of a filter are kept), or that of the hidden layer.
    """
    # Keras loads here, so that reading settings stays cheap.
    from keras import layers

    from emoclf.models.convolution import convolve, normalize

    pooled = []
    for size in settings.kernel_sizes:
        ngrams, there = convolve(
            embedded,
            mask,
            settings.filters,
            size,
            padding=settings.padding,
            stride=settings.stride,
            # Batch normalisation has a bias of its own.
            use_bias=not settings.batch_norm,
            name=f"conv_{size}",
        )
        if settings.batch_norm:
            ngrams = normalize(ngrams, there, name=f"norm_{size}")
        if settings.pooling in _AFTER_ACTIVATION:
            name = f"{settings.activation}_{size}"
            ngrams = layers.Activation(settings.activation, name=name)(ngrams)
        pooled.append(_pooled(ngrams, there, settings, size))
    features = (
        layers.Concatenate(name="ngrams")(pooled) if len(pooled) > 1 else pooled[0]
    )
    if settings.pooling not in _AFTER_ACTIVATION:
        # Activations are monotone: after the maximum they give what they would give
        # before, and work on one number instead of one for each position.
        features = layers.Activation(settings.activation, name=settings.activation)(
            features
        )
    if settings.hidden:
        features = layers.Dropout(settings.dropout, name="dropout_ngrams")(features)
        features = layers.Dense(
            settings.hidden, activation=settings.activation, name="hidden"
        )(features)
    return layers.Dropout(settings.dropout, name="dropout")(features)


# An average of activations is not the activation of an average; and zeros that stand
# for windows after the end must not become sigmoid(0).
_AFTER_ACTIVATION = ("average", "k-max", "local-flat", "local-average")


def _pooled(ngrams: Any, mask: Any, settings: Any, size: int) -> Any:
    """Pool one kernel size's answers over the text."""
    from emoclf.models import pooling

    kind = settings.pooling
    if kind == "max":
        return pooling.MaskedGlobalMaxPooling(name=f"max_{size}")(ngrams, mask)
    if kind == "average":
        return pooling.MaskedGlobalAveragePooling(name=f"average_{size}")(ngrams, mask)
    if kind == "k-max":
        return pooling.MaskedKMaxPooling(settings.k, name=f"kmax_{size}")(ngrams, mask)
    local = pooling.MaskedMaxPooling(
        settings.pool_size, settings.pool_stride, name=f"local_{size}"
    )
    windows, there = local(ngrams, mask)
    if kind == "local-flat":
        first = pooling.FirstPositions(settings.windows, name=f"flat_{size}")
        return first(windows, there)
    average = pooling.MaskedGlobalAveragePooling(name=f"average_{size}")
    return average(windows, there)
