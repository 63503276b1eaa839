"""Decision thresholds of multilabel classifiers."""

from __future__ import annotations

import numpy as np

from emoclf.bundle.json_values import UNREACHABLE_THRESHOLD
from emoclf.classifier import DEFAULT_THRESHOLD

#: A label with fewer texts gets the median threshold: its own would be chance.
MIN_POSITIVE_TEXTS = 5
N_DRAWS = 30


def choose_thresholds(
    probabilities: np.ndarray,
    truth: np.ndarray,
    *,
    min_precision: float | None = None,
    seed: int = 0,
    draws: int = N_DRAWS,
) -> np.ndarray:
    """Choose the threshold of each label that maximises its F1, or keeps a precision.

    Lipton, Elkan and Narayanaswamy (2014), "Thresholding Classifiers to Maximize F1
    Score". The best threshold of a rare label depends on a few texts; the mean over
    resampled texts (Breiman, 1996, "Bagging Predictors") depends on them less. Use
    texts that the network was not trained on.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, n_classes)
    truth : ndarray of 0 and 1, shape (n, n_classes)
    min_precision : float in [0, 1], optional
        Choose the lowest threshold with this precision in place of the best F1. A label
        that never reaches it has a threshold that no text reaches.
    seed : int
        Seed of the resampling.
    draws : int >= 1
        Number of resampled sets of texts.

    Returns
    -------
    thresholds : ndarray of float, shape (n_classes,)
        Of the best F1, a label with fewer than five texts gets the median of the
        others, or 0.5.
    """
    if min_precision is not None:
        columns = zip(probabilities.T, truth.T, strict=True)
        return np.array([_threshold(*column, min_precision) for column in columns])
    rng = np.random.default_rng(seed)
    drawn = np.full((draws, truth.shape[1]), np.nan)
    for draw in range(draws):
        rows = rng.integers(0, len(truth), len(truth))
        for label in np.flatnonzero(truth.sum(0) >= MIN_POSITIVE_TEXTS):
            if truth[rows, label].any():
                drawn[draw, label] = _threshold(
                    probabilities[rows, label], truth[rows, label]
                )
    chosen = np.isfinite(drawn).any(0)
    thresholds = np.full(truth.shape[1], DEFAULT_THRESHOLD)
    if chosen.any():
        thresholds[chosen] = np.nanmean(drawn[:, chosen], axis=0)
        thresholds[~chosen] = np.median(thresholds[chosen])
    return thresholds


def _threshold(
    scores: np.ndarray, truth: np.ndarray, min_precision: float | None = None
) -> float:
    """Return the threshold with the largest F1, or the lowest one with a precision."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order].astype(np.float64)
    hits, predicted = np.cumsum(truth[order]), np.arange(1, len(ranked) + 1)
    if min_precision is None:
        quality = 2 * hits / (predicted + truth.sum())
    else:
        quality = hits / predicted
    # No threshold separates texts of equal score.
    quality[:-1][ranked[:-1] == ranked[1:]] = -1
    if min_precision is None:
        last = int(quality.argmax())
    else:
        (reached,) = np.nonzero(quality >= min_precision)
        if not len(reached):
            return UNREACHABLE_THRESHOLD
        last = int(reached[-1])
    # Between two scores: an export may compute the lower one a little differently.
    return float((ranked[last] + ranked[min(last + 1, len(ranked) - 1)]) / 2)
