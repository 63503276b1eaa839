"""Check predictions: one class for all texts, missing labels, constant output."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emoclf.doctor.findings import Finding

#: Share of texts predicted as one class, on the way from its true share (0) to 1.
COLLAPSE_FRACTION = 0.8
#: A class that so many texts have may be predicted for all of them.
DOMINANT_SHARE = 0.95
#: A class is over-represented if its share is this multiple of the others' mean share.
IMBALANCE_RATIO = 1.4
#: Standard deviation over texts below which probabilities are constant.
FLAT_STD = 0.02
#: Largest difference of probabilities that are taken for equal.
PROBABILITY_TOLERANCE = 0.05
#: With fewer texts of a label, a recall of 0 can be chance.
MIN_LABEL_TEXTS = 10
#: Accuracy above which a network has begun to learn, on the way from the largest class
#: share (0) to 1.
LEARNING_FRACTION = 0.1


def check_collapse(
    predicted: np.ndarray,
    truth: np.ndarray,
    label_names: Sequence[str],
    *,
    prior: np.ndarray,
) -> Finding | None:
    """Check whether nearly all texts are predicted as one class.

    Parameters
    ----------
    predicted, truth : ndarray of int, shape (n,)
    label_names : sequence of str
    prior : ndarray of float, shape (n_classes,)
        Class shares in the training set.
    """
    if not len(predicted):
        return None
    shares = np.bincount(predicted, minlength=len(label_names)) / len(predicted)
    top = int(shares.argmax())
    true_share = float((truth == top).mean())
    collapsed = shares[top] >= toward_one(true_share, COLLAPSE_FRACTION)
    if not collapsed or true_share >= DOMINANT_SHARE:
        return None
    mean_of_others = (1 - prior[top]) / (len(label_names) - 1)
    causes = [
        "a learning rate out of range",
        "dead or saturated units",
        "too few steps: networks begin by predicting one class",
    ]
    cures = [
        "a third of the learning rate, then three times as much",
        "clip_norm=5",
        "more epochs",
    ]
    if prior[top] > IMBALANCE_RATIO * mean_of_others:
        causes.insert(0, f"imbalance: {prior[top]:.0%} of the training texts have it")
        cures.insert(0, "class_weight='balanced'")
    else:
        causes.append("labels that do not belong to their texts (shifted, shuffled)")
        cures.append("check the labels of a few training texts")
    return Finding(
        "class-collapse",
        "error",
        f"{shares[top]:.0%} of the texts get the label {label_names[top]!r}, which "
        f"{true_share:.0%} have; {prior[top]:.0%} of the training texts have it",
        {
            "label": label_names[top],
            "predicted": float(shares[top]),
            "true": true_share,
            "training": float(prior[top]),
        },
        tuple(causes),
        tuple(cures),
    )


def check_unseen(
    predicted: np.ndarray,
    truth: np.ndarray,
    label_names: Sequence[str],
    *,
    prior: np.ndarray,
) -> Finding | None:
    """Check for labels that are never predicted correctly.

    Parameters
    ----------
    predicted, truth : ndarray of int
        Class ids, shape (n,); or 0 and 1, shape (n, n_classes).
    label_names : sequence of str
    prior : ndarray of float, shape (n_classes,)
        Class shares in the training set.
    """
    if truth.ndim == 1:
        eye = np.eye(len(label_names), dtype=np.int64)
        predicted, truth = eye[predicted], eye[truth]
    counts = truth.sum(0)
    hits = (truth * predicted).sum(0)
    missed = np.flatnonzero((hits == 0) & (counts >= MIN_LABEL_TEXTS))
    if not len(missed):
        return None
    labels = ", ".join(
        f"{label_names[i]!r} ({counts[i]} texts, {prior[i]:.1%} of the training set)"
        for i in missed[:5].tolist()
    )
    more = f" and {len(missed) - 5} more" if len(missed) > 5 else ""
    rare = prior[missed].mean() < 0.5 / len(label_names)
    return Finding(
        "label-never-found",
        "warning",
        f"recall is 0 for {labels}{more}",
        {
            "labels": ", ".join(label_names[i] for i in missed.tolist()),
            "training": float(prior[missed].mean()),
        },
        ("imbalance: these labels are rare",)
        if rare
        else ("labels that cannot be told apart", "a training that ended too early"),
        ("class_weight='balanced'", "more texts of these labels")
        if rare
        else ("more epochs", "check the audit's list of texts with two labels"),
    )


def check_stuck(
    probabilities: np.ndarray, truth: np.ndarray, *, prior: np.ndarray
) -> Finding | None:
    """Check whether every text gets nearly the same probabilities.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, n_classes)
    truth : ndarray of int
        Class ids, shape (n,); or 0 and 1, shape (n, n_classes). A network that is
        often right has begun to learn, even if its probabilities hardly vary yet.
    prior : ndarray of float, shape (n_classes,)
        Class shares in the training set.
    """
    if len(probabilities) < 2:
        return None
    spread = float(probabilities.std(0).max())
    if not spread < FLAT_STD:
        return None
    if truth.ndim == 1:
        accuracy = (probabilities.argmax(1) == truth).mean()
        if accuracy > toward_one(float(prior.max()), LEARNING_FRACTION):
            return None
    mean = probabilities.mean(0)
    rounded = "[" + ", ".join(f"{p:.3f}" for p in mean[:8]) + "]"
    # A multilabel network decides each label by itself: 0.5 is the uniform value.
    uniform = 0.5 if truth.ndim == 2 else 1 / len(mean)
    from_uniform, from_prior = np.abs(mean - uniform).max(), np.abs(mean - prior).max()
    name = "stuck-at-a-constant"
    if min(from_uniform, from_prior) < PROBABILITY_TOLERANCE:
        name = "stuck-at-prior" if from_prior < from_uniform else "stuck-at-uniform"
    comparison = {
        "stuck-at-prior": ", the class shares of the training set",
        "stuck-at-uniform": ", which is no better than a guess",
    }.get(name, "")
    return Finding(
        name,
        "error",
        f"every text gets probabilities of about {rounded}{comparison} (the largest "
        f"standard deviation over texts is {spread:.2g})",
        {"spread": spread, "mean": rounded},
        (
            "a learning rate far too low, or far too high",
            "gradients that vanish before they reach the embedding",
            "unmasked padding that outweighs the tokens",
            "units that are all dead",
        ),
        (
            "ten times the learning rate, then a tenth of it",
            "masked padding",
            "activation='elu'",
            "more epochs",
        ),
    )


def toward_one(share: float, fraction: float) -> float:
    """Return share + fraction * (1 - share)."""
    return share + fraction * (1 - share)
