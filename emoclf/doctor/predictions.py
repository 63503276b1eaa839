"""Check predictions: one class for all, labels never predicted, constant output."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emoclf.doctor.findings import Finding

COLLAPSED = 0.8
FLAT = 0.02
NEAR = 0.05
NEARLY_ALL = 0.95
UNBALANCED = 2.0
FEWEST = 10
BEGUN = 0.1


def check_collapse(
    predicted: np.ndarray,
    truth: np.ndarray,
    label_names: Sequence[str],
    *,
    prior: np.ndarray,
) -> Finding | None:
    """Say if one class takes nearly every answer, and how far imbalance explains it.

    Parameters
    ----------
    predicted, truth : ndarray of int, shape (n,)
    label_names : sequence of str
    prior : ndarray of float, shape (n_classes,)
        Shares of the classes in the training part.
    """
    if not len(predicted):
        return None
    shares = np.bincount(predicted, minlength=len(label_names)) / len(predicted)
    top = int(shares.argmax())
    there = float((truth == top).mean())
    # How far on the way from its true share to everything.
    if shares[top] < above(there, COLLAPSED) or there >= NEARLY_ALL:
        return None
    unbalanced = prior[top] > UNBALANCED * (1 - prior[top]) / (len(label_names) - 1)
    causes = ["a learning rate out of range", "dead or saturated units"]
    cures = ["a third of the learning rate, then three times as much", "clip_norm=5"]
    if unbalanced:
        causes.insert(0, f"imbalance: {prior[top]:.0%} of the training texts have it")
        cures.insert(0, "class_weight='balanced'")
    else:
        causes.append("labels that do not belong to their texts (shifted, shuffled)")
        cures.append("read a few labelled texts as the training saw them")
    return Finding(
        "class-collapse",
        "error",
        f"{shares[top]:.0%} of the texts get the label {label_names[top]!r}, which "
        f"{there:.0%} have; {prior[top]:.0%} of the training texts have it",
        {
            "label": label_names[top],
            "predicted": float(shares[top]),
            "true": there,
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
    """Say which labels are never found, though texts have them.

    Parameters
    ----------
    predicted, truth : ndarray of int
        Class ids, shape (n,); or 0 and 1, shape (n, n_classes).
    label_names : sequence of str
    prior : ndarray of float, shape (n_classes,)
    """
    if truth.ndim == 1:
        eye = np.eye(len(label_names), dtype=np.int64)
        predicted, truth = eye[predicted], eye[truth]
    there = truth.sum(0)
    hits = (truth * predicted).sum(0)
    lost = np.flatnonzero((hits == 0) & (there >= FEWEST))
    if not len(lost):
        return None
    named = ", ".join(
        f"{label_names[i]!r} ({there[i]} texts, {prior[i]:.1%} of the training part)"
        for i in lost[:5].tolist()
    )
    more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
    rare = prior[lost].mean() < 0.5 / len(label_names)
    return Finding(
        "label-never-found",
        "warning",
        f"recall is 0 for {named}{more}",
        {
            "labels": ", ".join(label_names[i] for i in lost.tolist()),
            "training": float(prior[lost].mean()),
        },
        ("imbalance: these labels are rare",)
        if rare
        else ("labels that cannot be told apart", "a training that ended too soon"),
        ("class_weight='balanced'", "more texts of these labels")
        if rare
        else ("more epochs", "read what the audit says of texts under two labels"),
    )


def check_stuck(
    probabilities: np.ndarray, truth: np.ndarray, *, prior: np.ndarray
) -> Finding | None:
    """Say if every text gets nearly the same probabilities.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, n_classes)
    truth : ndarray of int
        Class ids, shape (n,); or 0 and 1, shape (n, n_classes). A network that is
        often right has begun to learn, however flat its answers still are.
    prior : ndarray of float, shape (n_classes,)
        Shares of the classes in the training part.
    """
    if len(probabilities) < 2:
        return None
    spread = float(probabilities.std(0).max())
    if not spread < FLAT:
        return None
    if truth.ndim == 1:
        right = (probabilities.argmax(1) == truth).mean()
        if right > above(float(prior.max()), BEGUN):
            return None
    mean = probabilities.mean(0)
    shown = "[" + ", ".join(f"{p:.3f}" for p in mean[:8]) + "]"
    # Where each label is decided for itself, not to know is a half.
    uniform = np.full(len(mean), 0.5 if truth.ndim == 2 else 1 / len(mean))
    where, name = "", "stuck-at-a-constant"
    if np.abs(mean - prior).max() < NEAR:
        where, name = ": the shares of the training part", "stuck-at-prior"
    from_uniform = np.abs(mean - uniform).max()
    if from_uniform < NEAR and from_uniform <= np.abs(mean - prior).max():
        where, name = ": as good as no answer", "stuck-at-uniform"
    return Finding(
        name,
        "error",
        f"every text gets about {shown}{where} (the largest standard deviation over "
        f"texts is {spread:.2g})",
        {"spread": spread, "mean": shown},
        (
            "a learning rate far too low, or far too high",
            "gradients that vanish before they reach the embedding",
            "unmasked padding that drowns the words",
            "units that are all dead",
        ),
        (
            "ten times the learning rate, then a tenth of it",
            "masked padding",
            "activation='elu'",
            "more epochs",
        ),
    )


def above(share: float, part: float) -> float:
    """Return what lies so far on the way from a share to 1."""
    return share + part * (1 - share)
