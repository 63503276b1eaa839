"""From which probability on a label counts, where a text may have several."""

from __future__ import annotations

import numpy as np

# A label with fewer texts keeps the common threshold: its own would be chance.
FEWEST = 5


def choose_thresholds(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Choose each label's threshold so that its F1 is largest.

    Lipton, Elkan and Narayanaswamy (2014), "Thresholding Classifiers to Maximize F1
    Score". Fit them on a part that the network has not learnt from.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, n_classes)
    truth : ndarray of 0 and 1, shape (n, n_classes)

    Returns
    -------
    thresholds : ndarray of float, shape (n_classes,)
        A label with fewer than five texts gets the median of the others, or 0.5.
    """
    n_classes = truth.shape[1]
    found = np.full(n_classes, np.nan)
    for label in range(n_classes):
        if truth[:, label].sum() >= FEWEST:
            found[label] = _best(probabilities[:, label], truth[:, label])[0]
    known = found[np.isfinite(found)]
    return np.where(np.isfinite(found), found, np.median(known) if known.size else 0.5)


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
