"""Short texts for the settings, scores, sizes and numbers of trials in reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emoclf.display import shorten_text

from ..results.objective import Objective
from ..results.outcome import Outcome

MAX_VALUE_LENGTH = 40
MISSING = "–"


def format_value(value: Any) -> str:
    """Return a setting's value as a short text; kernel sizes as in "3-4-5"."""
    if isinstance(value, list | tuple) and value:
        whole = all(isinstance(item, int) and item >= 0 for item in value)
        text = "-".join(map(str, value)) if whole else str(list(value))
    else:
        text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return shorten_text(one_line(text) or "''", MAX_VALUE_LENGTH)


def format_settings(values: Mapping[str, Any]) -> list[str]:
    """Return each setting as "name=value"."""
    return [f"{name}={format_value(value)}" for name, value in values.items()]


def format_score(outcome: Outcome, objective: Objective) -> str:
    """Return a trial's mean score, with its standard deviation over repeats."""
    score, spread = outcome.score(objective.name), outcome.spread(objective.name)
    if score is None:
        return MISSING
    return f"{score:.4f}" + ("" if spread is None else f" ± {spread:.4f}")


def format_parameters(parameters: int | None) -> str:
    """Return a number of parameters in thousands or millions."""
    if parameters is None:
        return MISSING
    if parameters < 1000:
        return str(parameters)
    if parameters < 999_500:
        return f"{parameters / 1e3:.0f} k"
    return f"{parameters / 1e6:.2f} M"


def format_numbers(numbers: Sequence[int], limit: int = 12) -> str:
    """Return the first numbers of a list, and how many more there are."""
    text = ", ".join(map(str, numbers[:limit]))
    more = len(numbers) - limit
    return f"{text} and {more} more" if more > 0 else text


def singular(kind: str) -> str:
    """Return "fold" for "folds" and "seed" for "seeds"."""
    return kind.removesuffix("s")


def one_line(text: str) -> str:
    """Return a text with single spaces and no line breaks."""
    return " ".join(text.split())
