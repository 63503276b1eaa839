"""JSON documents from anybody: every value is read with its type and its range.

Checksums reveal damage, but do not protect from whoever wrote them. This module needs
the standard library only, since the first prediction of an export waits for it.
"""

from __future__ import annotations

import json
import math
import os
import stat
import zlib
from collections.abc import Collection
from itertools import pairwise
from pathlib import Path
from typing import Any

#: Threshold of a label that is never predicted: the first float32 number above 1.
UNREACHABLE_THRESHOLD = 1 + 2**-23

#: Key of a document's checksum.
CHECKSUM = "crc32"
#: Largest JSON document that is read; a vocabulary of a million tokens has 12 MB.
MAX_JSON_BYTES = 1 << 28


def check_regular(path: Path | str) -> int:
    """Return the size of a regular file; links to one are allowed.

    Raises
    ------
    OSError
        If there is no such file, or it is a folder, a pipe or a device, which may be
        endless.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is not a regular file")
    return status.st_size


def read_json(path: Path) -> Any:
    """Read a JSON document.

    Raises
    ------
    OSError
        If it is not a regular file or cannot be read.
    ValueError
        If it is not JSON, too large or too deep.
    """
    size = check_regular(path)
    if size > MAX_JSON_BYTES:
        raise ValueError(f"it has {size:,} bytes, more than {MAX_JSON_BYTES:,}")
    try:
        # Texts of searches may contain lone surrogates.
        return json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
    except RecursionError:
        raise ValueError("its JSON is nested too deeply") from None


class JsonObject:
    """A JSON object, whose values are checked when they are read.

    Parameters
    ----------
    values : object
        Value that must be a dict.
    name : str
        Name in messages; "" for a whole document.

    Raises
    ------
    ValueError
        From every method, if a value is missing or has another type or range.
    """

    def __init__(self, values: Any, name: str = "") -> None:
        self.name = name
        self.values: dict[str, Any] = values
        if not isinstance(values, dict):
            raise self._wrong(None, "an object", values)

    def get(self, key: str) -> Any:
        """Return a value of any type."""
        if key not in self.values:
            raise ValueError(f"{self._path(key)} is missing")
        return self.values[key]

    def object(self, key: str) -> JsonObject:
        """Return an object."""
        return JsonObject(self.get(key), self._path(key))

    def flag(self, key: str) -> bool:
        """Return true or false."""
        value = self.get(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false", value)
        return value

    def whole(self, key: str, low: int = 0, high: int = 1 << 31) -> int:
        """Return a whole number from ``low`` to ``high``."""
        value = self.get(key)
        if type(value) is not int or not low <= value <= high:
            raise self._wrong(key, f"a whole number from {low} to {high}", value)
        return value

    def number(self, key: str, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a finite number from ``low`` to ``high``."""
        value = self.get(key)
        if not _is_finite(value) or not low <= value <= high:
            raise self._wrong(key, f"a finite number from {low:g} to {high:g}", value)
        return float(value)

    def numbers(self, key: str) -> tuple[float, ...]:
        """Return a list of numbers, which may be infinite or NaN."""
        values = self.get(key)
        is_list = isinstance(values, list)
        if not is_list or not all(type(x) is float or _is_finite(x) for x in values):
            raise self._wrong(key, "a list of numbers", values)
        return tuple(map(float, values))

    def objects(self, key: str) -> list[JsonObject]:
        """Return a list of objects."""
        values = self.get(key)
        if not isinstance(values, list):
            raise self._wrong(key, "a list", values)
        return [JsonObject(value, f"{key}[{i}]") for i, value in enumerate(values)]

    def check_keys(self, keys: Collection[str]) -> None:
        """Check that there are no other values."""
        if unknown := sorted(set(self.values) - set(keys)):
            raise ValueError(f"{self._path(None)} has an unknown key {unknown[0]!r}")

    def wholes(self, key: str, low: int, high: int) -> tuple[int, ...]:
        """Return a list of different whole numbers from ``low`` to ``high``."""
        values = self.get(key)
        is_list = isinstance(values, list) and set(map(type, values)) == {int}
        if not is_list or len(set(values)) < len(values):
            raise self._wrong(key, "a list of different whole numbers", values)
        if not low <= min(values) <= max(values) <= high:
            raise self._wrong(key, f"whole numbers from {low} to {high}", values)
        return tuple(values)

    def text(self, key: str, choices: Collection[str] = ()) -> str:
        """Return a text, one of the choices if there are any."""
        value = self.get(key)
        if not isinstance(value, str) or (choices and value not in choices):
            one_of = f"one of {', '.join(choices)}" if choices else "a text"
            raise self._wrong(key, one_of, value)
        return value

    def texts(self, key: str, *, at_least: int = 0) -> list[str]:
        """Return a list of different texts."""
        value = self.get(key)
        check_texts(value, self._path(key), at_least=at_least)
        return value

    def thresholds(self, key: str, count: int) -> list[float] | None:
        """Return ``count`` numbers from 0 to 1, or None; a label may be unreachable."""
        value = self.get(key)
        if value is None:
            return None
        numbers = isinstance(value, list) and len(value) == count
        if not numbers or not all(
            x == UNREACHABLE_THRESHOLD or _is_share(x) for x in value
        ):
            raise self._wrong(key, f"{count} numbers from 0 to 1", value)
        return value

    def _path(self, key: str | None) -> str:
        if key is None:
            return f"{self.name!r}" if self.name else "the document"
        return f"{self.name}.{key}".removeprefix(".") if self.name else key

    def _wrong(self, key: str | None, kind: str, value: Any) -> ValueError:
        return ValueError(f"{self._path(key)} must be {kind}. Got {_excerpt(value)}")


def check_texts(value: Any, name: str, *, at_least: int = 0) -> None:
    """Check that a value is a list of different texts.

    Raises
    ------
    ValueError
    """
    if not isinstance(value, list) or not set(map(type, value)) <= {str}:
        raise ValueError(f"{name} must be a list of texts. Got {_excerpt(value)}")
    if len(value) < at_least:
        raise ValueError(
            f"{name} must have at least {at_least} texts. Got {_excerpt(value)}"
        )
    if len(set(value)) < len(value):
        # Counting each text would take hours for a long list.
        twice = next(a for a, b in pairwise(sorted(value)) if a == b)
        raise ValueError(f"{name} contains {_excerpt(twice)} twice")


def with_checksum(values: dict[str, Any]) -> dict[str, Any]:
    """Return a document with a CRC-32 of its own, which reveals damage."""
    entries = {name: value for name, value in values.items() if name != CHECKSUM}
    text = json.dumps(entries, sort_keys=True)
    return {**entries, CHECKSUM: zlib.crc32(text.encode())}


def check_checksum(values: Any) -> None:
    """Raise ValueError if a document does not have the checksum of its values.

    Raises
    ------
    ValueError
    """
    if values != with_checksum(JsonObject(values).values):
        raise ValueError("it was changed")


def _is_finite(value: Any) -> bool:
    # A longer integer has no float.
    is_number = type(value) is float or (type(value) is int and abs(value) < 1 << 1000)
    return is_number and math.isfinite(value)


def _is_share(value: Any) -> bool:
    return _is_finite(value) and 0 <= value <= 1


def _excerpt(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
