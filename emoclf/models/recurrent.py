"""Recurrent networks: layers of LSTM, GRU or plain RNN, in one direction or two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emoclf.models.layer_choices import CELLS
from emoclf.settings.base import Settings, option

if TYPE_CHECKING:
    from emoclf.models.cnn_lstm import CNNLSTMSettings
    from emoclf.models.tensors import Tensor

POOLINGS = ("last", "max", "average")
POOLING_HELP = "pooling of the last layer over the text; last: its last state"


@dataclass(frozen=True, kw_only=True)
class RecurrentSettings(Settings):
    """Settings that all recurrent networks share."""

    cell: str = option("lstm", "recurrent cell", choices=CELLS)
    units: int = option(128, "units per layer and direction", low=1, high=4096)
    recurrent_layers: int = option(1, "number of recurrent layers", low=1, high=3)
    bidirectional: bool = option(False, "read texts in both directions")
    pooling: str = option("max", POOLING_HELP, choices=POOLINGS)
    input_dropout: float = option(
        0.3, "dropout rate between embedding and first layer", low=0.0, high=0.95
    )
    recurrent_dropout: float = option(
        0.0, "dropout rate of the recurrent state", low=0.0, high=0.95
    )
    dropout: float = option(
        0.5, "dropout rate between layers and before the head", low=0.0, high=0.95
    )

    def build(self, token_ids: Tensor | None, embedded: Tensor, mask: Tensor) -> Tensor:
        """Build the features of a recurrent network on embedded tokens.

        Parameters
        ----------
        token_ids : Tensor of int32, shape (batch, length), or None
        embedded : Tensor, shape (batch, length, dim)
        mask : Tensor of bool, shape (batch, length)

        Returns
        -------
        features : Tensor, shape (batch, units), or 2 * units for two directions
        """
        # Keras is imported here, so that settings are cheap to import.
        from keras import layers

        from emoclf.models.pooling import GLOBAL_POOLINGS

        features = layers.Dropout(self.input_dropout, name="input_dropout")(embedded)
        for number in range(1, self.recurrent_layers + 1):
            if number > 1:
                dropout = layers.Dropout(self.dropout, name=f"dropout_{number}")
                features = dropout(features)
            layer = recurrent_layer(
                self,
                return_sequences=number < self.recurrent_layers
                or self.pooling != "last",
                name=f"{self.cell}_{number}",
            )
            features = layer(features, mask=mask)
        if self.pooling != "last":
            features = GLOBAL_POOLINGS[self.pooling](name=self.pooling)(features, mask)
        return layers.Dropout(self.dropout, name="dropout")(features)


@dataclass(frozen=True, kw_only=True)
class BiLSTMSettings(RecurrentSettings):
    """Settings of a BiLSTM.

    Graves and Schmidhuber (2005). The maximum over the text, as in Conneau et al.
    (2017), uses every position; the last state alone would have to remember them all.
    """

    bidirectional: bool = option(True, "read texts in both directions")


@dataclass(frozen=True, kw_only=True)
class StackedLSTMSettings(RecurrentSettings):
    """Settings of stacked LSTM layers (Graves, Mohamed and Hinton, 2013)."""

    recurrent_layers: int = option(2, "number of recurrent layers", low=1, high=3)


@dataclass(frozen=True, kw_only=True)
class SimpleRNNSettings(RecurrentSettings):
    """Settings of a plain RNN (Elman, 1990), as a starting point.

    Its gradients vanish over long texts (Bengio, Simard and Frasconi, 1994).
    """

    cell: str = option("rnn", "recurrent cell", choices=CELLS)
    pooling: str = option("last", POOLING_HELP, choices=POOLINGS)


def recurrent_layer(
    settings: RecurrentSettings | CNNLSTMSettings,
    *,
    return_sequences: bool = False,
    name: str,
) -> Any:
    """Return a recurrent layer of the settings' cell, units, directions and dropout.

    Called with a mask, it keeps its state at masked positions.

    Parameters
    ----------
    settings : RecurrentSettings or CNNLSTMSettings
    return_sequences : bool, default=False
        Return the state at every position instead of the last one.
    name : str

    Returns
    -------
    layer : keras.layers.Layer
    """
    from keras import layers

    kinds = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}
    layer = kinds[settings.cell](
        settings.units,
        recurrent_dropout=settings.recurrent_dropout,
        return_sequences=return_sequences,
        name=name,
    )
    if settings.bidirectional:
        layer = layers.Bidirectional(layer, name=f"bidirectional_{name}")
    return layer
