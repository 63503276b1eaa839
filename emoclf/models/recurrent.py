"""Recurrent networks: LSTM, GRU or plain RNN, one direction or two, in layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emoclf.models.layer_choices import CELLS
from emoclf.settings.base import Settings, option

POOLINGS = ("last", "max", "average")


@dataclass(frozen=True, kw_only=True)
class RecurrentSettings(Settings):
    """What all recurrent networks share."""

    cell: str = option("lstm", "recurrent cell", choices=CELLS)
    units: int = option(128, "units per layer and direction", low=1, high=4096)
    recurrent_layers: int = option(1, "number of recurrent layers", low=1, high=3)
    bidirectional: bool = option(False, "read texts in both directions")
    pooling: str = option(
        "max",
        "pooling of the last layer over the text; last: its last state",
        choices=POOLINGS,
    )
    input_dropout: float = option(
        0.3, "dropout rate between embedding and first layer", low=0.0, high=0.95
    )
    recurrent_dropout: float = option(
        0.0, "dropout rate of the recurrent state", low=0.0, high=0.95
    )
    dropout: float = option(
        0.5, "dropout rate between layers and before the head", low=0.0, high=0.95
    )


@dataclass(frozen=True, kw_only=True)
class BiLSTMSettings(RecurrentSettings):
    """Settings of a BiLSTM.

    Graves and Schmidhuber (2005). The maximum over the text, as in Conneau et al.
    (2017), reads every position; the last state has to remember them all.
    """

    bidirectional: bool = option(True, "read texts in both directions")


@dataclass(frozen=True, kw_only=True)
class StackedLSTMSettings(RecurrentSettings):
    """Settings of LSTM layers on each other (Graves, Mohamed and Hinton, 2013)."""

    recurrent_layers: int = option(2, "number of recurrent layers", low=1, high=3)


@dataclass(frozen=True, kw_only=True)
class SimpleRNNSettings(RecurrentSettings):
    """Settings of a plain RNN (Elman, 1990), as a starting point.

    Its gradients vanish over long texts (Bengio, Simard and Frasconi, 1994).
    """

    cell: str = option("rnn", "recurrent cell", choices=CELLS)
    pooling: str = option(
        "last",
        "pooling of the last layer over the text; last: its last state",
        choices=POOLINGS,
    )


def build_recurrent(token_ids: Any, embedded: Any, mask: Any, settings: Any) -> Any:
    """Build the features of a recurrent network on embedded tokens.

    Parameters
    ----------
    token_ids : KerasTensor of int32, shape (batch, length)
    embedded : KerasTensor, shape (batch, length, dim)
    mask : KerasTensor of bool, shape (batch, length)
    settings : RecurrentSettings

    Returns
    -------
    features : KerasTensor, shape (batch, units), or 2 * units for two directions
    """
    # Keras loads here, so that reading settings stays cheap.
    from keras import layers

    from emoclf.models.pooling import MaskedGlobalAveragePooling, MaskedGlobalMaxPooling

    features = layers.Dropout(settings.input_dropout, name="input_dropout")(embedded)
    for number in range(1, settings.recurrent_layers + 1):
        if number > 1:
            features = layers.Dropout(settings.dropout, name=f"dropout_{number}")(
                features
            )
        last = number == settings.recurrent_layers and settings.pooling == "last"
        features = recur(
            features,
            mask,
            cell=settings.cell,
            units=settings.units,
            bidirectional=settings.bidirectional,
            recurrent_dropout=settings.recurrent_dropout,
            return_sequences=not last,
            name=f"{settings.cell}_{number}",
        )
    if settings.pooling == "max":
        features = MaskedGlobalMaxPooling(name="max")(features, mask)
    elif settings.pooling == "average":
        features = MaskedGlobalAveragePooling(name="average")(features, mask)
    return layers.Dropout(settings.dropout, name="dropout")(features)


def recur(
    features: Any,
    mask: Any,
    *,
    cell: str,
    units: int,
    bidirectional: bool = False,
    recurrent_dropout: float = 0.0,
    return_sequences: bool = False,
    name: str,
) -> Any:
    """Lay one recurrent layer on a text; masked positions leave its state alone.

    Returns
    -------
    features : KerasTensor
        Shape (batch, units), or (batch, length, units) with ``return_sequences``;
        twice the units for two directions.
    """
    from keras import layers

    kinds = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}
    layer = kinds[cell](
        units,
        recurrent_dropout=recurrent_dropout,
        return_sequences=return_sequences,
        name=name,
    )
    if bidirectional:
        layer = layers.Bidirectional(layer, name=f"bidirectional_{name}")
    return layer(features, mask=mask)
