"""The names of all architectures, and where each one lives."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emoclf.settings.base import Settings

# name: (module, class of its settings, function that builds it). The modules import
# Keras only inside the build function, so that settings stay cheap to import.
ARCHITECTURES: dict[str, tuple[str, str, str]] = {
    "text_cnn": ("emoclf.models.text_cnn", "TextCNNSettings", "build_text_cnn"),
    "bilstm": ("emoclf.models.recurrent", "BiLSTMSettings", "build_recurrent"),
    "stacked_lstm": (
        "emoclf.models.recurrent",
        "StackedLSTMSettings",
        "build_recurrent",
    ),
    "simple_rnn": ("emoclf.models.recurrent", "SimpleRNNSettings", "build_recurrent"),
    "cnn_lstm": ("emoclf.models.cnn_lstm", "CNNLSTMSettings", "build_cnn_lstm"),
    "res_cnn": ("emoclf.models.res_cnn", "ResCNNSettings", "build_res_cnn"),
    "mean_embedding": (
        "emoclf.models.mean_embedding",
        "MeanEmbeddingSettings",
        "build_mean_embedding",
    ),
}


def settings_class(architecture: str) -> type[Settings]:
    """Return the class of an architecture's settings."""
    module, name, _ = ARCHITECTURES[architecture]
    return getattr(import_module(module), name)


def build_function(architecture: str) -> Any:
    """Return the function that builds an architecture."""
    module, _, name = ARCHITECTURES[architecture]
    return getattr(import_module(module), name)
