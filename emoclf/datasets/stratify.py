"""Assign groups of texts to parts so that each part gets its share of every label.

Iterative stratification (Sechidis, Tsoumakas, Vlahavas 2011: On the Stratification of
Multi-Label Data) of whole groups: the rarest remaining label is assigned first, each
group to the part that needs most of that label. With one label per text the result is
that of ordinary stratification.
"""

from __future__ import annotations

from collections import Counter, defaultdict
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
    groups_of: dict[int, list[int]] = defaultdict(list)
    for group in order:
        for label in counts[group]:
            groups_of[label].append(group)
    open_parts = [part for part, share in enumerate(shares) if share > 0]
    # Texts that are not assigned yet, and those that each part needs, of each label.
    unassigned = Counter(label for ids in labels for label in ids)
    room = [share * len(labels) for share in shares]
    need = {x: [share * count for share in shares] for x, count in unassigned.items()}
    part_of = [-1] * len(sizes)

    def assign(group: int, need_of_parts: list[float]) -> None:
        # Rounded, so that float errors do not decide instead of the room.
        part = max(open_parts, key=lambda p: (round(need_of_parts[p], 9), room[p]))
        part_of[group] = part
        room[part] -= sizes[group]
        for label, count in counts[group].items():
            need[label][part] -= count
            unassigned[label] -= count

    while remaining := +unassigned:
        _, rarest = min((count, label) for label, count in remaining.items())
        for group in groups_of[rarest]:
            if part_of[group] < 0:
                assign(group, need[rarest])
    for group in order:
        if part_of[group] < 0:
            assign(group, room)
    return part_of
