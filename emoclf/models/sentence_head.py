"""A linear classifier of one vector for each text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from emoclf.settings.base import Settings, option

if TYPE_CHECKING:
    from emoclf.models.tensors import Tensor

MIN_NORM = 1e-6


@dataclass(frozen=True, kw_only=True)
class SentenceHeadSettings(Settings):
    """Settings of a linear classifier of sentence vectors.

    The mean of a text's vectors, of length one, and one linear layer. With a
    transformer encoder, whose own pooling takes the place of the mean, it is a strong
    and simple classifier; of word vectors it is a simple baseline.
    """

    dropout: float = option(0.3, "dropout rate before the head", low=0.0, high=0.95)

    #: One vector for each text is enough.
    takes_pooled: ClassVar[bool] = True
    #: Default learning rate on vectors that are not trained, or that of the optimizer
    #: if it is higher. At Adam's 0.001 twenty epochs are not enough; at 0.01 the loss
    #: on vectors of 768 numbers rises.
    frozen_rate: ClassVar[float] = 0.003

    def build(self, token_ids: Tensor | None, embedded: Tensor, mask: Tensor) -> Tensor:
        """Build the features: the mean of the vectors of a text, of length one.

        Parameters
        ----------
        token_ids : Tensor of int32, shape (batch, length), or None
            Not used.
        embedded : Tensor, shape (batch, length, dim)
        mask : Tensor of bool, shape (batch, length)

        Returns
        -------
        features : Tensor, shape (batch, dim)
            Multiplied by the root of ``dim``, so that an element is about 1.
        """
        # Keras is imported here, so that settings are cheap to import.
        from keras import layers, ops

        from emoclf.models.pooling import GLOBAL_POOLINGS

        mean = GLOBAL_POOLINGS["average"](name="mean_vector")(embedded, mask)
        square = ops.mean(ops.square(mean), axis=-1, keepdims=True)
        scaled = mean / ops.sqrt(ops.maximum(square, MIN_NORM**2))
        return layers.Dropout(self.dropout, name="dropout")(scaled)
