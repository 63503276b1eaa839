"""From features to probabilities: activation, hidden layer, softmax or sigmoids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp

import numpy as np

#: Largest product (rows × kernel size) that OpenBLAS computes in the calling thread. On
#: a busy machine its other threads cost a hundred times what they save: 8 ms against
#: 56 µs for 512 rows by 300 by 7.
MAX_UNTHREADED_PRODUCT = 400_000
#: Rows of features in one product.
PRODUCT_ROWS = 128
#: Up to this number of classes, Python's softmax of one text is faster than NumPy's.
MAX_PYTHON_CLASSES = 32
# Converting Python's 0 to an array takes as long as the maxima of one text with it.
_ZERO = np.zeros((), np.float32)


def activate(name: str, values: np.ndarray) -> np.ndarray:
    """Apply an activation, in place where possible; all of them are monotone."""
    if name == "relu":
        return np.maximum(values, _ZERO, out=values)
    if name == "tanh":
        return np.tanh(values, out=values)
    if name == "sigmoid":
        return _sigmoid(values)
    if name == "elu":
        return np.where(values > 0, values, np.expm1(np.minimum(values, 0)))
    raise ValueError(f"Unknown activation {name!r}.")


class Head:
    """Last layers of a network, from features to probabilities.

    Parameters
    ----------
    layers : sequence of (kernel, bias)
        Arrays of float32 of shape (n_inputs, n_outputs) and (n_outputs,): the layer of
        the logits, which may follow a hidden layer.
    multilabel : bool
        One sigmoid per label, else one softmax.
    activation : str
        Activation of the hidden layer.

    Attributes
    ----------
    has_hidden : bool
    kernel, bias : ndarray of float32
        Layer of the logits, shape (width, n_classes) and (n_classes,).
    kernel_by_class : ndarray of float32, shape (n_classes, width)
    """

    def __init__(
        self,
        layers: Sequence[tuple[np.ndarray, np.ndarray]],
        multilabel: bool,
        activation: str,
    ) -> None:
        self._layers = layers
        self.multilabel = multilabel
        self.activation = activation
        self.has_hidden = len(layers) > 1
        self.kernel, self.bias = layers[-1]
        self.kernel_by_class = np.ascontiguousarray(self.kernel.T)

    def reordered(self, order: np.ndarray) -> Head:
        """Return a head for features in another order."""
        return self._with_first_kernel(lambda kernel: kernel[order])

    def scaled(self, step: np.ndarray) -> Head:
        """Return a head for features in units of ``step``, shape (n_features,)."""
        return self._with_first_kernel(lambda kernel: kernel * step[:, None])

    def _with_first_kernel(self, change: Callable[[np.ndarray], np.ndarray]) -> Head:
        (kernel, bias), *later = self._layers
        return Head([(change(kernel), bias), *later], self.multilabel, self.activation)

    def __call__(
        self, features: np.ndarray, added: np.ndarray | None = None
    ) -> np.ndarray:
        """Return probabilities, float32 of shape (n, n_classes).

        Parameters
        ----------
        features : ndarray of float32, shape (n, n_features)
        added : ndarray of float32, shape (n, n_classes), optional
            Numbers to add to the logits.
        """
        size = max(kernel.size for kernel, _ in self._layers)
        rows = min(max(MAX_UNTHREADED_PRODUCT // size, 1), PRODUCT_ROWS)
        logits = np.empty((len(features), len(self.bias)), np.float32)
        for start in range(0, len(features), rows):
            logits[start : start + rows] = self._logits(features[start : start + rows])
        if added is not None:
            logits += added
        return probabilities(logits, multilabel=self.multilabel)

    def predict_one(self, features: np.ndarray) -> np.ndarray:
        """Return the probabilities of one text, shape (1, n_classes).

        For a few classes Python's numbers are faster than small arrays.

        Parameters
        ----------
        features : ndarray of float32, shape (n_features,)
        """
        if self.has_hidden:
            return self(features[None])
        logits = self.kernel_by_class.dot(features)
        logits += self.bias
        if self.multilabel or len(logits) > MAX_PYTHON_CLASSES:
            return probabilities(logits[None], multilabel=self.multilabel)
        values = logits.tolist()
        largest = max(values)
        powers = [exp(value - largest) for value in values]
        total = sum(powers)
        return np.array([[power / total for power in powers]], np.float32)

    def _logits(self, features: np.ndarray) -> np.ndarray:
        for kernel, bias in self._layers[:-1]:
            features = features @ kernel
            features += bias
            features = activate(self.activation, features)
        logits = features @ self.kernel
        logits += self.bias
        return logits


def probabilities(logits: np.ndarray, *, multilabel: bool) -> np.ndarray:
    """Return sigmoids, or the softmax of each row; logits are overwritten."""
    if multilabel:
        return _sigmoid(logits)
    # NumPy uses vector instructions along the last axis: texts are many, classes few.
    by_class = logits.T.copy()
    by_class -= by_class.max(0)
    np.exp(by_class, out=by_class)
    by_class /= by_class.sum(0)
    logits[...] = by_class.T
    return logits


def _sigmoid(values: np.ndarray) -> np.ndarray:
    # Through tanh, which does not overflow.
    values *= 0.5
    np.tanh(values, out=values)
    values += 1
    values *= 0.5
    return values
