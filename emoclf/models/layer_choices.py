"""Choices and checks of settings that several architectures share."""

from __future__ import annotations

from emoclf.errors import SettingsError

ACTIVATIONS = ("relu", "elu", "tanh", "sigmoid")
CELLS = ("lstm", "gru", "rnn")


def check_kernel_sizes(sizes: tuple[int, ...], owner: str) -> None:
    """Raise an error unless there are one or more different kernel sizes.

    Parameters
    ----------
    sizes : tuple of int
    owner : str
        Name of the settings class, for the message.
    """
    if not sizes or len(set(sizes)) < len(sizes):
        raise SettingsError(
            f"The setting 'kernel_sizes' of {owner} must be one or more different "
            f"sizes. Got {sizes!r} instead."
        )
