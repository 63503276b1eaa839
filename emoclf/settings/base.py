"""Base class of all settings: checks, help texts, conversion from and to mappings."""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from emoclf.errors import SettingsError, did_you_mean, wrong_kind

# TOML has no null: this value stands for None.
NONE_TEXT = "none"
#: Descriptions of a type, for one value and for several.
TYPE_NAMES: dict[Any, tuple[str, str]] = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    bool: ("true or false", ""),
    str: ("a text", "texts"),
}

#: Types of the settings of a class, which Python computes anew for each question.
declared_types: Callable[[Any], dict[str, Any]] = functools.cache(typing.get_type_hints)


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
        Value of the setting unless another one is given.
    help : str
        Description in ``emoclf train --help``.
    choices : sequence of str, optional
        Allowed values.
    low, high : float, optional
        Inclusive bounds of a number, or of every number of a tuple.
    above : float, optional
        Exclusive lower bound.
    """
    bounds = {"low": low, "high": high, "above": above}
    return dataclasses.field(
        default=default, metadata={"help": help, "choices": choices, **bounds}
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Frozen dataclass whose values are checked on creation."""

    def __post_init__(self) -> None:
        types_of = declared_types(type(self))
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            try:
                value = _convert(types_of[field.name], value)
                _check_range(field.metadata, value)
            except (TypeError, ValueError) as error:
                raise wrong_value(self, field.name, value, str(error)) from None
            object.__setattr__(self, field.name, value)

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of all settings, in order."""
        return [field.name for field in dataclasses.fields(cls)]

    @classmethod
    def of(cls, settings: Any, flat: Mapping[str, Any] | None = None) -> Self:
        """Return the settings that a caller gave: None, settings or a mapping.

        Parameters
        ----------
        settings : Settings, RunSettings, mapping or None
        flat : mapping, optional
            Single settings that override them.

        Raises
        ------
        SettingsError
            If it is something else, a key is unknown or a value is out of range.
        """
        # A section of RunSettings, which are defined later.
        settings = getattr(settings, "data", settings)
        if settings is None or isinstance(settings, Mapping):
            return cls.from_dict({**(settings or {}), **(flat or {})})
        if isinstance(settings, cls):
            return dataclasses.replace(settings, **cls._checked(flat or {}))
        raise SettingsError(
            wrong_kind("settings", f"{cls.__name__} or a dict of them", settings)
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Create settings from a mapping.

        Raises
        ------
        SettingsError
            If a key is unknown or a value is out of range.
        """
        return cls(**cls._checked(values))

    @classmethod
    def _checked(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values, if all names are settings."""
        for key in values:
            if key not in cls.names():
                raise SettingsError(
                    f"{cls.__name__} has no setting {key!r}."
                    f"{did_you_mean(key, cls.names())} "
                    f"Known: {', '.join(cls.names())}."
                )
        return dict(values)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for TOML and JSON, with lists for tuples.

        None is left out where it is the default, and is "none" elsewhere.
        """
        values = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is None and field.default is not None:
                value = NONE_TEXT
            if value is not None:
                values[field.name] = list(value) if isinstance(value, tuple) else value
        return values


def wrong_value(
    owner: Settings, name: str, value: Any, requirement: str
) -> SettingsError:
    """Return the error about a setting whose value does not meet a requirement."""
    problem = f"must be {requirement}. Got {value!r} instead."
    error = SettingsError(f"The setting {name!r} of {type(owner).__name__} {problem}")
    error.name, error.problem = name, problem
    return error


def kinds_of(declared: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the type alone."""
    if isinstance(declared, types.UnionType):
        return typing.get_args(declared)
    return (declared,)


def _convert(declared: Any, value: Any) -> Any:
    """Return a value in its declared type.

    Lists become tuples and whole floats become ints, since TOML has no tuples and JSON
    no ints; nothing else is converted.
    """
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        # Parameter grids contain scalars of NumPy.
        value = value.item()
    reasons = []
    for kind in kinds_of(declared):
        try:
            return _convert_one(kind, value)
        except TypeError as error:
            reasons.append(str(error))
    raise TypeError(" or ".join(dict.fromkeys(reasons)))


def _convert_one(kind: Any, value: Any) -> Any:
    origin = typing.get_origin(kind)
    if kind is type(None):
        if value is None or value == NONE_TEXT:
            return None
        raise TypeError("left out")
    if origin is tuple:
        item_kind = typing.get_args(kind)[0]
        if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__iter__"):
            raise TypeError(f"a list of {TYPE_NAMES[item_kind][1]}")
        return tuple(_convert_one(item_kind, item) for item in value)
    if kind is dict:
        if not isinstance(value, Mapping):
            raise TypeError("a table of names and values")
        # TOML and JSON have text keys and plain numbers only.
        return {str(key): _plain(item) for key, item in value.items()}
    if kind in (bool, str) and isinstance(value, kind):
        return value
    if kind is float and _is_finite_number(value):
        return float(value)
    if kind is int and _is_finite_number(value) and int(value) == value:
        return int(value)
    raise TypeError(TYPE_NAMES[kind][0])


def _is_finite_number(value: Any) -> bool:
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _plain(value: Any) -> Any:
    if isinstance(value, numbers.Real) and not isinstance(value, int | float):
        return int(value) if isinstance(value, numbers.Integral) else float(value)
    return value


def _check_range(metadata: Mapping[str, Any], value: Any) -> None:
    choices, low, high = metadata["choices"], metadata["low"], metadata["high"]
    above = metadata["above"]
    for item in value if isinstance(value, tuple) else (value,):
        if choices and isinstance(item, str) and item not in choices:
            # In parentheses, since the sentence is completed by wrong_value.
            advice = did_you_mean(item, choices).replace(" Did", " (did")
            raise ValueError(
                f"one of {', '.join(choices)}" + (f"{advice})" if advice else "")
            )
        if isinstance(item, str | bool | dict) or item is None:
            continue
        if low is not None and not item >= low:
            raise ValueError(f"at least {low:g}")
        if above is not None and not item > above:
            raise ValueError(f"above {above:g}")
        if high is not None and not item <= high:
            raise ValueError(f"at most {high:g}")
