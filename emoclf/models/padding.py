"""Stacking texts of different lengths."""

from __future__ import annotations

from collections.abc import Sequence

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
