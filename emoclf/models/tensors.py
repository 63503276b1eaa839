"""The type of the tensors that networks are built of."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import keras

#: Symbolic while a network is built, with values when it runs.
Tensor: TypeAlias = "keras.KerasTensor"
