"""Times, sizes and counts with units, such as 15m, 5MB and 2M."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping

#: Largest amount: whole numbers up to it are exact as floats.
MAX_AMOUNT = 1 << 53
_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_BYTES = {"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9}
_COUNT = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9}


def seconds(text: str) -> float:
    """Parse a time in seconds: ``90``, ``90s``, ``15m``, ``2h``.

    Examples
    --------
    >>> seconds("1.5h")
    5400.0
    """
    return _amount(text, _SECONDS, "a time, such as 90s, 15m or 2h")


def n_bytes(text: str) -> int:
    """Parse a size in bytes: ``5MB``, ``800kB``.

    Examples
    --------
    >>> n_bytes("5MB")
    5000000
    """
    return round(_amount(text, _BYTES, "a size, such as 800kB or 5MB"))


def count(text: str) -> int:
    """Parse a number: ``500k``, ``2M``, ``2,000,000``.

    Examples
    --------
    >>> count("2M")
    2000000
    """
    return round(_amount(text, _COUNT, "a number, such as 500k or 2M"))


def _amount(text: str, units: Mapping[str, float], description: str) -> float:
    match = re.fullmatch(r"([\d,_]*\.?\d+|[\d,_]+)\s*([a-zA-Z]*)", text.strip())
    digits = re.sub("[,_]", "", match[1]) if match else ""
    if not match or not digits or match[2].lower() not in units:
        raise argparse.ArgumentTypeError(f"{text!r} is not {description}")
    amount = float(digits) * units[match[2].lower()]
    if not amount <= MAX_AMOUNT:
        raise argparse.ArgumentTypeError(f"{text:.40} is above {MAX_AMOUNT:g}")
    return amount
