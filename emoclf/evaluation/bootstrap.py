"""Bootstrap intervals: how far metrics vary on other texts of the same kind.

Efron and Tibshirani (1993), An Introduction to the Bootstrap: texts are drawn again
with replacement, and the middle 95 % of the values are the interval. Two classifiers
are compared on the same draws (Koehn, 2004, "Statistical Significance Tests for Machine
Translation Evaluation").

Where all texts are right, or none, every draw has the same value, and the interval
would have no width. Accuracy then has the interval of Wilson (1927, "Probable
Inference, the Law of Succession, and Statistical Inference"); other metrics have none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

N_RESAMPLES = 1000
#: Draws that are in memory at once.
BLOCK_DRAWS = 100
#: Quantile of the normal distribution for 95 % intervals.
NORMAL_QUANTILE = 1.959964


def resampled_counts(
    n: int, *, seed: int = 0, draws: int = N_RESAMPLES
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield how often each of ``n`` texts is in each resampled set.

    Sums over the texts of a draw are then a matrix product.

    Parameters
    ----------
    n : int
        Number of texts.
    seed : int
        Seed; it and the number of texts alone decide the draws.
    draws : int, default=1000
        Number of resampled sets.

    Yields
    ------
    block : slice
        Numbers of the draws.
    counts : ndarray of float32, shape (draws of the block, n)
    """
    rng = np.random.default_rng(seed)
    for start in range(0, draws, BLOCK_DRAWS):
        block = slice(start, min(start + BLOCK_DRAWS, draws))
        counts = [
            np.bincount(rng.integers(0, n, n), minlength=n)
            for _ in range(block.start, block.stop)
        ]
        yield block, np.stack(counts).astype(np.float32)


def resampled_metrics(
    predicted: np.ndarray,
    truth: np.ndarray,
    n_classes: int,
    *,
    seed: int = 0,
    draws: int = N_RESAMPLES,
) -> dict[str, np.ndarray]:
    """Return the metrics of many resampled sets of texts.

    Parameters
    ----------
    predicted, truth : ndarray
        Class ids, shape (n,); or 0 and 1, shape (n, n_classes).
    n_classes : int
    seed : int
        Seed; it and the number of texts alone decide the draws.
    draws : int, default=1000
        Number of resampled sets.

    Returns
    -------
    metrics : dict of str to ndarray of float, shape (draws,)
        ``accuracy`` and ``macro_f1``, as in ``metrics``; for multilabel texts also
        ``micro_f1``; and ``f1``, shape (draws, n_classes), NaN for labels that a draw
        does not contain.
    """
    n = len(truth)
    accuracy, macro, micro = np.empty(draws), np.empty(draws), np.empty(draws)
    f1 = np.full((draws, n_classes), np.nan)
    right = (predicted == truth).reshape(n, -1).all(1)[:, None]
    multilabel = truth.ndim == 2
    if not multilabel:
        one_hot = np.eye(n_classes, dtype=np.float32)
        predicted, truth = one_hot[predicted], one_hot[truth]
    columns = [right, truth * predicted, predicted, truth]
    per_text = np.hstack(columns, dtype=np.float32, casting="unsafe")
    for block, counts in resampled_counts(n, seed=seed, draws=draws):
        sums = counts @ per_text
        hits, n_predicted, support = np.split(sums[:, 1:], 3, axis=1)
        accuracy[block] = sums[:, 0] / n
        scores = ratio(2 * hits, n_predicted + support)
        f1[block][support > 0] = scores[support > 0]
        # As in ``metrics``, the mean is over the labels that the draw contains.
        macro[block] = ratio((scores * (support > 0)).sum(1), (support > 0).sum(1))
        micro[block] = ratio(2 * hits.sum(1), (n_predicted + support).sum(1))
    metrics = {"accuracy": accuracy, "macro_f1": macro, "f1": f1}
    return {**metrics, "micro_f1": micro} if multilabel else metrics


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Return the quotients, and 0 where the denominator is 0."""
    numerator = np.asarray(numerator, dtype=np.float64)
    zeros = np.zeros_like(numerator)
    return np.divide(numerator, denominator, out=zeros, where=denominator > 0)


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the ends of the middle 95 % of resampled values."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def wilson_interval(right: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of the share of ``right`` among ``n`` texts."""
    square = NORMAL_QUANTILE**2
    root = math.sqrt(right * (n - right) / n + square / 4)
    low, high = (
        (right + square / 2 + sign * NORMAL_QUANTILE * root) / (n + square)
        for sign in (-1, 1)
    )
    return max(0.0, low), min(1.0, high)
