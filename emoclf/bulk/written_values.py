"""Values of any type as cells of a table and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from emoclf.datasets.parquet import nearest_value


def as_cell(value: Any) -> str:
    """Return the text of a cell: "" for None, JSON for values that are not texts.

    Examples
    --------
    >>> as_cell("a text"), as_cell(None), as_cell(True), as_cell(["a", 1])
    ('a text', '', 'true', '["a", 1]')
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        text = to_json(value)
    except TypeError:
        return str(value)
    # A date is a string in JSON, and needs no quotes here.
    return json.loads(text) if text.startswith('"') else text


def to_json(value: Any, *, ascii: bool = False) -> str:
    """Return JSON, with null for numbers that it does not have (NaN, infinity).

    Raises
    ------
    TypeError
        If JSON has no type for a value.
    """
    try:
        return json.dumps(
            value, ensure_ascii=ascii, allow_nan=False, default=_json_value
        )
    except ValueError:
        finite = change_within(_null_for_nan, value)
        return json.dumps(finite, ensure_ascii=ascii, default=_json_value)


def _json_value(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "as_py"):
        return nearest_value(value)
    if isinstance(value, Decimal | timedelta):
        return str(value)
    raise TypeError(f"{type(value).__name__} {value!r:.60} cannot be written as JSON")


def _null_for_nan(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def change_within(change: Callable[[Any], Any], value: Any) -> Any:
    """Return a value after a change of everything in its lists and objects."""
    if isinstance(value, dict):
        pairs = value.items()
        return {change(key): change_within(change, item) for key, item in pairs}
    if isinstance(value, list | tuple):
        return type(value)(change_within(change, item) for item in value)
    return change(value)
