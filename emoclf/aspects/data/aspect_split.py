"""Divide sentences into parts that keep near-duplicates together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emoclf.aspects.data.sentences import AspectData
from emoclf.datasets.duplicates import group_duplicates
from emoclf.datasets.stratify import deal_groups
from emoclf.errors import DataError

#: Sentences with as many terms or more are alike for the split.
MANY_TERMS = 3


def divide(
    data: AspectData,
    shares: Sequence[float],
    *,
    seed: int = 0,
    near_duplicates: float = 0.8,
) -> list[np.ndarray]:
    """Return the sorted positions of each part, stratified by the number of terms.

    Parameters
    ----------
    data : AspectData
    shares : sequence of float
        Share of each part.
    seed : int, default=0
    near_duplicates : float in (0, 1], default=0.8
        Lowest Jaccard similarity of near-duplicates.

    Raises
    ------
    DataError
        If a part would be empty.
    """
    groups = group_duplicates(data.texts, near_duplicates)
    labels = [[min(len(sentence.terms), MANY_TERMS)] for sentence in data]
    parts = np.array(deal_groups(groups, labels, shares, seed=seed))[groups]
    positions = [np.flatnonzero(parts == number) for number in range(len(shares))]
    if not all(map(len, positions)):
        raise DataError(
            f"{data.source} has {len(data):,} sentences in {groups.max() + 1:,} groups "
            f"of near-duplicates: too few for {len(shares)} parts. Add sentences."
        )
    return positions
