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
}


def settings_class(architecture: str) -> type[Settings]:
    """Return the class of an architecture's settings."""
    module, name, _ = ARCHITECTURES[architecture]
    return getattr(import_module(module), name)


def build_function(architecture: str) -> Any:
    """Return the function that builds an architecture."""
    module, _, name = ARCHITECTURES[architecture]
    return getattr(import_module(module), name)
