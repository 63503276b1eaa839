"""From which probability on a label counts, where a text may have several."""

from __future__ import annotations

import numpy as np

# A label with fewer texts keeps the common threshold: its own would be chance.
FEWEST = 5
DRAWS = 30
HALF = 0.5


def choose_thresholds(
    probabilities: np.ndarray, truth: np.ndarray, *, seed: int = 0, draws: int = DRAWS
) -> np.ndarray:
    """Choose each label's threshold so that its F1 is largest.

    Lipton, Elkan and Narayanaswamy (2014), "Thresholding Classifiers to Maximize F1
    Score". The best threshold of a rare label hangs on a few texts; the mean over
    resampled texts (Breiman, 1996, "Bagging Predictors") hangs on them less. Fit
    thresholds on a part that the network has not learnt from.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, n_classes)
    truth : ndarray of 0 and 1, shape (n, n_classes)
    seed, draws : int
        Of the resampling.

    Returns
    -------
    thresholds : ndarray of float, shape (n_classes,)
        A label with fewer than five texts gets the median of the others, or 0.5.
    """
    rng = np.random.default_rng(seed)
    found = np.full((draws, truth.shape[1]), np.nan)
    for draw in range(draws):
        chosen = rng.integers(0, len(truth), len(truth))
        for label in np.flatnonzero(truth.sum(0) >= FEWEST):
            there = truth[chosen, label]
            if there.any():
                found[draw, label] = _best(probabilities[chosen, label], there)[0]
    known = np.isfinite(found).any(0)
    thresholds = np.full(truth.shape[1], HALF)
    if known.any():
        thresholds[known] = np.nanmean(found[:, known], axis=0)
        thresholds[~known] = np.median(thresholds[known])
    return thresholds


def best_f1(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the F1 of each label at its own best threshold.

    Parameters
    ----------
    scores : ndarray of float, shape (n, n_classes)
        Probabilities or logits.
    truth : ndarray of 0 and 1, shape (n, n_classes)

    Returns
    -------
    f1 : ndarray of float, shape (n_classes,)
        NaN for a label that no text has.
    """
    return np.array(
        [
            _best(scores[:, label], truth[:, label])[1]
            if truth[:, label].any()
            else np.nan
            for label in range(truth.shape[1])
        ]
    )


def _best(scores: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Return the threshold with the largest F1, and that F1."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order].astype(np.float64)
    hits = np.cumsum(truth[order])
    f1 = 2 * hits / (np.arange(1, len(ranked) + 1) + truth.sum())
    # Texts of equal score are taken or left together.
    f1[:-1][ranked[:-1] == ranked[1:]] = -1
    last = int(f1.argmax())
    following = ranked[last + 1] if last + 1 < len(ranked) else ranked[last]
    return float((ranked[last] + following) / 2), float(f1[last])
