"""Residual CNN: blocks of two convolutions with a shortcut around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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

    def build(self, token_ids: Tensor | None, embedded: Tensor, mask: Tensor) -> Tensor:
        """Build the features of a residual CNN on embedded tokens.

        Parameters
        ----------
        token_ids : Tensor of int32, shape (batch, length), or None
        embedded : Tensor, shape (batch, length, dim)
        mask : Tensor of bool, shape (batch, length)

        Returns
        -------
        features : Tensor, shape (batch, filters * 2 ** (len(stages) - 1))
        """
        # Keras is imported here, so that settings are cheap to import.
        from keras import layers

        from emoclf.models.pooling import GLOBAL_POOLINGS

        x = layers.Dropout(self.input_dropout, name="input_dropout")(embedded)
        x, mask = self._convolve(x, mask, self.filters, name="stem")
        x = self._activate(x, mask, name="stem")
        for stage, blocks in enumerate(self.stages):
            for block in range(blocks):
                stride = 2 if stage and not block else 1
                name = f"stage_{stage + 1}_block_{block + 1}"
                x, mask = self._block(x, mask, self.filters * 2**stage, stride, name)
        pool = GLOBAL_POOLINGS[self.pooling](name=self.pooling)
        return layers.Dropout(self.dropout, name="dropout")(pool(x, mask))

    def _block(
        self, x: Tensor, mask: Tensor, filters: int, stride: int, name: str
    ) -> tuple[Tensor, Tensor]:
        """Return the activated sum of two convolutions and the shortcut around them."""
        from keras import ops

        from emoclf.models.convolution import convolve, zero_padding

        inner, inner_mask = self._convolve(x, mask, filters, stride, name=f"{name}_1")
        inner = self._activate(inner, inner_mask, name=f"{name}_1")
        inner, inner_mask = self._convolve(inner, inner_mask, filters, name=f"{name}_2")
        new_filters = filters - x.shape[2]
        if not new_filters and stride == 1:
            shortcut = x
        elif self.shortcut == "identity":
            padding = [[0, 0], [0, 0], [0, new_filters]]
            shortcut = ops.pad(x[:, ::stride], padding)
        else:
            options = self._layer_names(f"{name}_projection", f"{name}_projection")
            x, mask = convolve(x, mask, filters, 1, stride=stride, **options)
            shortcut = zero_padding(x, mask)
        total = zero_padding(inner, inner_mask) + shortcut
        return self._activate(total, inner_mask, name=name), inner_mask

    def _convolve(
        self, x: Tensor, mask: Tensor, filters: int, stride: int = 1, *, name: str
    ) -> tuple[Tensor, Tensor]:
        from emoclf.models.convolution import convolve

        options = self._layer_names(f"{name}_conv", name)
        return convolve(x, mask, filters, self.kernel_size, stride=stride, **options)

    def _layer_names(self, convolution: str, norm: str) -> dict[str, Any]:
        """Return the names of a convolution's layers, as ``convolve`` takes them."""
        norm_name = f"{norm}_norm" if self.batch_norm else None
        return {"name": convolution, "norm_name": norm_name}

    def _activate(self, x: Tensor, mask: Tensor, *, name: str) -> Tensor:
        """Activate, and set padding to zero for the next convolution."""
        from keras import layers

        from emoclf.models.convolution import zero_padding

        layer = layers.Activation(self.activation, name=f"{name}_{self.activation}")
        return zero_padding(layer(x), mask)
