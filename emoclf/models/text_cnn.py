"""TextCNN: parallel convolutions over word vectors, each pooled over the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from emoclf.models.layer_choices import ACTIVATIONS, check_kernel_sizes
from emoclf.settings.base import Settings, option

if TYPE_CHECKING:
    from emoclf.models.tensors import Tensor

POOLINGS = ("max", "average", "k-max", "local-flat", "local-average")
PADDINGS = ("same", "valid")


@dataclass(frozen=True, kw_only=True)
class TextCNNSettings(Settings):
    """Settings of a TextCNN.

    After Kim (2014), "Convolutional Neural Networks for Sentence Classification", but
    with kernels of 1 to 3 tokens in place of 3 to 5, which are half the size and were
    not worse where they were compared (``tests/benchmarks/README.md``). Zhang and
    Wallace (2015) advise to find the best single kernel size first, and then to combine
    sizes near it. Pooling: global maximum or average; the k largest values in their
    order (Kalchbrenner et al., 2014); or the maxima of windows along the text,
    concatenated in their order or averaged.

    With ``ngrams`` the network is fitted alone, and mixed with a linear classifier
    afterwards: curves, the best epoch and the doctor's findings are the network's.
    """

    kernel_sizes: tuple[int, ...] = option(
        (1, 2, 3), "widths of the filters, in tokens", low=1, high=30
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
    pool_size: int = option(
        5, "width of the windows with local pooling", low=1, high=4096
    )
    pool_stride: int = option(
        5, "stride of the windows with local pooling", low=1, high=4096
    )
    windows: int = option(
        16, "number of leading windows with local-flat pooling", low=1, high=512
    )
    padding: str = option(
        "same",
        "padding of the convolutions; valid: whole windows only",
        choices=PADDINGS,
    )
    stride: int = option(1, "stride of the filters, in tokens", low=1, high=4096)
    batch_norm: bool = option(False, "batch normalization of the filters' outputs")
    hidden: int | None = option(
        None,
        "units of a hidden layer before the head (default: no hidden layer)",
        low=1,
        high=65536,
    )
    dropout: float = option(0.5, "dropout rate before the head", low=0.0, high=0.95)
    max_norm: float | None = option(
        3.0,
        "largest L2 norm of each class's weights in the head; none: no limit",
        above=0.0,
    )
    ngrams: bool | None = option(
        None,
        "mix the network with a linear classifier of words and word pairs (default: "
        "yes for fewer than 10000 training texts)",
    )

    #: Share of the linear classifier in the logits.
    ngram_share: ClassVar[float] = 0.4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_kernel_sizes(self, self.kernel_sizes)

    def build(self, token_ids: Tensor | None, embedded: Tensor, mask: Tensor) -> Tensor:
        """Build the features of a TextCNN on embedded tokens.

        Parameters
        ----------
        token_ids : Tensor of int32, shape (batch, length), or None
        embedded : Tensor, shape (batch, length, dim)
        mask : Tensor of bool, shape (batch, length)

        Returns
        -------
        features : Tensor, shape (batch, width)
            The width is ``len(kernel_sizes) * filters`` (times ``k`` or ``windows`` if
            a filter keeps so many values), or that of the hidden layer.
        """
        # Keras is imported here, so that settings are cheap to import.
        from keras import layers

        from emoclf.models.convolution import convolve

        # The maximum of a monotone activation is the activation of the maximum:
        # activating after the pooling gives the same and works on one number for each
        # filter. This does not hold for averages; nor for zeros in place of windows
        # after the end of a text, which must not become sigmoid(0).
        activate_first = self.pooling != "max"
        branches = []
        for size in self.kernel_sizes:
            ngrams, ngram_mask = convolve(
                embedded,
                mask,
                self.filters,
                size,
                padding=self.padding,
                stride=self.stride,
                name=f"conv_{size}",
                norm_name=f"norm_{size}" if self.batch_norm else None,
            )
            if activate_first:
                name = f"{self.activation}_{size}"
                ngrams = layers.Activation(self.activation, name=name)(ngrams)
            branches.append(self._pool(ngrams, ngram_mask, size))
        features = branches[0]
        if len(branches) > 1:
            features = layers.Concatenate(name="ngrams")(branches)
        if not activate_first:
            activation = layers.Activation(self.activation, name=self.activation)
            features = activation(features)
        if self.hidden:
            features = layers.Dropout(self.dropout, name="dropout_ngrams")(features)
            features = layers.Dense(
                self.hidden, activation=self.activation, name="hidden"
            )(features)
        return layers.Dropout(self.dropout, name="dropout")(features)

    def _pool(self, ngrams: Tensor, mask: Tensor, size: int) -> Tensor:
        """Pool the outputs of one kernel size over the text."""
        from emoclf.models import pooling

        kind = self.pooling
        if kind == "k-max":
            return pooling.MaskedKMaxPooling(self.k, name=f"kmax_{size}")(ngrams, mask)
        if kind.startswith("local"):
            local = pooling.MaskedMaxPooling(
                self.pool_size, self.pool_stride, name=f"local_{size}"
            )
            ngrams, mask = local(ngrams, mask)
            kind = kind.removeprefix("local-")
        if kind == "flat":
            first = pooling.FirstPositions(self.windows, name=f"flat_{size}")
            return first(ngrams, mask)
        return pooling.GLOBAL_POOLINGS[kind](name=f"{kind}_{size}")(ngrams, mask)
