"""Check the learning curves of a training."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from emoclf.doctor.findings import Finding
from emoclf.doctor.predictions import DOMINANT_SHARE, LEARNING_FRACTION, toward_one

RISING_EPOCHS = 3
#: A rise smaller than this share of the loss's total decrease is noise.
MIN_RISE_SHARE = 0.05
#: Validation loss of the kept epoch, as a multiple of the smallest one.
OVERFITTING_LOSS_RATIO = 1.25
#: Accuracies, on the way from the largest class share (0) to 1: below the first on both
#: sets the network has not learnt, above the second in training it may have memorized.
UNDERFITTING_FRACTION = 0.2
MEMORIZED_FRACTION = 0.7


def check_rising_loss(losses: Sequence[float]) -> Finding | None:
    """Check for a training loss that rises for several epochs in a row.

    Parameters
    ----------
    losses : sequence of float
        Training loss of each epoch.
    """
    last = list(losses)[-RISING_EPOCHS - 1 :]
    if len(last) <= RISING_EPOCHS or not all(map(math.isfinite, last)):
        return None
    decrease = losses[0] - min(losses)
    rises = all(after > before for before, after in itertools.pairwise(last))
    if not rises or last[-1] - last[0] <= MIN_RISE_SHARE * max(decrease, last[0]):
        return None
    return Finding(
        "loss-rises",
        "error",
        f"the training loss has risen for {RISING_EPOCHS} epochs in a row, from "
        f"{last[0]:.3g} to {last[-1]:.3g}",
        {"from": last[0], "to": last[-1]},
        ("a learning rate that is too high", "gradients that explode"),
        ("a tenth of the learning rate", "clip_norm=5", "schedule='cosine'"),
    )


def check_fit(
    *,
    accuracy: float,
    val_losses: Sequence[float],
    val_accuracy: float,
    best_epoch: int,
    prior: np.ndarray,
    multilabel: bool,
) -> Finding | None:
    """Check the curves for over-fitting and under-fitting.

    Parameters
    ----------
    accuracy : float
        Training accuracy during the last epoch: with dropout, and of weights that still
        change, so that it can be far below that of the network that is kept.
    val_losses : sequence of float
        Cross-entropy on the validation set in each epoch.
    val_accuracy : float
        Validation accuracy in the epoch that was kept.
    best_epoch : int
        Epoch (from 1) whose weights were kept.
    prior : ndarray of float, shape (n_classes,)
        Class shares in the training set.
    multilabel : bool
        A text may have several labels.
    """
    baseline = _prior_loss(prior, multilabel=multilabel)
    loss, least = val_losses[best_epoch - 1], min(val_losses)
    if loss > OVERFITTING_LOSS_RATIO * least and loss > baseline:
        return Finding(
            "over-fitting",
            "warning",
            f"the validation loss is {loss:.3g} in the epoch that was kept and was "
            f"{least:.3g} at its lowest; always predicting the class shares gives "
            f"{baseline:.3g}",
            {"loss": loss, "least": least, "prior": baseline},
            ("too many epochs for so few texts", "too little dropout"),
            ("monitor='loss'", "more dropout", "fewer filters or units", "more texts"),
        )
    majority = float(prior.max())
    if multilabel:
        return None
    memorized = accuracy >= toward_one(majority, MEMORIZED_FRACTION)
    if memorized and val_accuracy <= toward_one(majority, LEARNING_FRACTION):
        return Finding(
            "over-fitting",
            "error",
            f"{accuracy:.0%} of the training texts were predicted correctly during the "
            f"last epoch, but only {val_accuracy:.0%} of the validation texts are; "
            f"always predicting the most frequent label gives {majority:.0%}: the "
            "network memorized its texts",
            {"accuracy": accuracy, "valid": val_accuracy, "majority": majority},
            (
                "labels that do not belong to their texts",
                "far too few texts for these labels",
            ),
            ("check the labels of a few training texts", "more texts"),
        )
    learnt = toward_one(majority, UNDERFITTING_FRACTION)
    if max(accuracy, val_accuracy) >= learnt or majority >= DOMINANT_SHARE:
        return None
    return Finding(
        "under-fitting",
        "warning",
        f"{accuracy:.0%} of the training texts were predicted correctly during the "
        f"last epoch, and {val_accuracy:.0%} of the validation texts are; always "
        f"predicting the most frequent label gives {majority:.0%}",
        {"accuracy": accuracy, "valid": val_accuracy, "majority": majority},
        (
            "a training that ended too early",
            "a learning rate that is too low or too high",
            "labels that do not belong to their texts",
        ),
        ("more epochs or patience", "another learning rate", "less dropout"),
    )


def _prior_loss(prior: np.ndarray, *, multilabel: bool) -> float:
    """Return the loss of always predicting the class shares."""
    p = np.clip(prior, 1e-7, 1 - 1e-7)
    if multilabel:
        return float(-(p * np.log(p) + (1 - p) * np.log1p(-p)).mean())
    return float(-(p * np.log(p)).sum())
