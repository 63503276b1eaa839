"""Averaged embeddings of words and word pairs: the smallest network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emoclf.settings.base import Settings, option
from emoclf.text.word_pairs import HASH_MULTIPLIER

if TYPE_CHECKING:
    from emoclf.models.tensors import Tensor

BUCKETS = 50_000
BIGRAMS = "bigrams"


@dataclass(frozen=True, kw_only=True)
class MeanEmbeddingSettings(Settings):
    """Settings of averaged embeddings, as in fastText (Joulin et al., 2017).

    Pairs of neighbouring words share a table of hashed rows.
    """

    bigram_buckets: int | None = option(
        None,
        "rows for hashed pairs of tokens; 0: no pairs (default: 50000)",
        low=0,
        high=10_000_000,
    )
    dropout: float = option(0.2, "dropout rate before the head", low=0.0, high=0.95)

    def build(self, token_ids: Tensor | None, embedded: Tensor, mask: Tensor) -> Tensor:
        """Build the features of averaged embeddings.

        Parameters
        ----------
        token_ids : Tensor of int32, shape (batch, length), or None
            Without token ids there are no pairs to look up.
        embedded : Tensor, shape (batch, length, dim)
        mask : Tensor of bool, shape (batch, length)

        Returns
        -------
        features : Tensor, shape (batch, dim)
            Mean over the vectors of all words and all pairs of a text.

        Raises
        ------
        SettingsError
            If the settings ask for pairs and there are no token ids.
        """
        # Keras is imported here, so that settings are cheap to import.
        from keras import layers, ops

        from emoclf.errors import SettingsError
        from emoclf.models.convolution import zero_padding
        from emoclf.models.embedding import RowEmbedding

        buckets = self.bigram_buckets
        if token_ids is None and buckets:
            raise SettingsError(
                f"The setting 'bigram_buckets' is {buckets}, but a network that takes "
                "embedded texts has no token ids to make pairs of. Set it to 0."
            )
        total = ops.sum(embedded, axis=1)
        tokens = ops.expand_dims(ops.cast(mask, embedded.dtype), -1)
        count = ops.sum(tokens, axis=1)
        if buckets is None:
            buckets = BUCKETS
        if token_ids is not None and buckets:
            pairs = hashed_pairs(token_ids, buckets)
            # Zero at first, so that a pair that is in no training text has no effect.
            rows = RowEmbedding(
                buckets + 1,
                embedded.shape[2],
                embeddings_initializer="zeros",
                name=BIGRAMS,
            )(pairs)
            is_pair = ops.not_equal(pairs, 0)
            total = total + ops.sum(zero_padding(rows, is_pair), axis=1)
            count = count + ops.sum(
                ops.cast(is_pair, count.dtype), axis=1, keepdims=True
            )
        mean = total / ops.maximum(count, 1.0)
        return layers.Dropout(self.dropout, name="dropout")(mean)


def hashed_pairs(token_ids: Tensor, buckets: int) -> Tensor:
    """Return the row of each pair of neighbours in the table of pairs.

    Parameters
    ----------
    token_ids : Tensor of int32, shape (batch, length)
    buckets : int >= 1

    Returns
    -------
    pairs : Tensor of int32, shape (batch, length)
        From 1 to ``buckets`` for a token and the next one; 0 if there is no next one.
    """
    from keras import ops

    second = ops.pad(token_ids[:, 1:], [[0, 0], [0, 1]])
    wide = ops.cast(token_ids, "int64") * HASH_MULTIPLIER + ops.cast(second, "int64")
    row = ops.cast(ops.mod(wide, buckets), "int32") + 1
    return ops.where(ops.not_equal(second, 0), row, ops.zeros_like(row))
