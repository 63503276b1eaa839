"""Types of the tensors and functions that networks are built of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import keras

#: Symbolic while a network is built, with values when it runs.
Tensor: TypeAlias = "keras.KerasTensor"


class Builder(Protocol):
    """A function that lays the layers of an architecture on embedded tokens.

    Parameters
    ----------
    token_ids : Tensor of int32, shape (batch, length), or None
        Padding is 0. None if the network takes embedded texts instead of token ids.
    embedded : Tensor of float, shape (batch, length, dim)
        Padding is 0.
    mask : Tensor of bool, shape (batch, length)
        True where there is a token.
    settings : Settings
        Instance of the architecture's settings class.

    Returns
    -------
    features : Tensor of float, shape (batch, width)
        Must not depend on the amount of padding.
    """

    def __call__(
        self, token_ids: Tensor | None, embedded: Tensor, mask: Tensor, settings: Any, /
    ) -> Tensor: ...
