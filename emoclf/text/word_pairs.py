"""Hashed pairs of neighbouring words: one number that networks and tables share."""

from __future__ import annotations

#: Knuth's multiplier: large whatever the number of rows is, so that frequent words do
#: not crowd together. The product of it and an id stays in int64.
SPREAD = 2_654_435_761
