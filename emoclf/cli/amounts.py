"""Times, sizes and counts as people write them on a command line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping

_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_BYTES = {"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9}
_COUNT = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9}


def seconds(text: str) -> float:
    """Read a time: ``90``, ``90s``, ``15m``, ``2h``.

    Examples
    --------
    >>> seconds("1.5h")
    5400.0
    """
    return _amount(text, _SECONDS, "a time, such as 90s, 15m or 2h")


def n_bytes(text: str) -> int:
    """Read a size: ``5MB``, ``800kB``.

    Examples
    --------
    >>> n_bytes("5MB")
    5000000
    """
    return round(_amount(text, _BYTES, "a size, such as 800kB or 5MB"))


def count(text: str) -> int:
    """Read a number: ``500k``, ``2M``, ``2,000,000``.

    Examples
    --------
    >>> count("2M")
    2000000
    """
    return round(_amount(text, _COUNT, "a number, such as 500k or 2M"))


def _amount(text: str, units: Mapping[str, float], wanted: str) -> float:
    found = re.fullmatch(r"([\d,_]*\.?\d+|[\d,_]+)\s*([a-zA-Z]*)", text.strip())
    digits = re.sub("[,_]", "", found[1]) if found else ""
    if not found or not digits or found[2].lower() not in units:
        raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
    return float(digits) * units[found[2].lower()]
