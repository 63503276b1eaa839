"""What all settings share: checks, help texts, and the way from and to a mapping."""

from __future__ import annotations

import dataclasses
import math
import numbers
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Self

from emoclf.errors import SettingsError, did_you_mean

# What TOML, which has no null, says for a setting whose default is a number.
OFF = "none"


def option(
    default: Any,
    help: str,
    *,
    choices: Sequence[str] | None = None,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
) -> Any:
    """Declare one setting: its default, its help text and its allowed values.

    Parameters
    ----------
    default : object
        The value when nothing is said.
    help : str
        One line, shown by ``emoclf train --help``.
    choices : sequence of str, optional
        The only values there are.
    low, high : float, optional
        Inclusive bounds of a number, or of every number of a tuple.
    above : float, optional
        A lower bound that is itself not allowed.
    """
    bounds = {"low": low, "high": high, "above": above}
    return dataclasses.field(
        default=default, metadata={"help": help, "choices": choices, **bounds}
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Frozen, checked on creation, and equal when all values are equal."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            checked = check_value(type(self), field, value)
            object.__setattr__(self, field.name, checked)

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of all settings, in order."""
        return [field.name for field in dataclasses.fields(cls)]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make settings from a mapping; an unknown key is an error.

        Raises
        ------
        SettingsError
            If a key is unknown or a value is out of range.
        """
        for key in values:
            if key not in cls.names():
                raise SettingsError(unknown_setting(cls.__name__, key, cls.names()))
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values (lists for tuples), as TOML and JSON know them.

        A setting that is left out by default is not listed when it is left out; one
        that was switched off is "none".
        """
        values = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is None and field.default is not None:
                value = OFF
            if value is not None:
                values[field.name] = list(value) if isinstance(value, tuple) else value
        return values


def unknown_setting(owner: str, key: str, known: Sequence[str]) -> str:
    """Word the answer to a setting that does not exist."""
    return (
        f"{owner} has no setting {key!r}.{did_you_mean(key, known)} "
        f"Known: {', '.join(known)}."
    )


def check_value(owner: type, field: dataclasses.Field, value: Any) -> Any:
    """Return the value in its declared type, or say what it must be.

    Lists become tuples and whole floats become ints, since TOML and JSON know no
    better; nothing else is converted.
    """
    wanted = typing.get_type_hints(owner)[field.name]
    try:
        value = _convert(wanted, value)
        _check_range(field.metadata, value)
    except (TypeError, ValueError) as error:
        raise wrong_value(owner, field.name, value, str(error)) from None
    return value


def wrong_value(
    owner: Settings | type, name: str, value: Any, requirement: str
) -> SettingsError:
    """Return the error about a setting whose value does not meet a requirement."""
    section = owner if isinstance(owner, type) else type(owner)
    problem = f"must be {requirement}. Got {value!r} instead."
    error = SettingsError(f"The setting {name!r} of {section.__name__} {problem}")
    error.name, error.problem = name, problem
    return error


def kinds_of(wanted: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the type alone."""
    if isinstance(wanted, types.UnionType):
        return typing.get_args(wanted)
    return (wanted,)


def _convert(wanted: Any, value: Any) -> Any:
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        # A parameter grid holds NumPy's numbers and truth values.
        value = value.item()
    reasons = []
    for kind in kinds_of(wanted):
        try:
            return _convert_one(kind, value)
        except TypeError as error:
            reasons.append(str(error))
    raise TypeError(" or ".join(dict.fromkeys(reasons)))


def _convert_one(kind: Any, value: Any) -> Any:
    origin = typing.get_origin(kind)
    if kind is type(None):
        if value is None or value == OFF:
            return None
        raise TypeError("left out")
    if origin is tuple:
        if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__iter__"):
            raise TypeError(f"a list of {_NOUNS[typing.get_args(kind)[0]]}")
        return tuple(_convert_one(typing.get_args(kind)[0], item) for item in value)
    if kind is dict:
        if not isinstance(value, Mapping):
            raise TypeError("a table of names and values")
        # Text keys and plain numbers: TOML and JSON have no others.
        return {str(key): _plain(item) for key, item in value.items()}
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if kind is float and number and _fits(value):
        return float(value)
    if kind is int and number:
        if _fits(value) and int(value) == value:
            return int(value)
    elif kind in (bool, str) and isinstance(value, kind):
        return value
    raise TypeError(_NOUN[kind])


def _fits(value: Any) -> bool:
    """Say whether a number is one that a float can hold."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _plain(value: Any) -> Any:
    if isinstance(value, numbers.Real) and not isinstance(value, int | float):
        return int(value) if isinstance(value, numbers.Integral) else float(value)
    return value


_NOUN = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
_NOUNS = {int: "whole numbers", float: "numbers", str: "texts"}


def _check_range(metadata: Mapping[str, Any], value: Any) -> None:
    choices, low, high = metadata["choices"], metadata["low"], metadata["high"]
    above = metadata["above"]
    for item in value if isinstance(value, tuple) else (value,):
        if choices and isinstance(item, str) and item not in choices:
            # No full stop: check_value goes on with "Got … instead".
            close = did_you_mean(item, choices).rstrip("?").replace(" Did", " (did")
            raise ValueError(
                f"one of {', '.join(choices)}" + (f"{close}?)" if close else "")
            )
        if isinstance(item, str | bool | dict) or item is None:
            continue
        if low is not None and not item >= low:
            raise ValueError(f"at least {low:g}")
        if above is not None and not item > above:
            raise ValueError(f"above {above:g}")
        if high is not None and not item <= high:
            raise ValueError(f"at most {high:g}")
