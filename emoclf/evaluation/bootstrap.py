"""How far figures would wander on other texts of the same kind.

Efron and Tibshirani (1993), An Introduction to the Bootstrap: texts are drawn again
with replacement, and the middle 95 % of the figures are the interval. Two classifiers
are compared on the same draws (Koehn, 2004, "Statistical Significance Tests for Machine
Translation Evaluation").
"""

from __future__ import annotations

import numpy as np

DRAWS = 1000


def resampled_figures(
    predicted: np.ndarray,
    truth: np.ndarray,
    n_classes: int,
    *,
    seed: int = 0,
    draws: int = DRAWS,
) -> dict[str, np.ndarray]:
    """Return accuracy and macro-F1 of many resampled sets of texts.

    Parameters
    ----------
    predicted, truth : ndarray
        Class ids, shape (n,); or 0 and 1, shape (n, n_classes).
    n_classes : int
    seed : int
        The same seed and number of texts give the same draws, whoever predicted.
    draws : int, default=1000

    Returns
    -------
    figures : dict of str to ndarray of float, shape (draws,)
    """
    n = len(truth)
    rng = np.random.default_rng(seed)
    accuracy, macro = np.empty(draws), np.empty(draws)
    if truth.ndim == 1:
        truth_hot = np.eye(n_classes, dtype=np.float32)[truth]
        guess_hot = np.eye(n_classes, dtype=np.float32)[predicted]
        right = predicted == truth
    else:
        truth_hot, guess_hot = truth.astype(np.float32), predicted.astype(np.float32)
        right = (predicted == truth).all(1)
    # A draw is how often each text came up: sums over texts are a matrix product.
    per_text = np.hstack(
        [
            right[:, None].astype(np.float32),
            truth_hot * guess_hot,
            guess_hot + truth_hot,
        ]
    )
    for start in range(0, draws, 100):
        many = min(100, draws - start)
        times = np.stack(
            [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(many)]
        ).astype(np.float32)
        sums = times @ per_text
        hits, total = sums[:, 1 : 1 + n_classes], sums[:, 1 + n_classes :]
        seen = total > 0
        scores = np.divide(2 * hits, total, out=np.zeros_like(hits), where=seen)
        accuracy[start : start + many] = sums[:, 0] / n
        macro[start : start + many] = scores.sum(1) / np.maximum(seen.sum(1), 1)
    return {"accuracy": accuracy, "macro_f1": macro}


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the middle 95 % of resampled figures."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
