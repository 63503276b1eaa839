"""Outcomes of searches that never ran."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from emoclf.tuning.results.outcome import COMPLETED, PRUNED, Outcome, Repeat


def outcome(
    number: int,
    scores: Sequence[float],
    values: dict[str, Any] | None = None,
    *,
    status: str = COMPLETED,
    parameters: int | None = 1000,
    **others: Any,
) -> Outcome:
    """Make a trial with one repeat per score; log loss falls as macro-F1 rises."""
    repeats = tuple(
        Repeat(
            metrics={
                "macro_f1": score,
                "accuracy": score + 0.05,
                "log_loss": 1 - score,
            },
            best_epoch=3,
            epochs=5,
            curve=(score - 0.1, score),
            seconds=2.0,
        )
        for score in map(float, scores)
    )
    values = {} if values is None else values
    return Outcome(number, values, status, repeats, parameters, **others)


def noisy_scores(
    means: np.ndarray, k: int, rng: np.random.Generator, *, shared: float = 0.0
) -> np.ndarray:
    """Draw scores of trials on shared repeats, shape (trials, k).

    Each repeat has a level of its own, ten times the noise. Of a trial's noise (sd
    0.01) the share ``shared`` is common to its repeats, as overlapping training parts
    make it.
    """
    levels = rng.normal(0, 0.1, k)
    common = rng.normal(0, 0.01 * shared**0.5, (len(means), 1))
    own = rng.normal(0, 0.01 * (1 - shared) ** 0.5, (len(means), k))
    return means[:, None] + levels + common + own


def random_search(
    n: int,
    effect: Callable[[dict[str, Any]], float],
    *,
    seed: int = 0,
    k: int = 3,
    prune_below: float | None = None,
) -> list[Outcome]:
    """Make a random search over four settings whose scores follow ``effect``.

    Trials with a mean below ``prune_below`` have their first repeat only.
    """
    rng = np.random.default_rng(seed)
    drawn = [
        {
            "learning_rate": float(10 ** rng.uniform(-4, -2)),
            "filters": int(rng.integers(1, 7)) * 50,
            "kernel_sizes": [[3], [1, 2, 3], [3, 4, 5], [7]][rng.integers(4)],
            "optimizer": ["adam", "adamw", "sgd"][rng.integers(3)],
        }
        for _ in range(n)
    ]
    means = np.array([effect(values) for values in drawn])
    found = []
    for place, scores in enumerate(noisy_scores(means, k, rng)):
        pruned = prune_below is not None and means[place] < prune_below
        found.append(
            outcome(
                place + 1,
                scores[:1] if pruned else scores,
                drawn[place],
                status=PRUNED if pruned else COMPLETED,
                parameters=drawn[place]["filters"] * 4_000,
                seconds=0.1 * drawn[place]["filters"] * (1 if pruned else k),
                began=10.0 * place,
                worker="local",
                reason="worse than the median so far" if pruned else "",
            )
        )
    return found


def hill(values: dict[str, Any]) -> float:
    """Score by the learning rate alone, best at 0.001."""
    return 0.7 - 0.1 * float(np.log10(values["learning_rate"] / 1e-3)) ** 2


def flat(values: dict[str, Any]) -> float:
    """Score everything alike."""
    return 0.7
