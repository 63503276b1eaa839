"""The table of architectures; everything that lists architectures derives from it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from emoclf.models.tensors import Builder
    from emoclf.settings.base import Settings


class Architecture(NamedTuple):
    """One architecture: its code, its description and small settings for tests.

    Parameters
    ----------
    module : str
        Module with the settings class and the builder. It must not import Keras
        outside of the builder, so that settings are cheap to import.
    settings : str
        Name of the settings class in the module.
    builder : str
        Name of the build function in the module; see
        :class:`emoclf.models.tensors.Builder`.
    description : str
        One line for the README.
    tiny : dict
        Settings of a network that learns eight texts within seconds.
    quick : dict
        Settings of a network that learns the bundled corpus within a minute.
    """

    module: str
    settings: str
    builder: str
    description: str
    tiny: dict[str, Any] = {}  # noqa: RUF012  (never written to)
    quick: dict[str, Any] = {}  # noqa: RUF012


_RECURRENT = "emoclf.models.recurrent"

ARCHITECTURES: dict[str, Architecture] = {
    "text_cnn": Architecture(
        "emoclf.models.text_cnn",
        "TextCNNSettings",
        "build_text_cnn",
        "parallel convolutions, pooled over the text (Kim, 2014); the default",
        tiny={"filters": 3},
        quick={"filters": 50},
    ),
    "bilstm": Architecture(
        _RECURRENT,
        "BiLSTMSettings",
        "build_recurrent",
        "recurrent layers in both directions: LSTM, GRU or plain RNN",
        tiny={"units": 3, "input_dropout": 0.0},
        quick={"units": 32},
    ),
    "stacked_lstm": Architecture(
        _RECURRENT,
        "StackedLSTMSettings",
        "build_recurrent",
        "one to three recurrent layers: LSTM, GRU or plain RNN",
        tiny={"units": 5, "input_dropout": 0.0},
        quick={"units": 32},
    ),
    "simple_rnn": Architecture(
        _RECURRENT,
        "SimpleRNNSettings",
        "build_recurrent",
        "a plain RNN, as a starting point",
        tiny={"units": 6, "input_dropout": 0.0},
        quick={"units": 32},
    ),
    "cnn_lstm": Architecture(
        "emoclf.models.cnn_lstm",
        "CNNLSTMSettings",
        "build_cnn_lstm",
        "parallel convolutions with local pooling, each followed by an LSTM",
        tiny={"filters": 3, "units": 3},
        quick={"filters": 32, "units": 16},
    ),
    "res_cnn": Architecture(
        "emoclf.models.res_cnn",
        "ResCNNSettings",
        "build_res_cnn",
        "a residual CNN after ResNet-18",
        tiny={"filters": 4, "stages": [1, 1], "input_dropout": 0.0},
        # Its normalized filters learn slowly behind strong dropout, and memorize the
        # training set without any.
        quick={"filters": 64, "stages": [1], "input_dropout": 0.2, "dropout": 0.3},
    ),
    "mean_embedding": Architecture(
        "emoclf.models.mean_embedding",
        "MeanEmbeddingSettings",
        "build_mean_embedding",
        "averaged words and word pairs, as in fastText: small and fast",
        tiny={"bigram_buckets": 50},
        quick={"bigram_buckets": 2000},
    ),
}


def settings_class(architecture: str) -> type[Settings]:
    """Return the settings class of an architecture."""
    entry = ARCHITECTURES[architecture]
    return getattr(import_module(entry.module), entry.settings)


def build_function(architecture: str) -> Builder:
    """Return the build function of an architecture."""
    entry = ARCHITECTURES[architecture]
    return getattr(import_module(entry.module), entry.builder)


def descriptions_table() -> str:
    """Return the architectures and their descriptions, as Markdown.

    Examples
    --------
    >>> print(descriptions_table().splitlines()[7])
    | `res_cnn` | a residual CNN after ResNet-18 |
    """
    rows = [f"| `{name}` | {of.description} |" for name, of in ARCHITECTURES.items()]
    return "\n".join(["| `--architecture` | network |", "|---|---|", *rows])
