"""Batches of texts of similar length, in a random order that depends on the epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

#: Batches whose texts are sorted together: more make less padding, and less chance.
GROUPED_BATCHES = 50


class LengthGroups:
    """Batches of positions, the same ones for the same seed and epoch.

    The trainer's own sampler draws from the generator of torch, so that a training
    which continues within an epoch would see some texts twice.

    Parameters
    ----------
    lengths : sequence of int
        Tokens of each text.
    batch_size : int
    seed : int

    Attributes
    ----------
    epoch : int
        Epoch whose batches are next.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, *, seed: int) -> None:
        self.lengths, self.batch_size, self.seed = np.asarray(lengths), batch_size, seed
        self.epoch = 0

    def __len__(self) -> int:
        return -(-len(self.lengths) // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        rng = np.random.default_rng((self.seed, self.epoch))
        order = rng.permutation(len(self.lengths))
        size = GROUPED_BATCHES * self.batch_size
        batches: list[np.ndarray] = []
        for start in range(0, len(order), size):
            group = order[start : start + size]
            group = group[np.argsort(self.lengths[group], kind="stable")]
            batches += np.split(
                group, range(self.batch_size, len(group), self.batch_size)
            )
        for number in rng.permutation(len(batches)):
            yield batches[number].tolist()
