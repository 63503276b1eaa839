"""The table of architectures; everything that lists architectures derives from it."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from emoclf.settings.base import Settings


class Architecture(NamedTuple):
    """One architecture: its code, its description and small settings for tests.

    Parameters
    ----------
    settings : str
        ``module:name`` of the settings class. Its method ``build(token_ids, embedded,
        mask)`` lays the layers of the architecture on embedded tokens:

        - ``token_ids``, int32 of shape (batch, length); padding is 0. None if the
          network takes embedded texts instead of token ids.
        - ``embedded``, float of shape (batch, length, dim); padding is 0.
        - ``mask``, bool of shape (batch, length); True where there is a token.
        - It returns ``features``, float of shape (batch, width), which must not depend
          on the amount of padding.

        The module must not import Keras outside of the methods, so that settings are
        cheap to import.
    description : str
        One line for the README.
    tiny : dict
        Settings of a network that learns eight texts within seconds.
    quick : dict
        Settings of a network that learns the bundled corpus within a minute.
    """

    settings: str
    description: str
    tiny: dict[str, Any] = {}  # noqa: RUF012  (never written to)
    quick: dict[str, Any] = {}  # noqa: RUF012


ARCHITECTURES: dict[str, Architecture] = {
    "text_cnn": Architecture(
        "emoclf.models.text_cnn:TextCNNSettings",
        "parallel convolutions, pooled over the text (Kim, 2014); the default",
        tiny={"filters": 3},
        quick={"filters": 50},
    ),
    "bilstm": Architecture(
        "emoclf.models.recurrent:BiLSTMSettings",
        "recurrent layers in both directions: LSTM, GRU or plain RNN",
        tiny={"units": 3, "input_dropout": 0.0},
        quick={"units": 32},
    ),
    "stacked_lstm": Architecture(
        "emoclf.models.recurrent:StackedLSTMSettings",
        "one to three recurrent layers: LSTM, GRU or plain RNN",
        tiny={"units": 5, "input_dropout": 0.0},
        quick={"units": 32},
    ),
    "simple_rnn": Architecture(
        "emoclf.models.recurrent:SimpleRNNSettings",
        "a plain RNN, as a starting point",
        tiny={"units": 6, "input_dropout": 0.0},
        quick={"units": 32},
    ),
    "cnn_lstm": Architecture(
        "emoclf.models.cnn_lstm:CNNLSTMSettings",
        "parallel convolutions with local pooling, each followed by an LSTM",
        tiny={"kernel_sizes": [2, 3], "filters": 3, "units": 3},
        quick={"filters": 32, "units": 16},
    ),
    "res_cnn": Architecture(
        "emoclf.models.res_cnn:ResCNNSettings",
        "a residual CNN after ResNet-18",
        tiny={"filters": 4, "stages": [1, 1], "input_dropout": 0.0},
        # Its normalized filters learn slowly behind strong dropout, and memorize the
        # training set without any.
        quick={"filters": 64, "stages": [1], "input_dropout": 0.2, "dropout": 0.3},
    ),
    "mean_embedding": Architecture(
        "emoclf.models.mean_embedding:MeanEmbeddingSettings",
        "averaged words and word pairs, as in fastText: small and fast",
        tiny={"bigram_buckets": 50},
        quick={"bigram_buckets": 2000},
    ),
    "ngram_linear": Architecture(
        "emoclf.models.ngram_linear:NgramLinearSettings",
        "no hidden layer: a linear classifier of words, word pairs and mean vectors",
    ),
    "sentence_head": Architecture(
        "emoclf.models.sentence_head:SentenceHeadSettings",
        "one linear layer on mean vectors, as of a transformer encoder",
    ),
}


def settings_class(architecture: str) -> type[Settings]:
    """Return the settings class of an architecture."""
    return resolve_name(ARCHITECTURES[architecture].settings)


def descriptions_table() -> str:
    """Return the architectures and their descriptions, as Markdown.

    Examples
    --------
    >>> print(descriptions_table().splitlines()[7])
    | `res_cnn` | a residual CNN after ResNet-18 |
    """
    rows = [f"| `{name}` | {of.description} |" for name, of in ARCHITECTURES.items()]
    return "\n".join(["| `--architecture` | network |", "|---|---|", *rows])
