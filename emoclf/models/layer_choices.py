"""Choices and checks of settings that several architectures share."""

from __future__ import annotations

from emoclf.settings.base import Settings, wrong_value

ACTIVATIONS = ("relu", "elu", "tanh", "sigmoid")
CELLS = ("lstm", "gru", "rnn")


def check_kernel_sizes(settings: Settings, sizes: tuple[int, ...]) -> None:
    """Raise an error unless there are one or more different kernel sizes.

    Raises
    ------
    SettingsError
    """
    if not sizes or len(set(sizes)) < len(sizes):
        raise wrong_value(
            settings, "kernel_sizes", sizes, "one or more different sizes"
        )
