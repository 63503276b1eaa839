"""Averaged embeddings of words and word pairs: the small network to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emoclf.settings.base import Settings, option
from emoclf.text.word_pairs import SPREAD

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


def build_mean_embedding(
    token_ids: Any, embedded: Any, mask: Any, settings: Any
) -> Any:
    """Build the features of averaged embeddings.

    Parameters
    ----------
    token_ids : KerasTensor of int32, shape (batch, length), or None
        None for texts that come embedded: they have no pairs to look up.
    embedded : KerasTensor, shape (batch, length, dim)
    mask : KerasTensor of bool, shape (batch, length)
    settings : MeanEmbeddingSettings

    Returns
    -------
    features : KerasTensor, shape (batch, dim)
        The mean over the vectors of all words and all pairs of a text.

    Raises
    ------
    SettingsError
        If pairs are asked for and there are no token ids.
    """
    # Keras loads here, so that reading settings stays cheap.
    from keras import layers, ops

    from emoclf.errors import SettingsError
    from emoclf.models.convolution import keep_real
    from emoclf.models.embedding import RowEmbedding

    buckets = settings.bigram_buckets
    if token_ids is None and buckets:
        raise SettingsError(
            f"The setting 'bigram_buckets' is {buckets}, and texts that come embedded "
            "have no words whose pairs could be looked up. Set it to 0."
        )
    if buckets is None:
        buckets = BUCKETS if token_ids is not None else 0
    there = ops.expand_dims(ops.cast(mask, embedded.dtype), -1)
    total, count = ops.sum(embedded, axis=1), ops.sum(there, axis=1)
    if buckets:
        pairs = hashed_pairs(token_ids, buckets)
        # Zero at first: a pair that no training text had says nothing.
        rows = RowEmbedding(
            buckets + 1,
            embedded.shape[2],
            embeddings_initializer="zeros",
            name=BIGRAMS,
        )(pairs)
        real = ops.not_equal(pairs, 0)
        total = total + ops.sum(keep_real(rows, real), axis=1)
        count = count + ops.sum(ops.cast(real, count.dtype), axis=1, keepdims=True)
    mean = total / ops.maximum(count, 1.0)
    return layers.Dropout(settings.dropout, name="dropout")(mean)


def hashed_pairs(token_ids: Any, buckets: int) -> Any:
    """Give each pair of neighbours a row from 1 to ``buckets``; 0 where there is none.

    Parameters
    ----------
    token_ids : KerasTensor of int32, shape (batch, length)

    Returns
    -------
    pairs : KerasTensor of int32, shape (batch, length)
    """
    from keras import ops

    second = ops.pad(token_ids[:, 1:], [[0, 0], [0, 1]])
    wide = ops.cast(token_ids, "int64") * SPREAD + ops.cast(second, "int64")
    row = ops.cast(ops.mod(wide, buckets), "int32") + 1
    return ops.where(ops.not_equal(second, 0), row, ops.zeros_like(row))
