"""Hashing of pairs of neighbouring words, the same in networks and in tables."""

from __future__ import annotations

from typing import Any

#: Knuth's multiplier: larger than any number of rows, so that frequent words do not
#: share rows. Its product with an id fits int64.
HASH_MULTIPLIER = 2_654_435_761
#: Least square by which scores of n-grams are divided, for texts without any.
MIN_SQUARE = 1e-6


def pair_rows(first: Any, second: Any, buckets: int) -> Any:
    """Return the row of each pair of neighbours, from 1 to ``buckets``.

    Parameters
    ----------
    first, second : ndarray of int64
        Ids of the words.
    buckets : int >= 1
    """
    return (first * HASH_MULTIPLIER + second) % buckets + 1
