"""A linear classifier of words, word pairs and averaged word vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from emoclf.settings.base import Settings, option

if TYPE_CHECKING:
    from emoclf.models.tensors import Tensor


@dataclass(frozen=True, kw_only=True)
class NgramLinearSettings(Settings):
    """Settings of a linear classifier of n-grams.

    A softmax on averaged word vectors, which cover words of no training text too, is
    mixed with a logistic regression of words and word pairs (TF-IDF): a
    classical baseline that is saved, exported and evaluated like any network. The
    regression is fitted after the epochs, whose curves are those of the vectors alone.
    """

    dropout: float = option(0.2, "dropout rate before the head", low=0.0, high=0.95)

    ngrams: ClassVar[bool] = True
    #: Share of the regression in the logits; tests/benchmarks/README.md.
    ngram_share: ClassVar[float] = 0.6

    def build(self, token_ids: Tensor | None, embedded: Tensor, mask: Tensor) -> Tensor:
        """Build the features: the mean of the vectors of a text.

        Parameters
        ----------
        token_ids : Tensor of int32, shape (batch, length), or None
            Without token ids there is no regression of n-grams.
        embedded : Tensor, shape (batch, length, dim)
        mask : Tensor of bool, shape (batch, length)

        Returns
        -------
        features : Tensor, shape (batch, dim)
        """
        # Keras is imported here, so that settings are cheap to import.
        from keras import layers

        from emoclf.models.pooling import GLOBAL_POOLINGS

        mean = GLOBAL_POOLINGS["average"](name="mean")(embedded, mask)
        return layers.Dropout(self.dropout, name="dropout")(mean)
