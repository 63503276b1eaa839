"""Judgements about the curves of a training."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from emoclf.doctor.findings import Finding
from emoclf.doctor.predictions import BEGUN, NEARLY_ALL, above

RISES = 3
WORSE = 1.25
LEARNT = 0.2
BY_HEART = 0.7


def check_rising_loss(losses: Sequence[float]) -> Finding | None:
    """Say if the training loss has risen for several epochs in a row.

    Parameters
    ----------
    losses : sequence of float
        Of the training part, epoch by epoch.
    """
    last = list(losses)[-RISES - 1 :]
    if len(last) <= RISES or not all(map(math.isfinite, last)):
        return None
    won = losses[0] - min(losses)
    rises = all(late > early for early, late in itertools.pairwise(last))
    # What wanders at the end of a training is no rise.
    if not rises or last[-1] - last[0] <= 0.05 * max(won, last[0]):
        return None
    return Finding(
        "loss-rises",
        "error",
        f"the training loss has risen {RISES} epochs in a row, from {last[0]:.3g} to "
        f"{last[-1]:.3g}",
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
    """Tell over-fitting and under-fitting from the curves.

    Parameters
    ----------
    accuracy : float
        On the training part, in the last epoch.
    val_losses : sequence of float
        Cross-entropy on the validation part, epoch by epoch.
    val_accuracy : float
        On the validation part, in the epoch that was kept.
    best_epoch : int
        From 1; whose weights were kept.
    prior : ndarray of float, shape (n_classes,)
    multilabel : bool
        A text may have several labels.
    """
    baseline = _prior_loss(prior, multilabel=multilabel)
    at_best = val_losses[best_epoch - 1]
    if at_best > WORSE * min(val_losses) and at_best > baseline:
        return Finding(
            "over-fitting",
            "warning",
            f"the validation loss is {at_best:.3g} in the epoch that was kept, and was "
            f"{min(val_losses):.3g} at its best; answering the shares of the classes "
            f"gives {baseline:.3g}",
            {"loss": at_best, "least": min(val_losses), "prior": baseline},
            ("too many epochs for so few texts", "too little dropout"),
            ("monitor='loss'", "more dropout", "fewer filters or units", "more texts"),
        )
    majority = float(prior.max())
    by_heart = accuracy >= above(majority, BY_HEART)
    by_heart = by_heart and val_accuracy <= above(majority, BEGUN)
    if by_heart and not multilabel:
        return Finding(
            "over-fitting",
            "error",
            f"{accuracy:.0%} of the training texts are answered rightly, and "
            f"{val_accuracy:.0%} of the validation texts; always answering the "
            f"commonest label gives {majority:.0%}: it learnt its texts by heart",
            {"accuracy": accuracy, "valid": val_accuracy, "majority": majority},
            (
                "labels that do not belong to their texts",
                "far too few texts for these labels",
            ),
            ("read a few labelled texts as the training saw them", "more texts"),
        )
    if multilabel or majority >= NEARLY_ALL or accuracy >= above(majority, LEARNT):
        return None
    return Finding(
        "under-fitting",
        "warning",
        f"after the last epoch {accuracy:.0%} of the training texts are answered "
        f"rightly; always answering the commonest label gives {majority:.0%}",
        {"accuracy": accuracy, "majority": majority},
        (
            "a training that ended too soon",
            "a learning rate that is too low or too high",
            "labels that do not belong to their texts",
        ),
        ("more epochs or patience", "another learning rate", "less dropout"),
    )


def _prior_loss(prior: np.ndarray, *, multilabel: bool) -> float:
    """Return the loss of always answering the shares of the classes."""
    p = np.clip(prior, 1e-7, 1 - 1e-7)
    if multilabel:
        return float(-(p * np.log(p) + (1 - p) * np.log1p(-p)).mean())
    return float(-(p * np.log(p)).sum())
