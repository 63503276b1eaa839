"""CNN-LSTM: parallel convolutions, each pooled locally and read by an LSTM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emoclf.models.layer_choices import ACTIVATIONS, CELLS, check_kernel_sizes
from emoclf.settings.base import Settings, option

if TYPE_CHECKING:
    from emoclf.models.tensors import Tensor


@dataclass(frozen=True, kw_only=True)
class CNNLSTMSettings(Settings):
    """Settings of a CNN-LSTM.

    Zhou et al. (2015), "A C-LSTM Neural Network for Text Classification", with local
    max pooling between the two, which shortens the sequences for the LSTM.
    """

    kernel_sizes: tuple[int, ...] = option(
        (2, 3, 4), "widths of the filters, in tokens", low=1, high=30
    )
    filters: int = option(100, "filters per kernel size", low=1, high=4096)
    activation: str = option(
        "relu", "activation function of the filters", choices=ACTIVATIONS
    )
    pool_size: int = option(2, "width of the max-pooling windows", low=1, high=64)
    pool_stride: int = option(2, "stride of the max-pooling windows", low=1, high=64)
    cell: str = option("lstm", "recurrent cell", choices=CELLS)
    units: int = option(64, "recurrent units per kernel size", low=1, high=4096)
    bidirectional: bool = option(False, "read texts in both directions")
    recurrent_dropout: float = option(
        0.0, "dropout rate of the recurrent state", low=0.0, high=0.95
    )
    dropout: float = option(
        0.5, "dropout rate before the head; half of it after the embedding",
        low=0.0, high=0.95,
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        check_kernel_sizes(self, self.kernel_sizes)

    def build(self, token_ids: Tensor | None, embedded: Tensor, mask: Tensor) -> Tensor:
        """Build the features of a CNN-LSTM on embedded tokens.

        Parameters
        ----------
        token_ids : Tensor of int32, shape (batch, length), or None
        embedded : Tensor, shape (batch, length, dim)
        mask : Tensor of bool, shape (batch, length)

        Returns
        -------
        features : Tensor, shape (batch, len(kernel_sizes) * units)
            Twice as wide for two directions.
        """
        # Keras is imported here, so that settings are cheap to import.
        from keras import layers

        from emoclf.models.convolution import convolve
        from emoclf.models.pooling import MaskedMaxPooling
        from emoclf.models.recurrent import recurrent_layer

        dropped = layers.Dropout(self.dropout / 2, name="input_dropout")(embedded)
        branches = []
        for size in self.kernel_sizes:
            ngrams, _ = convolve(dropped, mask, self.filters, size, name=f"conv_{size}")
            ngrams = layers.Activation(self.activation, name=f"active_{size}")(ngrams)
            pool = MaskedMaxPooling(
                self.pool_size, self.pool_stride, name=f"local_{size}"
            )
            windows, window_mask = pool(ngrams, mask)
            layer = recurrent_layer(self, name=f"{self.cell}_{size}")
            branches.append(layer(windows, mask=window_mask))
        features = branches[0]
        if len(branches) > 1:
            features = layers.Concatenate(name="branches")(branches)
        return layers.Dropout(self.dropout, name="dropout")(features)
