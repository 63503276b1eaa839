"""Read single cells: a text, or the name of a part of the split."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from emoclf.errors import did_you_mean

SURROGATE = re.compile("[\ud800-\udfff]")

_PARTS = {
    "train": ("train", "training"),
    "valid": ("valid", "validation", "val", "dev", "development"),
    "test": ("test", "testing"),
}
PART_OF = {name: part for part, names in _PARTS.items() for name in names}


class BadRow(Exception):
    """A row cannot be used; rows are counted by ``reason``.

    Attributes
    ----------
    left_out : bool
        Left out on request, whatever else happens to bad rows.
    """

    left_out = False

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def utf8(text: str) -> bytes:
    """Encode text; a lone surrogate, which no file can contain, becomes U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return SURROGATE.sub("\ufffd", text).encode()


def is_missing(value: Any) -> bool:
    """Say whether a cell is empty: None, NaN, or pandas' NA and NaT."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def shorten(names: Iterable[str], limit: int = 12) -> str:
    """Join names with commas; an ellipsis replaces those beyond the limit."""
    names = list(names)
    return ", ".join(names[:limit]) + (", …" if len(names) > limit else "")


def excerpt(value: Any) -> str:
    """Return the beginning of a value's representation, however large or deep it is."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # a ValueError for integers of endless digits
        return f"a nested or very large {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:80]}…"


def any_text(value: Any) -> str:
    """Return the text of a cell unchanged; it may be empty.

    Raises
    ------
    BadRow
        If it is missing or not a text.
    """
    if isinstance(value, str):
        return str(value)
    if is_missing(value):
        raise BadRow("missing text", "the text is missing. Fill it in")
    raise BadRow(
        "text of another type",
        f"the text must be a string. Got {excerpt(value)} instead. Quote it",
    )


def read_text(value: Any) -> str:
    """Return the text of a cell unchanged.

    Raises
    ------
    BadRow
        If it is missing, empty, or not a text.
    """
    text = any_text(value)
    if not text.strip():
        raise BadRow("empty text", f"the text is empty: {value!r}. Fill it in")
    return text


def read_part(value: Any) -> str:
    """Return train, valid or test for a cell of the split column.

    Raises
    ------
    BadRow
        If the cell contains another name or nothing.
    """
    name = "" if is_missing(value) else str(value).strip()
    part = PART_OF.get(name.lower())
    if part is None:
        raise BadRow(
            "unknown part",
            f"the part {name!r} is not one of train, valid (or validation, dev), "
            f"test.{did_you_mean(name, PART_OF)} Correct the row",
        )
    return part
