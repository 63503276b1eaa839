"""Choices and checks that several architectures share."""

from __future__ import annotations

from emoclf.settings.base import Settings, wrong_value

ACTIVATIONS = ("relu", "elu", "tanh", "sigmoid")
CELLS = ("lstm", "gru", "rnn")


def check_kernel_sizes(settings: Settings) -> None:
    """Refuse settings without a kernel size, or with one twice."""
    sizes = settings.kernel_sizes  # type: ignore[attr-defined]
    if not sizes or len(set(sizes)) < len(sizes):
        raise wrong_value(
            settings, "kernel_sizes", sizes, "one or more different sizes"
        )
