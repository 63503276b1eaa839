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
    """Return the figures of many resampled sets of texts.

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
    metrics : dict of str to ndarray of float, shape (draws,)
        ``accuracy`` and ``macro_f1``, as in ``metrics``; for several labels also
        ``micro_f1``.
    """
    n = len(truth)
    rng = np.random.default_rng(seed)
    accuracy, macro, micro = np.empty(draws), np.empty(draws), np.empty(draws)
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
            guess_hot,
            truth_hot,
        ]
    )
    for start in range(0, draws, 100):
        many = min(100, draws - start)
        times = np.stack(
            [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(many)]
        ).astype(np.float32)
        sums = times @ per_text
        hits, guessed, there = np.split(sums[:, 1:], 3, axis=1)
        block = slice(start, start + many)
        accuracy[block] = sums[:, 0] / n
        scores = ratio(2 * hits, guessed + there)
        # As macro_f1 does: a label that a draw left out has no say in it.
        macro[block] = ratio((scores * (there > 0)).sum(1), (there > 0).sum(1))
        micro[block] = ratio(2 * hits.sum(1), (guessed + there).sum(1))
    metrics = {"accuracy": accuracy, "macro_f1": macro}
    return metrics if truth.ndim == 1 else {**metrics, "micro_f1": micro}


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Divide, and answer 0 where there is nothing to divide by."""
    above = np.asarray(above, dtype=np.float64)
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the middle 95 % of resampled figures."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
