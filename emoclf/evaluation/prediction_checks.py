"""Checks of predictions: shapes, ids and probabilities."""

from __future__ import annotations

import numpy as np

from emoclf.errors import DataError


def checked_ids(
    predicted: np.ndarray, truth: np.ndarray, n_classes: int, where: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return both as integers, or raise a DataError that says what is wrong."""
    predicted, truth = np.asarray(predicted), np.asarray(truth)
    if not len(truth):
        raise DataError(f"{where}: there are no texts to evaluate. Give at least one.")
    if predicted.shape != truth.shape or truth.shape[1:] not in {(), (n_classes,)}:
        raise DataError(
            f"{where}: predictions and labels must both have the shape (n,) or "
            f"(n, {n_classes}). Got {predicted.shape} and {truth.shape} instead."
        )
    highest = n_classes - 1 if truth.ndim == 1 else 1
    for values in (predicted, truth):
        wrong = values[(values < 0) | (values > highest) | (values != np.floor(values))]
        if wrong.size:
            raise DataError(
                f"{where}: {wrong.flat[0].item()!r} is not a whole number from 0 to "
                f"{highest}. Use the order of the label names."
            )
    return predicted.astype(np.int64), truth.astype(np.int64)


def check_probabilities(probabilities: np.ndarray, shape: tuple[int, int]) -> None:
    """Raise a DataError unless there is a row of probabilities for each text."""
    if probabilities.shape != shape:
        raise DataError(
            f"Probabilities must have the shape {shape}, a row for each text and a "
            f"column for each label. Got {probabilities.shape} instead."
        )
    # A comparison with NaN is false, so NaN is wrong as well.
    wrong = ~((probabilities >= -1e-6) & (probabilities <= 1 + 1e-6))
    if wrong.any():
        row = int(wrong.any(1).argmax())
        raise DataError(
            f"Probabilities must be between 0 and 1. Text {row + 1} has "
            f"{float(probabilities[row][wrong[row]][0])!r} instead. Logits need a "
            "softmax or sigmoid first; NaN means that the training diverged."
        )
