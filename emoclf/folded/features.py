"""From sums of rows to what the head sees: step, bias and activation."""

from __future__ import annotations

import numpy as np

from emoclf.folded.head import Head, activate


class Features:
    """Activate the largest sums of each filter, over all windows of a text.

    ``relu(step * x + bias)`` is ``step * relu(x + bias / step)``: with a relu, step is
    a factor of the head, once, and not of each text.

    Parameters
    ----------
    step : ndarray of float32, shape (n_features,)
        What one unit of a sum is worth.
    bias : ndarray of float32, shape (n_features,)
    activation : str
    """

    def __init__(self, step: np.ndarray, bias: np.ndarray, activation: str) -> None:
        self.step = step
        self.bias = bias
        self.activation = activation
        #: The bias in units of sums, where features are counted in those.
        self.zero: np.ndarray | None = None
        with np.errstate(over="ignore"):
            zero = bias / step
        if activation == "relu" and np.isfinite(zero).all():
            self.zero = zero

    def head(self, head: Head) -> Head:
        """Return a head for these features."""
        return head if self.zero is None else head.scaled(self.step)

    def activated(self, best: np.ndarray) -> np.ndarray:
        """Return the features of texts that have tokens, float32.

        Parameters
        ----------
        best : ndarray, shape (n_features,) or (n_texts, n_features)
        """
        if self.zero is None:
            return activate(self.activation, best * self.step + self.bias)
        return activate("relu", best + self.zero)

    def __call__(self, best: np.ndarray, empty: np.ndarray) -> np.ndarray:
        """Return features, float32.

        Parameters
        ----------
        best : ndarray, shape (n_texts, n_features)
        empty : ndarray of int64
            Texts without any token: they have no answers, and no bias either.
        """
        features = self.activated(best)
        features[empty] = activate(self.activation, np.zeros(1, np.float32))
        return features
