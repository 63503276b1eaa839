"""Batches of texts of different lengths, with NumPy alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized
from typing import Any

import numpy as np

BATCH_TOKENS = 8192


def batch_by_length(
    lengths: np.ndarray, max_tokens: int = BATCH_TOKENS
) -> Iterator[np.ndarray]:
    """Divide texts into batches of similar length, so that there is little padding.

    Parameters
    ----------
    lengths : ndarray of int, shape (n_texts,)
    max_tokens : int >= 1
        Tokens of a batch, including padding; a longer text has a batch of its own.

    Yields
    ------
    batch : ndarray of int
        Indices of the texts, beginning with the shortest; every text once.

    Examples
    --------
    >>> lengths = np.array([9, 2, 3, 30])
    >>> [batch.tolist() for batch in batch_by_length(lengths, max_tokens=10)]
    [[1, 2], [0], [3]]
    """
    order = np.argsort(lengths, kind="stable")
    start = 0
    for stop in range(1, len(order) + 1):
        longest = max(1, int(lengths[order[stop - 1]]))
        if stop - start > 1 and (stop - start) * longest > max_tokens:
            yield order[start : stop - 1]
            start = stop - 1
    if start < len(order):
        yield order[start:]


def lengths_of(texts: Sequence[Sized]) -> np.ndarray:
    """Return the number of tokens of each text, int64 of shape (n_texts,)."""
    return np.fromiter(map(len, texts), np.int64, len(texts))


def pad(token_ids: Sequence[np.ndarray]) -> np.ndarray:
    """Stack texts into int32 of shape (batch, longest); 0 is padding.

    The longest is at least 1, so that a batch of empty texts is still a batch.

    Examples
    --------
    >>> pad([np.array([5, 6]), np.array([7])]).tolist()
    [[5, 6], [7, 0]]
    """
    lengths = lengths_of(token_ids)
    longest = int(lengths.max(initial=1))
    padded = np.zeros((len(token_ids), longest), np.int32)
    if len(token_ids):
        padded[np.arange(longest) < lengths[:, None]] = np.concatenate(token_ids)
    return padded


def stack(texts: Sequence[np.ndarray]) -> Any:
    """Stack texts into the inputs of a network.

    Parameters
    ----------
    texts : sequence of ndarray
        Token ids, each of shape (length,); or embedded texts, float of shape
        (length, dim).

    Returns
    -------
    inputs : ndarray, or tuple of two
        Token ids as in :func:`pad`; or ``embedded`` of float32, shape (batch, longest,
        dim), and ``mask`` of bool, shape (batch, longest).
    """
    if not len(texts) or texts[0].ndim == 1:
        return pad(texts)
    mask = pad([np.ones(len(text), np.int32) for text in texts]) > 0
    embedded = np.zeros((*mask.shape, texts[0].shape[1]), np.float32)
    embedded[mask] = np.concatenate(texts)
    return embedded, mask
