"""Stacking texts of different lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def pad(token_ids: Sequence[np.ndarray]) -> np.ndarray:
    """Stack texts into int32 of shape (batch, longest); 0 is padding.

    The longest is at least 1, so that a batch of empty texts is still a batch.

    Examples
    --------
    >>> pad([np.array([5, 6]), np.array([7])]).tolist()
    [[5, 6], [7, 0]]
    """
    lengths = np.fromiter(map(len, token_ids), np.int64, len(token_ids))
    longest = int(lengths.max(initial=1))
    padded = np.zeros((len(token_ids), longest), np.int32)
    if len(token_ids):
        padded[np.arange(longest) < lengths[:, None]] = np.concatenate(token_ids)
    return padded


def stack(texts: Sequence[np.ndarray]) -> Any:
    """Stack texts into what a network takes.

    Parameters
    ----------
    texts : sequence of ndarray
        Token ids, each of shape (length,); or texts that come embedded, float of
        shape (length, dim).

    Returns
    -------
    inputs : ndarray, or tuple of two
        As :func:`pad`; or ``embedded`` of float32, shape (batch, longest, dim), and
        ``mask`` of bool, shape (batch, longest).
    """
    if not len(texts) or texts[0].ndim == 1:
        return pad(texts)
    mask = pad([np.ones(len(text), np.int32) for text in texts]) > 0
    embedded = np.zeros((*mask.shape, texts[0].shape[1]), np.float32)
    embedded[mask] = np.concatenate(texts)
    return embedded, mask
