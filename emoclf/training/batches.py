"""Length buckets: batches of texts of similar length.

Padding every text to the longest one costs most of a training's time (ISEAR: 25 tokens
on average, 180 at most), and padding changes results unless every layer masks it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from emoclf.batching import lengths_of, stack


@dataclass(frozen=True)
class Examples:
    """Encoded texts with their targets and weights.

    Parameters
    ----------
    token_ids : sequence of ndarray of int32, each of shape (length,)
        For embedded texts: float32, each of shape (length, dim).
    targets : ndarray
        int32 of shape (n,); multilabel: float32 of shape (n, n_classes). Soft targets:
        probabilities, float of shape (n, n_classes).
    weights : ndarray of float32, shape (n,), optional
        Weight of each text in the loss.
    temperature : float > 0, optional
        Temperature of soft targets, such as a teacher's probabilities, at which the
        network's probabilities are compared with them (Hinton et al., 2015). None: the
        targets are labels.
    """

    token_ids: Sequence[np.ndarray]
    targets: np.ndarray
    weights: np.ndarray | None = None
    temperature: float | None = None

    def __len__(self) -> int:
        return len(self.token_ids)

    @cached_property
    def lengths(self) -> np.ndarray:
        """Number of tokens of each text."""
        return lengths_of(self.token_ids)

    def signature(self) -> Any:
        """Return the shapes and types of the output of :func:`stack`."""
        first = self.token_ids[0]
        if first.ndim == 1:
            return tf.TensorSpec((None, None), tf.int32)
        return (
            tf.TensorSpec((None, None, first.shape[1]), tf.float32),
            tf.TensorSpec((None, None), tf.bool),
        )

    def sample(self, count: int, max_tokens: int) -> Any:
        """Return a few of the longer texts, cut to equal length so that none is padded.

        None if no text has a token.
        """
        lengths = self.lengths
        if not lengths.any():
            return None
        length = min(max_tokens, int(np.median(lengths[lengths > 0])))
        rows = np.flatnonzero(lengths >= length)[:count]
        return stack([self.token_ids[row][:length] for row in rows])


def plan_batches(
    lengths: np.ndarray, batch_size: int, *, seed: int, epoch: int
) -> list[np.ndarray]:
    """Group texts of similar length, differently in each epoch.

    The plan depends on (seed, epoch) only, so a resumed training gets the same batches
    as an uninterrupted one.

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
    """Batches of a training set, planned anew for each epoch.

    Set :attr:`epoch` before an epoch begins; :meth:`as_dataset` reads it when Keras
    starts to iterate.
    """

    examples: Examples
    batch_size: int
    seed: int = 0
    epoch: int = 0

    def __len__(self) -> int:
        return -(-len(self.examples) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return map(self._batch, self._plan())

    def __getitem__(self, number: int) -> tuple[Any, ...]:
        """Return one batch of the current epoch."""
        return self._batch(self._plan()[number])

    def _plan(self) -> list[np.ndarray]:
        return plan_batches(
            self.examples.lengths, self.batch_size, seed=self.seed, epoch=self.epoch
        )

    def _batch(self, rows: np.ndarray) -> tuple[Any, ...]:
        examples = self.examples
        inputs = stack([examples.token_ids[row] for row in rows])
        if examples.weights is None:
            return inputs, examples.targets[rows]
        return inputs, examples.targets[rows], examples.weights[rows]

    def _signature(self) -> tuple[Any, ...]:
        targets = self.examples.targets
        signature = (
            self.examples.signature(),
            tf.TensorSpec((None, *targets.shape[1:]), targets.dtype),
        )
        if self.examples.weights is None:
            return signature
        return *signature, tf.TensorSpec((None,), tf.float32)

    def as_dataset(self) -> tf.data.Dataset:
        """Return a ``tf.data.Dataset`` that plans its batches at each iteration.

        Not a ``keras.utils.PyDataset``: Keras infers its shapes from two batches, and
        two first batches of equal length would forbid all other lengths.
        """
        dataset = tf.data.Dataset.from_generator(
            lambda: iter(self), output_signature=self._signature()
        )
        # The next two batches are stacked while the network computes.
        return dataset.apply(
            tf.data.experimental.assert_cardinality(len(self))
        ).prefetch(2)
