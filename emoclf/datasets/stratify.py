"""Deal groups of texts out to parts so that each gets its share of every label.

Iterative stratification (Sechidis, Tsoumakas, Vlahavas 2011: On the Stratification of
Multi-Label Data) of whole groups: the rarest label that is left is dealt out first,
each group to the part that still needs most of that label. With one label per text it
gives what ordinary stratification gives.
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
        Which group each text is in, counted from 0.
    labels : sequence of sequences of int
        The class ids of each text.
    shares : sequence of float
        One for each part; a part with share 0 gets nothing.
    seed : int
    """
    sizes = np.bincount(groups).tolist()
    held: list[Counter[int]] = [Counter() for _ in sizes]
    for group, ids in zip(groups.tolist(), labels, strict=True):
        held[group].update(ids)
    # Large groups first, so that small ones can even out; chance decides the rest.
    order = np.random.default_rng(seed).permutation(len(sizes)).tolist()
    order.sort(key=lambda group: -sizes[group])
    groups_of: dict[int, list[int]] = {}
    for group in order:
        for label in held[group]:
            groups_of.setdefault(label, []).append(group)
    table = _Table(sizes, held, shares)
    while (rarest := table.rarest()) is not None:
        for group in groups_of[rarest]:
            table.place(group, rarest)
    for group in order:
        table.place(group, None)
    return table.part_of


class _Table:
    """What every part still needs, and what is left to deal out."""

    def __init__(
        self, sizes: list[int], held: list[Counter[int]], shares: Sequence[float]
    ) -> None:
        self.part_of = [-1] * len(sizes)
        self._sizes, self._held = sizes, held
        self._left = _total(held)
        self._open = [part for part, share in enumerate(shares) if share > 0]
        self._room = [share * sum(sizes) for share in shares]
        self._need = {
            label: [share * count for share in shares]
            for label, count in self._left.items()
        }

    def rarest(self) -> int | None:
        """Return the label with the fewest texts that are left, if any is."""
        left = [(count, label) for label, count in self._left.items() if count]
        return min(left)[1] if left else None

    def place(self, group: int, label: int | None) -> None:
        """Put a group where the label (or just any text) is needed most."""
        if self.part_of[group] >= 0:
            return
        need = self._room if label is None else self._need[label]
        # Rounded: the last bits of floats must not decide where the room should.
        part = max(self._open, key=lambda p: (round(need[p], 9), self._room[p]))
        self.part_of[group] = part
        self._room[part] -= self._sizes[group]
        for other, count in self._held[group].items():
            self._need[other][part] -= count
            self._left[other] -= count


def _total(counters: Sequence[Counter[int]]) -> Counter[int]:
    total: Counter[int] = Counter()
    for counter in counters:
        total.update(counter)
    return total
