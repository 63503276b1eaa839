"""Length buckets: batches of texts that are about equally long.

Padding every text to the longest one costs most of a training's time (ISEAR: 25 tokens
in the mean, 180 at most), and padding is not even harmless unless everything masks it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from emoclf.batching import stack


@dataclass(frozen=True)
class Examples:
    """What a network is fitted on.

    Parameters
    ----------
    token_ids : sequence of ndarray of int32, each of shape (length,)
        Or of float32, shape (length, dim), for texts that come embedded.
    targets : ndarray
        int32 of shape (n,), or float32 of shape (n, n_classes) for several labels.
    weights : ndarray of float32, shape (n,), optional
        Weight of each text in the loss.
    """

    token_ids: Sequence[np.ndarray]
    targets: np.ndarray
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.token_ids)

    def signature(self) -> Any:
        """Return the shapes and types of what :func:`stack` gives."""
        one = self.token_ids[0]
        if one.ndim == 1:
            return tf.TensorSpec((None, None), tf.int32)
        return (
            tf.TensorSpec((None, None, one.shape[1]), tf.float32),
            tf.TensorSpec((None, None), tf.bool),
        )

    def sample(self, count: int, longest: int) -> Any:
        """Return a few texts without any padding: the longer half, all cut alike.

        None where no text has a word.
        """
        lengths = np.fromiter(map(len, self.token_ids), np.int64, len(self))
        if not lengths.any():
            return None
        cut = min(longest, int(np.median(lengths[lengths > 0])))
        chosen = np.flatnonzero(lengths >= cut)[:count]
        return stack([self.token_ids[i][:cut] for i in chosen])


def plan_batches(
    lengths: np.ndarray, batch_size: int, *, seed: int, epoch: int
) -> list[np.ndarray]:
    """Group texts of like length, differently in each epoch.

    The plan is a function of (seed, epoch) alone, so that a resumed training sees the
    batches that it would have seen.

    Parameters
    ----------
    lengths : ndarray of int, shape (n,)
    batch_size : int >= 1
    seed, epoch : int

    Returns
    -------
    batches : list of ndarray of int
        Indices of the texts; every text once.
    """
    rng = np.random.default_rng((seed, epoch))
    # The noise mixes texts of neighbouring lengths: batches differ between epochs,
    # while padding grows by a tenth at most.
    noisy = lengths * rng.uniform(0.9, 1.1, len(lengths)) + rng.uniform(
        0, 2, len(lengths)
    )
    order = np.argsort(noisy, kind="stable")
    batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]


@dataclass
class LengthBuckets:
    """The batches of a training as Keras wants them.

    Set :attr:`epoch` before an epoch begins; :meth:`as_dataset` reads it when Keras
    starts to iterate.
    """

    examples: Examples
    batch_size: int
    seed: int = 0
    epoch: int = 0
    lengths: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        ids = self.examples.token_ids
        self.lengths = np.fromiter(map(len, ids), np.int64, len(ids))

    def __len__(self) -> int:
        return -(-len(self.examples) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return map(self._batch, self._plan())

    def __getitem__(self, number: int) -> tuple[Any, ...]:
        """Return one batch of the epoch again."""
        return self._batch(self._plan()[number])

    def _plan(self) -> list[np.ndarray]:
        return plan_batches(
            self.lengths, self.batch_size, seed=self.seed, epoch=self.epoch
        )

    def _batch(self, chosen: np.ndarray) -> tuple[Any, ...]:
        examples = self.examples
        inputs = stack([examples.token_ids[i] for i in chosen])
        if examples.weights is None:
            return inputs, examples.targets[chosen]
        return inputs, examples.targets[chosen], examples.weights[chosen]

    def as_dataset(self) -> tf.data.Dataset:
        """Return a ``tf.data.Dataset`` that plans anew each time it is iterated.

        Not a ``keras.utils.PyDataset``: Keras guesses its shapes from two batches, and
        two first batches of equal length would forbid all other lengths.
        """
        targets = self.examples.targets
        signature: tuple[Any, ...] = (
            self.examples.signature(),
            tf.TensorSpec((None, *targets.shape[1:]), targets.dtype),
        )
        if self.examples.weights is not None:
            signature += (tf.TensorSpec((None,), tf.float32),)
        dataset = tf.data.Dataset.from_generator(
            lambda: iter(self), output_signature=signature
        )
        # Two batches ahead: they are made while the network works.
        return dataset.apply(
            tf.data.experimental.assert_cardinality(len(self))
        ).prefetch(2)
