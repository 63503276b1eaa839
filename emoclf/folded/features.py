"""From the largest sums of rows to features: step, bias and activation."""

from __future__ import annotations

import numpy as np

from emoclf.folded.head import Head, activate


class Features:
    """Activation of each filter's largest sum over the windows of a text.

    ``relu(step * x + bias)`` is ``step * relu(x + bias / step)``. So with a relu, the
    step is multiplied into the head once instead of into the features of each text.

    Parameters
    ----------
    step : ndarray of float32, shape (n_features,)
        Value of one unit of a sum.
    bias : ndarray of float32, shape (n_features,)
    activation : str

    Attributes
    ----------
    bias_units : ndarray of float32, shape (n_features,), or None
        The bias in units of sums, if features are in units of sums.
    """

    def __init__(self, step: np.ndarray, bias: np.ndarray, activation: str) -> None:
        self.step = step
        self.bias = bias
        self.activation = activation
        self.bias_units: np.ndarray | None = None
        with np.errstate(over="ignore"):
            bias_units = bias / step
        if activation == "relu" and np.isfinite(bias_units).all():
            self.bias_units = bias_units

    def head(self, head: Head) -> Head:
        """Return a head for these features."""
        return head if self.bias_units is None else head.scaled(self.step)

    def activated(self, maxima: np.ndarray) -> np.ndarray:
        """Return the features of texts that have tokens, float32.

        Parameters
        ----------
        maxima : ndarray, shape (n_features,) or (n_texts, n_features)
        """
        if self.bias_units is None:
            return activate(self.activation, maxima * self.step + self.bias)
        return activate("relu", maxima + self.bias_units)

    def __call__(self, maxima: np.ndarray, is_empty: np.ndarray) -> np.ndarray:
        """Return features, float32.

        Parameters
        ----------
        maxima : ndarray, shape (n_texts, n_features)
        is_empty : ndarray of bool, shape (n_texts,)
            Texts without tokens: their features are the activation of 0, without bias.
        """
        features = self.activated(maxima)
        features[is_empty] = activate(self.activation, np.zeros(1, np.float32))
        return features
