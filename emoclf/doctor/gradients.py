"""Check gradients, updates and units of a network in training."""

from __future__ import annotations

import math
from collections.abc import Mapping

from emoclf.doctor.findings import Finding

DEAD = 0.3
SATURATED = 0.5
VANISHED = 1e-4
EXPLODED = 100.0
LARGE_UPDATE = 0.2
SMALL_UPDATE = 1e-6
USUAL_RATE = 30.0


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
