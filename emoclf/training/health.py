"""Judgements about a network in training, from numbers alone.

Each function looks at one thing and returns a :class:`Finding`, or None when it is in
order. Nothing here records anything: that is :mod:`emoclf.training.monitor`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from emoclf.training.findings import Finding

COLLAPSED = 0.8
FLAT = 0.02
NEAR = 0.05
NEARLY_ALL = 0.95
UNBALANCED = 2.0
FEWEST = 10
DEAD = 0.3
SATURATED = 0.5
VANISHED = 1e-4
EXPLODED = 100.0
LARGE_UPDATE = 0.2
SMALL_UPDATE = 1e-6
USUAL_RATE = 30.0
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


def check_units(
    dead: Mapping[str, float], saturated: Mapping[str, float]
) -> list[Finding]:
    """Say which layers have units that never fire, or that hardly move.

    Parameters
    ----------
    dead : mapping of layer to float
        Share of its units that are zero for every text.
    saturated : mapping of layer to float
        Share of its answers within 2 % of an end of its range.
    """
    found = []
    worst = max(dead, key=lambda name: dead[name], default=None)
    if worst is not None and dead[worst] >= DEAD:
        found.append(
            Finding(
                "dead-units",
                "error" if dead[worst] > 0.9 else "warning",
                f"{dead[worst]:.0%} of the units of {worst!r} fire on no text",
                {"layer": worst, "share": float(dead[worst])},
                (
                    "a step that was too large threw their biases below zero",
                    "initial biases that are negative",
                ),
                ("a lower learning rate", "clip_norm=5", "activation='elu'"),
            )
        )
    worst = max(saturated, key=lambda name: saturated[name], default=None)
    if worst is not None and saturated[worst] >= SATURATED:
        found.append(
            Finding(
                "saturated-units",
                "warning",
                f"{saturated[worst]:.0%} of the answers of {worst!r} lie at an end of "
                "their range, where no gradient passes",
                {"layer": worst, "share": float(saturated[worst])},
                ("weights that are too large", "vectors of large norm"),
                ("a lower learning rate", "activation='relu'", "batch_norm=True"),
            )
        )
    return found


def check_gradients(norms: Mapping[str, float], *, head: str) -> Finding | None:
    """Say if gradients vanish on their way from the head, or explode.

    Parameters
    ----------
    norms : mapping of layer to float
        Root mean square of a weight's gradient, a typical step; and "all": the norm of
        all gradients.
    head : str
        The layer whose gradients have gone no way yet.
    """
    total = norms.get("all", 0.0)
    layers = {k: v for k, v in norms.items() if k not in ("all", head)}
    if total > EXPLODED or not math.isfinite(total):
        worst = max(layers, key=lambda name: layers[name], default=head)
        return Finding(
            "exploding-gradients",
            "error",
            f"the norm of the gradients is {total:.3g} in a typical step; the largest "
            f"are those of {worst!r}",
            {"norm": float(total), "layer": worst},
            (
                "a recurrent layer over many words",
                "a learning rate so large that the weights have grown",
                "embeddings of large norm",
            ),
            ("clip_norm=5", "a lower learning rate", "cell='gru'"),
        )
    reference = norms.get(head, 0.0)
    if not layers or reference <= 0:
        return None
    least = min(layers, key=lambda name: layers[name])
    if layers[least] >= VANISHED * reference:
        return None
    return Finding(
        "vanishing-gradients",
        "warning",
        f"a typical gradient of {least!r} is {layers[least]:.1g}, "
        f"{layers[least] / reference:.1g} times that of the head: it hardly learns",
        {
            "layer": least,
            "gradient": float(layers[least]),
            "head": float(reference),
        },
        (
            "a recurrent layer over many words, or over unmasked padding",
            "sigmoid or tanh units that are saturated",
            "relu units that are dead",
        ),
        (
            "pooling='max'",
            "activation='relu'",
            "shorter texts and masked padding",
        ),
    )


def check_updates(ratios: Mapping[str, float]) -> Finding | None:
    """Say if a step moves the weights far too much, or hardly at all.

    Parameters
    ----------
    ratios : mapping of layer to float
        Norm of a typical step's change, as a share of the norm of the weights. About
        0.001 to 0.05 is usual.
    """
    if not ratios:
        return None
    largest = max(ratios, key=lambda name: ratios[name])
    if ratios[largest] > LARGE_UPDATE:
        return Finding(
            "updates-too-large",
            "warning",
            f"a typical step changes the weights of {largest!r} by "
            f"{ratios[largest]:.0%} of their norm",
            {"layer": largest, "ratio": float(ratios[largest])},
            ("a learning rate that is too high",),
            ("a tenth of the learning rate", "schedule='cosine'"),
        )
    if ratios[largest] < SMALL_UPDATE:
        return Finding(
            "updates-too-small",
            "warning",
            f"a typical step changes no layer's weights by more than "
            f"{ratios[largest]:.1g} of their norm",
            {"layer": largest, "ratio": float(ratios[largest])},
            ("a learning rate that is too low", "gradients that vanish"),
            ("ten times the learning rate",),
        )
    return None


def check_rate(rate: float, *, usual: float, optimizer: str) -> Finding | None:
    """Say if the learning rate is far from what its optimizer is used with."""
    times = rate / usual
    if 1 / USUAL_RATE**2 < times < USUAL_RATE:
        return None
    side = "high" if times > 1 else "low"
    return Finding(
        "learning-rate-out-of-range",
        "warning",
        f"the learning rate of {rate:g} is {'far above' if times > 1 else 'far below'} "
        f"the usual {usual:g} of {optimizer}",
        {"learning_rate": rate, "usual": usual},
        (f"a rate that is too {side}",),
        (f"learning_rate={usual:g}",),
    )


def above(share: float, part: float) -> float:
    """Return what lies so far on the way from a share to 1."""
    return share + part * (1 - share)
