"""Choices and checks that several architectures share."""

from __future__ import annotations

from emoclf.errors import SettingsError
from emoclf.settings.base import Settings

ACTIVATIONS = ("relu", "elu", "tanh", "sigmoid")
CELLS = ("lstm", "gru", "rnn")


def check_kernel_sizes(settings: Settings) -> None:
    """Refuse settings without a kernel size, or with one twice."""
    sizes = settings.kernel_sizes  # type: ignore[attr-defined]
    if not sizes or len(set(sizes)) < len(sizes):
        raise SettingsError(
            f"The setting 'kernel_sizes' of {type(settings).__name__} must be one or "
            f"more different sizes. Got {sizes!r} instead."
        )
