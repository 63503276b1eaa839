"""Hashing of pairs of neighbouring words, the same in networks and in tables."""

from __future__ import annotations

#: Knuth's multiplier: larger than any number of rows, so that frequent words do not
#: share rows. Its product with an id fits int64.
SPREAD = 2_654_435_761
#: Least square by which scores of n-grams are divided, for texts without any.
MIN_SQUARE = 1e-6
