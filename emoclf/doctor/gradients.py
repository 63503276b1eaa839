"""Check gradients, updates, units and the learning rate of a network in training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from operator import itemgetter

from emoclf.doctor.findings import Finding

DEAD_UNIT_SHARE = 0.3
#: Above this share of dead units in a layer the network is useless.
USELESS_UNIT_SHARE = 0.9
SATURATED_OUTPUT_SHARE = 0.5
#: Gradient of a layer, as a multiple of the head's.
VANISHING_RATIO = 1e-4
EXPLODING_NORM = 100.0
#: Norm of a step's change, as a multiple of the norm of the weights.
LARGE_UPDATE_RATIO = 0.2
SMALL_UPDATE_RATIO = 1e-6
#: A learning rate this many times the usual one is out of range.
HIGH_RATE_FACTOR = 30.0
LOW_RATE_FACTOR = 1 / 30.0**2


def check_units(
    dead: Mapping[str, float], saturated: Mapping[str, float]
) -> list[Finding]:
    """Check for layers with many dead units, or with many saturated outputs.

    Parameters
    ----------
    dead : mapping of layer to float
        Share of its units that are zero for every text.
    saturated : mapping of layer to float
        Share of its outputs within 2 % of a limit of their range.
    """
    findings = []
    layer, share = _largest(dead)
    if share >= DEAD_UNIT_SHARE:
        findings.append(
            Finding(
                "dead-units",
                "error" if share > USELESS_UNIT_SHARE else "warning",
                f"{share:.0%} of the units of {layer!r} are zero for every text",
                {"layer": layer, "share": float(share)},
                (
                    "a step that was too large and made their biases very negative",
                    "initial biases that are negative",
                ),
                ("a lower learning rate", "clip_norm=5", "activation='elu'"),
            )
        )
    layer, share = _largest(saturated)
    if share >= SATURATED_OUTPUT_SHARE:
        findings.append(
            Finding(
                "saturated-units",
                "warning",
                f"{share:.0%} of the outputs of {layer!r} are at a limit of their "
                "range, where the gradient is almost zero",
                {"layer": layer, "share": float(share)},
                ("weights that are too large", "vectors of large norm"),
                ("a lower learning rate", "activation='relu'", "batch_norm=True"),
            )
        )
    return findings


def check_gradients(norms: Mapping[str, float], *, head: str) -> Finding | None:
    """Check for gradients that explode, or vanish between the head and a layer.

    Parameters
    ----------
    norms : mapping of layer to float
        Root mean square of a weight's gradient in a typical step; and "all": the norm
        of all gradients.
    head : str
        Layer whose gradients the others are compared with.
    """
    total = norms.get("all", 0.0)
    layers = {k: v for k, v in norms.items() if k not in ("all", head)}
    if total > EXPLODING_NORM or not math.isfinite(total):
        layer, _ = _largest(layers or {head: total})
        return Finding(
            "exploding-gradients",
            "error",
            f"the norm of the gradients is {total:.3g} in a typical step; they are "
            f"largest in {layer!r}",
            {"norm": float(total), "layer": layer},
            (
                "a recurrent layer over many tokens",
                "weights that have grown because of a high learning rate",
                "embeddings of large norm",
            ),
            ("clip_norm=5", "a lower learning rate", "cell='gru'"),
        )
    reference = norms.get(head, 0.0)
    if not layers or reference <= 0:
        return None
    layer, gradient = min(layers.items(), key=itemgetter(1))
    if gradient >= VANISHING_RATIO * reference:
        return None
    return Finding(
        "vanishing-gradients",
        "warning",
        f"a typical gradient of {layer!r} is {gradient:.1g}, "
        f"{gradient / reference:.1g} times that of the head: the layer hardly learns",
        {"layer": layer, "gradient": float(gradient), "head": float(reference)},
        (
            "a recurrent layer over many tokens, or over unmasked padding",
            "sigmoid or tanh units that are saturated",
            "relu units that are dead",
        ),
        ("pooling='max'", "activation='relu'", "shorter texts and masked padding"),
    )


def check_updates(ratios: Mapping[str, float]) -> Finding | None:
    """Check for steps that change the weights far too much, or hardly at all.

    Parameters
    ----------
    ratios : mapping of layer to float
        Norm of a typical step's change, as a multiple of the norm of the weights. About
        0.001 to 0.05 is usual.
    """
    if not ratios:
        return None
    layer, ratio = _largest(ratios)
    evidence = {"layer": layer, "ratio": float(ratio)}
    if ratio > LARGE_UPDATE_RATIO:
        return Finding(
            "updates-too-large",
            "warning",
            f"a typical step changes the weights of {layer!r} by {ratio:.0%} of their "
            "norm",
            evidence,
            ("a learning rate that is too high",),
            ("a tenth of the learning rate", "schedule='cosine'"),
        )
    if ratio < SMALL_UPDATE_RATIO:
        return Finding(
            "updates-too-small",
            "warning",
            "a typical step changes the weights of no layer by more than "
            f"{ratio:.1g} of their norm",
            evidence,
            ("a learning rate that is too low", "gradients that vanish"),
            ("ten times the learning rate",),
        )
    return None


def check_rate(rate: float, *, usual: float, optimizer: str) -> Finding | None:
    """Check for a learning rate that is unusual for the optimizer.

    Parameters
    ----------
    rate, usual : float > 0
    optimizer : str
    """
    factor = rate / usual
    if LOW_RATE_FACTOR < factor < HIGH_RATE_FACTOR:
        return None
    side, distance = ("high", "far above") if factor > 1 else ("low", "far below")
    return Finding(
        "learning-rate-out-of-range",
        "warning",
        f"the learning rate of {rate:g} is {distance} the usual {usual:g} of "
        f"{optimizer}",
        {"learning_rate": rate, "usual": usual},
        (f"a learning rate that is too {side}",),
        (f"learning_rate={usual:g}",),
    )


def _largest(values: Mapping[str, float]) -> tuple[str, float]:
    """Return the item with the largest value; ("", 0.0) if there is none."""
    return max(values.items(), key=itemgetter(1), default=("", 0.0))
