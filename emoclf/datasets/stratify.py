"""Assign groups of texts to parts so that each part gets its share of every label.

Iterative stratification (Sechidis, Tsoumakas, Vlahavas 2011: On the Stratification of
Multi-Label Data) of whole groups: the rarest remaining label is assigned first, each
group to the part that needs most of that label. With one label per text the result is
that of ordinary stratification.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np


def deal_groups(
    groups: np.ndarray,
    labels: Sequence[Sequence[int]],
    shares: Sequence[float],
    *,
    seed: int,
) -> list[int]:
    """Return the part of each group.

    Parameters
    ----------
    groups : ndarray of int, shape (n_texts,)
        Group of each text, from 0.
    labels : sequence of sequences of int
        The class ids of each text.
    shares : sequence of float
        Share of each part; a part with share 0 gets nothing.
    seed : int
    """
    sizes = np.bincount(groups).tolist()
    counts: list[Counter[int]] = [Counter() for _ in sizes]
    for group, ids in zip(groups.tolist(), labels, strict=True):
        counts[group].update(ids)
    # Large groups first, so that small ones even out; else the order is random.
    order = np.random.default_rng(seed).permutation(len(sizes)).tolist()
    order.sort(key=lambda group: -sizes[group])
    groups_of: dict[int, list[int]] = {}
    for group in order:
        for label in counts[group]:
            groups_of.setdefault(label, []).append(group)
    parts = _Parts(sizes, counts, shares)
    while (rarest := parts.rarest()) is not None:
        for group in groups_of[rarest]:
            parts.place(group, rarest)
    for group in order:
        parts.place(group, None)
    return parts.part_of


class _Parts:
    """The labels that each part needs, and those that are not assigned yet."""

    def __init__(
        self, sizes: list[int], counts: list[Counter[int]], shares: Sequence[float]
    ) -> None:
        self.part_of = [-1] * len(sizes)
        self._sizes, self._counts = sizes, counts
        self._left: Counter[int] = Counter()
        for count in counts:
            self._left.update(count)
        self._open = [part for part, share in enumerate(shares) if share > 0]
        self._room = [share * sum(sizes) for share in shares]
        self._need = {
            label: [share * count for share in shares]
            for label, count in self._left.items()
        }

    def rarest(self) -> int | None:
        """Return the label with the fewest remaining texts, if there are any."""
        left = [(count, label) for label, count in self._left.items() if count]
        return min(left)[1] if left else None

    def place(self, group: int, label: int | None) -> None:
        """Assign a group to the part that needs most texts of a label, or of any."""
        if self.part_of[group] >= 0:
            return
        need = self._room if label is None else self._need[label]
        # Rounded, so that float errors do not decide instead of the room.
        part = max(self._open, key=lambda p: (round(need[p], 9), self._room[p]))
        self.part_of[group] = part
        self._room[part] -= self._sizes[group]
        for name, count in self._counts[group].items():
            self._need[name][part] -= count
            self._left[name] -= count
