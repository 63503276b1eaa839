"""From sums of rows to what the head sees: step, bias and activation."""

from __future__ import annotations

import numpy as np

from emoclf.folded.head import Head, activate


class Features:
    """Activate the largest sums of each filter, over all windows of a text.

    ``relu(step * (x + zero))`` is ``step * (max(x, -zero) + zero)``. So with a relu
    nothing but one maximum is left to do for each text; step and zero are factors of
    the head, once.

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
        #: Below it a filter does not answer; None unless the activation is a relu.
        self.floor = -bias / step if activation == "relu" else None

    def head(self, head: Head) -> Head:
        """Return a head for these features."""
        return head if self.floor is None else head.measured(self.step, -self.floor)

    def of_one(self, best: np.ndarray) -> np.ndarray:
        """Return the features of a text that has tokens, shape (n_features,)."""
        if self.floor is None:
            return activate(self.activation, best * self.step + self.bias)
        return np.maximum(best, self.floor)

    def __call__(self, best: np.ndarray, empty: np.ndarray) -> np.ndarray:
        """Return features, float32.

        Parameters
        ----------
        best : ndarray, shape (n_texts, n_features)
        empty : ndarray of int64
            Texts without any token: they have no answers, and no bias either.
        """
        if self.floor is None:
            values = best * self.step + self.bias
            values[empty] = 0
            return activate(self.activation, values)
        features = np.maximum(best, self.floor)
        features[empty] = self.floor
        return features
