"""Temperature scaling: probabilities that match the accuracy.

Guo, Pleiss, Sun and Weinberger (2017), "On Calibration of Modern Neural Networks":
logits are divided by one number, which changes no ranking of the classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from emoclf.evaluation.curves import expected_calibration_error
from emoclf.evaluation.metrics import MIN_PROBABILITY, log_loss

#: Limits of the search.
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
#: Standard deviation of log temperatures before any text is seen. It keeps a few texts
#: that are all predicted correctly from making probabilities of 0 and 1.
PRIOR_DEVIATION = 0.5


def fit_temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the likeliest temperature: of many texts, that of the lowest log loss.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, n_classes)
        Of texts that the network was not trained on.
    truth : ndarray of int
        Class ids, shape (n,); or 0 and 1, shape (n, n_classes), for multilabel texts.

    Returns
    -------
    temperature : float
        Above 1 for an overconfident network; 1 if no other number is better.
    """

    def loss(log_temperature: float) -> float:
        scaled = at_temperature(
            probabilities, np.exp(log_temperature), multilabel=truth.ndim == 2
        )
        penalty = (log_temperature / PRIOR_DEVIATION) ** 2 / (2 * truth.size)
        return log_loss(scaled, truth) + penalty

    bounds = np.log([MIN_TEMPERATURE, MAX_TEMPERATURE])
    best = minimize_scalar(loss, bounds=bounds, method="bounded")
    return float(np.exp(best.x)) if best.fun < loss(0.0) else 1.0


def at_temperature(
    probabilities: np.ndarray, temperature: float, *, multilabel: bool
) -> np.ndarray:
    """Return the probabilities of logits that are divided by a temperature.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, n_classes)
        Those of the undivided logits.
    temperature : float > 0
    multilabel : bool
        Whether each label has a probability of its own.
    """
    clipped = np.clip(
        np.asarray(probabilities, np.float64), MIN_PROBABILITY, 1 - MIN_PROBABILITY
    )
    if multilabel:
        logits = np.log(clipped) - np.log1p(-clipped)
        return 1 / (1 + np.exp(-logits / temperature))
    logits = np.log(clipped) / temperature
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def calibration_errors(
    probabilities: np.ndarray, truth: np.ndarray, temperature: float
) -> dict[str, float] | None:
    """Return the expected calibration error before and after temperature scaling.

    Parameters
    ----------
    probabilities, truth
        As for :func:`fit_temperature`.
    temperature : float > 0

    Returns
    -------
    errors : dict or None
        Errors ``before`` and ``after``; None if probabilities are not finite.
    """
    if not np.isfinite(probabilities).all():
        return None
    scaled = at_temperature(probabilities, temperature, multilabel=truth.ndim == 2)
    return {
        "before": expected_calibration_error(probabilities, truth),
        "after": expected_calibration_error(scaled, truth),
    }


def calibration_sentence(metrics: Mapping[str, Any]) -> str:
    """Return what temperature scaling did, in words.

    Parameters
    ----------
    metrics : mapping
        Metrics of a bundle.

    Returns
    -------
    sentence : str
        "" for classifiers that were not calibrated, or by an emoclf before 0.6.
    """
    errors = metrics.get("calibration")
    if not errors:
        return ""
    return (
        f"Probabilities are scaled by a temperature of {metrics['temperature']:.2f}. "
        "On the validation set, on which it was fitted, the expected calibration error "
        f"is {errors['after']:.3f}, before {errors['before']:.3f}."
    )
