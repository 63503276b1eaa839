"""Weights of a Keras network that folds, read one by one and as they are now."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emoclf.folded.word_rows import Windows, windows_of
from emoclf.models.embedding import STATIC, TRAINED
from emoclf.models.heads import LOGITS
from emoclf.models.ngram_scores import NGRAMS


class NetworkWeights:
    """Weights of a network by their paths, such as ``conv_3/kernel``.

    Parameters
    ----------
    model : keras.Model
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self._variables = {weight.path: weight for weight in model.weights}

    def __contains__(self, path: str) -> bool:
        return path in self._variables

    def __getitem__(self, path: str) -> np.ndarray:
        return np.asarray(self._variables[path].numpy())

    def shape(self, path: str) -> tuple[int, ...]:
        """Return the shape of a weight."""
        return tuple(self._variables[path].shape)

    def rows(self, path: str, numbers: np.ndarray) -> np.ndarray:
        """Return some rows of a table, shape (len(numbers), …)."""
        return tf.gather(self._variables[path].value, numbers).numpy()

    def embedding(self, token_ids: np.ndarray | None = None) -> np.ndarray:
        """Return the vectors of tokens; two channels are concatenated.

        Parameters
        ----------
        token_ids : ndarray of int, shape (n,), optional
            Default: all tokens of the vocabulary.
        """
        paths = [f"{name}/embeddings" for name in (STATIC, TRAINED)]
        paths = [path for path in paths if path in self]
        if token_ids is None:
            return np.concatenate([self[path] for path in paths], axis=1)
        return np.concatenate([self.rows(path, token_ids) for path in paths], axis=1)

    def convolutions(
        self, settings: Any
    ) -> list[tuple[Windows, dict[int, np.ndarray], np.ndarray]]:
        """Return the windows, the kernels and the bias of filters that share windows.

        Parameters
        ----------
        settings : TextCNNSettings

        Returns
        -------
        convolutions : list of (Windows, kernels, bias)
            Kernels by size, shape (size, dim, filters); biases side by side.
        """
        convolutions = []
        for windows in windows_of(
            settings.kernel_sizes, settings.padding, settings.stride
        ):
            layers = {size: self._convolution(size) for size in windows.sizes}
            kernels = {size: kernel for size, (kernel, _) in layers.items()}
            bias = np.concatenate([bias for _, bias in layers.values()])
            convolutions.append((windows, kernels, bias))
        return convolutions

    def _convolution(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return kernel and bias, with batch normalisation multiplied in."""
        kernel = self[f"conv_{size}/kernel"]
        if f"norm_{size}/gamma" not in self:
            return kernel, self[f"conv_{size}/bias"]
        gamma, beta, mean, variance = (
            self[f"norm_{size}/{name}"]
            for name in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        epsilon = self.model.get_layer(f"norm_{size}").epsilon
        factor = gamma / np.sqrt(variance + epsilon)
        return kernel * factor, beta - mean * factor

    def head(self) -> tuple[np.ndarray, np.ndarray]:
        """Return kernel and bias of the logits, times their share beside n-grams."""
        kernel, bias = self[f"{LOGITS}/kernel"], self[f"{LOGITS}/bias"]
        if f"{NGRAMS}/share" not in self:
            return kernel, bias
        share = self[f"{NGRAMS}/share"]
        return kernel * share, bias * share
