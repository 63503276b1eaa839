"""How reports name figures, sizes and trials."""

from __future__ import annotations

from collections.abc import Sequence

from emoclf.evaluation.metric_names import METRICS

from .objective import Objective


def label(objective: Objective) -> str:
    """Return the figure's name as people write it."""
    return METRICS[objective.name].label


def size(parameters: int | None) -> str:
    """Show a number of parameters in thousands or millions."""
    if parameters is None:
        return "–"
    if parameters < 1000:
        return str(parameters)
    if parameters < 999_500:
        return f"{parameters / 1e3:.0f} k"
    return f"{parameters / 1e6:.2f} M"


def named(kind: str, count: int) -> str:
    """Return "folds" or "fold"."""
    return kind[:-1] if count == 1 else kind


def some(numbers: Sequence[int], most: int = 12) -> str:
    """Name some trials."""
    text = ", ".join(map(str, numbers[:most]))
    return text + (f" and {len(numbers) - most} more" if len(numbers) > most else "")
