"""TextCNN: parallel convolutions over word vectors, each max-pooled over the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emoclf.errors import SettingsError
from emoclf.settings.base import Settings, option


@dataclass(frozen=True, kw_only=True)
class TextCNNSettings(Settings):
    """Settings of a TextCNN.

    The defaults are those of Kim (2014), "Convolutional Neural Networks for Sentence
    Classification"; Zhang and Wallace (2015) advise to find the best single kernel
    size first, and then to combine sizes near it.
    """

    kernel_sizes: tuple[int, ...] = option(
        (3, 4, 5), "lengths of the n-grams that filters look at", low=1, high=30
    )
    filters: int = option(100, "filters for each kernel size", low=1, high=4096)
    dropout: float = option(0.5, "dropout before the head", low=0.0, high=0.95)
    max_norm: float | None = option(
        3.0, "bound of the l2 norm of each class's weights in the head", above=0.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = self.kernel_sizes
        if not sizes or len(set(sizes)) < len(sizes):
            raise SettingsError(
                "The setting 'kernel_sizes' of TextCNNSettings must be one or more "
                f"different sizes. Got {sizes!r} instead."
            )


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
    features : KerasTensor, shape (batch, len(kernel_sizes) * filters)
    """
    # Keras loads here, so that reading settings stays cheap.
    from keras import layers

    from emoclf.models.pooling import MaskedGlobalMaxPooling

    pooled = []
    for size in settings.kernel_sizes:
        # "same" padding: a text shorter than the kernel still has a window.
        ngrams = layers.Conv1D(
            settings.filters, size, padding="same", name=f"conv_{size}"
        )(embedded)
        pooled.append(MaskedGlobalMaxPooling(name=f"max_{size}")(ngrams, mask))
    features = (
        layers.Concatenate(name="ngrams")(pooled) if len(pooled) > 1 else pooled[0]
    )
    # ReLU is monotone: after the maximum it gives what it would give before, and works
    # on one number instead of one for each position.
    features = layers.Activation("relu", name="relu")(features)
    return layers.Dropout(settings.dropout, name="dropout")(features)
