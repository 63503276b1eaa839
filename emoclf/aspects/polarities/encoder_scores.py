"""Polarities from an encoder that stays as it is: a linear part on its token vectors.

A logistic regression reads the means of the token vectors of the target, of the tokens
before it, after it and around it, in two layers in the middle of the encoder. The last
layer, which is made for the whole text, was worse (tests/benchmarks/README.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from scipy.special import log_softmax, softmax

from emoclf.aspects.polarities.place_scores import (
    N_PLACES,
    fit_averages,
    place_weights,
    sample_rows,
)
from emoclf.aspects.polarities.polarity_targets import Target
from emoclf.bundle.json_values import JsonObject
from emoclf.contextual.input_vectors import InputVectors
from emoclf.errors import BundleError

#: Characters of a text on each side of a target that the encoder reads.
WINDOW_CHARACTERS = 250
#: Texts that are encoded together, sorted by their lengths.
BATCH_TEXTS = 32
#: Names of the arrays in a folder.
COEFFICIENTS, BIAS = "encoder/coefficients", "encoder/bias"


@dataclass(frozen=True)
class EncoderScores:
    """A logistic regression of the vectors of an encoder.

    Parameters
    ----------
    vectors : InputVectors
        The encoder, by its path or name, and its digest.
    coefficients : ndarray of float32, shape (n_features, n_classes)
    bias : ndarray of float32, shape (n_classes,)
    """

    vectors: InputVectors
    coefficients: np.ndarray
    bias: np.ndarray

    @classmethod
    def fit(
        cls,
        encoder: str,
        targets: Sequence[Target],
        label_ids: np.ndarray,
        n_classes: int,
        *,
        seed: int,
    ) -> Self:
        """Fit the regression.

        Parameters
        ----------
        encoder : str
            Folder of an encoder, or its name on the Hub.
        targets : sequence of Target
        label_ids : ndarray of int, shape (n,)
        n_classes : int
        seed : int
            Seed of the sample, if there are more than
            :data:`emoclf.aspects.polarities.place_scores.MAX_TARGETS` targets.

        Raises
        ------
        ModelError, MissingDependency
        """
        vectors = InputVectors.of_encoder(encoder, pooled=False)
        rows = sample_rows(len(targets), seed)
        features = _features(vectors, [targets[i] for i in rows])
        coefficients, bias = fit_averages(features, label_ids[rows], n_classes)
        return cls(vectors, coefficients, bias)

    def mix(
        self, probabilities: np.ndarray, targets: Sequence[Target], share: float
    ) -> np.ndarray:
        """Return probabilities whose logits are a weighted mean of both.

        Parameters
        ----------
        probabilities : ndarray, shape (n, n_classes)
            Those of the networks.
        targets : sequence of Target
        share : float in [0, 1]
            Share of the regression.
        """
        regression_logits = (
            _features(self.vectors, targets) @ self.coefficients + self.bias
        )
        network_log_probabilities = np.log(np.maximum(probabilities, 1e-9))
        return softmax(
            (1 - share) * network_log_probabilities
            + share * log_softmax(regression_logits, axis=1),
            axis=1,
        )

    def at(self, encoder: str) -> Self:
        """Return the same regression of the encoder at another path."""
        return replace(self, vectors=self.vectors.at(encoder))

    def to_values(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return a description as plain values, and the arrays."""
        return self.vectors.to_dict(), {
            COEFFICIENTS: self.coefficients,
            BIAS: self.bias,
        }

    @classmethod
    def from_values(
        cls, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray], n_classes: int
    ) -> Self:
        """Return what :meth:`to_values` described.

        Raises
        ------
        BundleError, ValueError
            If the values do not fit together.
        """
        values = JsonObject(dict(about), "encoder")
        dim = values.whole("dim", 1)
        vectors = InputVectors(dim, values.text("encoder"), values.text("digest"))
        shape = (2 * N_PLACES * dim, n_classes)
        checked_arrays = []
        for name, expected_shape in ((COEFFICIENTS, shape), (BIAS, shape[1:])):
            array = arrays.get(name)
            if (
                array is None
                or array.shape != expected_shape
                or not np.isfinite(array).all()
            ):
                raise BundleError(
                    f"The weights {name} must be finite numbers of the shape "
                    f"{expected_shape}. Got "
                    f"{'no weights' if array is None else array.shape}."
                )
            checked_arrays.append(array)
        return cls(vectors, *checked_arrays)


def _features(vectors: InputVectors, targets: Sequence[Target]) -> np.ndarray:
    """Return the mean vectors of each place, float32 (n, N_PLACES * 2 * dim)."""
    windows = [_window(target) for target in targets]
    by_text: dict[str, list[int]] = {}
    for number, window in enumerate(windows):
        by_text.setdefault(window.text, []).append(number)
    texts = sorted(by_text, key=len)
    features = np.zeros((len(targets), N_PLACES * 2 * vectors.dim), np.float32)
    for first in range(0, len(texts), BATCH_TEXTS):
        batch = texts[first : first + BATCH_TEXTS]
        states, mask, spans = vectors.middle_layers(batch)
        for row, text in enumerate(batch):
            for number in by_text[text]:
                offset = _offsets(spans[row], windows[number])
                weights = place_weights(offset[None], mask[row][None])
                features[number] = (np.array(weights[0]).T @ states[row]).ravel()
    return features


def _window(target: Target) -> Target:
    """Return a target in the characters around it."""
    text, start, stop = target
    begin = max(0, start - WINDOW_CHARACTERS)
    return Target(text[begin : stop + WINDOW_CHARACTERS], start - begin, stop - begin)


def _offsets(spans: np.ndarray, target: Target) -> np.ndarray:
    """Return the distance of each token from the target, int32 of shape (length,)."""
    inside = (spans[:, 0] < target.stop) & (spans[:, 1] > target.start)
    positions = np.arange(len(spans), dtype=np.int32)
    target_tokens = positions[inside & (spans[:, 1] > spans[:, 0])]
    # A target that the encoder does not read is after all that it does.
    first, last = (
        (target_tokens[0], target_tokens[-1])
        if len(target_tokens)
        else (len(spans),) * 2
    )
    before = np.minimum(positions - first, 0)
    return before + np.maximum(positions - last, 0)
