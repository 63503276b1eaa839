"""The dimensions of a search space, and their hyperparameters in keras-tuner.

keras-tuner has numbers and texts only, and the values of a choice must be of one type.
Settings can also be lists, booleans, or None. Unless all values of a choice are
integers, all floats or all texts, each is encoded as a text: JSON, or ``none`` for
None. Decoding such a text needs nothing but the type of the setting.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from emoclf.settings.base import NONE_TEXT, Settings, declared_types, kinds_of
from emoclf.settings.run_settings import section_classes

SECTIONS = ("text", "embedding", "model", "training")
VECTORS, NO_VECTORS = "vectors", "no vectors"
NEEDS = (VECTORS, NO_VECTORS)


@dataclass(frozen=True)
class Setting:
    """A setting: its section, its types, and the bounds of its numbers."""

    name: str
    section: type[Settings]
    kinds: tuple[Any, ...]
    low: float | None
    high: float | None

    def checked(self, value: Any) -> Any:
        """Return a value as its section stores it.

        Raises
        ------
        SettingsError
            If the section refuses it.
        """
        if value == NONE_TEXT and self.optional:
            value = None
        return getattr(self.section.from_dict({self.name: value}), self.name)

    @property
    def optional(self) -> bool:
        """Whether it can be None."""
        return type(None) in self.kinds

    @property
    def whole(self) -> bool:
        """Whether it is a whole number."""
        return int in self.kinds

    @property
    def number(self) -> bool:
        """Whether it is a whole number or a float."""
        return self.whole or float in self.kinds

    def decode(self, value: Any) -> Any:
        """Return the setting for a value from keras-tuner, as plain JSON values."""
        if isinstance(value, str):
            if value == NONE_TEXT and self.optional:
                return None
            return value if str in self.kinds else json.loads(value)
        if not self.number:
            return value
        # Bayesian search goes to the ends of a range, and rounding of the logarithm can
        # lead slightly outside the bounds of the setting.
        value = value if self.low is None else max(value, self.low)
        value = value if self.high is None else min(value, self.high)
        return round(value) if self.whole else float(value)


@cache
def settings_of(architecture: str) -> Mapping[str, Setting]:
    """Return every setting of a run by name, except those of its data."""
    classes = section_classes(architecture)
    settings = {}
    for section in (classes[name] for name in SECTIONS):
        hints = declared_types(section)
        for field in fields(section):
            low, high = field.metadata["low"], field.metadata["high"]
            kinds = kinds_of(hints[field.name])
            settings[field.name] = Setting(field.name, section, kinds, low, high)
    return settings


def plain(value: Any) -> Any:
    """Return a setting's value as in TOML and JSON, with "none" for None."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return NONE_TEXT if value is None else value


class _SingleValue:
    """A dimension that is one hyperparameter in keras-tuner."""

    def decode(self, setting: Setting, values: Mapping[str, Any]) -> Any:
        """Return the setting from keras-tuner's values."""
        return setting.decode(values[setting.name])


@dataclass(frozen=True)
class Choices(_SingleValue):
    """A list of values: numbers, texts, booleans, tuples, or None."""

    values: tuple[Any, ...]

    def including(self, value: Any) -> Choices:
        """Return choices with this value added; sorted numbers stay sorted."""
        if value in self.values:
            return self
        values = (*self.values, value)
        numbers = {type(item) for item in values} <= {int, float}
        if numbers and list(self.values) == sorted(self.values):
            values = tuple(sorted(values))
        return Choices(values)

    def encode(self, value: Any) -> Any:
        """Return a value for keras-tuner."""
        kinds = {type(item) for item in self.values}
        # keras-tuner would turn a boolean into a whole number.
        if len(kinds) == 1 and kinds <= {int, float, str}:
            return value
        value = plain(value)
        return value if isinstance(value, str) else json.dumps(value)

    def declare(self, hp: Any, name: str, default: Any) -> None:
        """Declare the hyperparameter to keras-tuner."""
        values = [self.encode(value) for value in self.values]
        hp.Choice(name, values, default=self.encode(default))

    def to_dict(self) -> dict[str, Any]:
        """Return the table of a space file for these choices."""
        return {"choices": [plain(value) for value in self.values]}


@dataclass(frozen=True)
class Range(_SingleValue):
    """Numbers from ``low`` to ``high``, both included.

    Parameters
    ----------
    low, high : int or float
    step : int or float, optional
        Difference between two numbers; with ``log`` their ratio. A range with a step is
        declared to keras-tuner as choices: its own steps of 0.1 from 0 to 0.5 end at
        0.4, and it has no place for a value between two steps.
    log : bool
        Whether equal ratios are equally likely, instead of equal differences.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def grid(self) -> tuple[Any, ...]:
        """Return every number of a range with a step."""
        assert self.step is not None
        numbers: list[Any] = []
        value = self.low
        while value <= self.high * (1 + 1e-12):
            # Rounded, so that 0.1 + 0.2 equals the 0.3 that a user writes.
            numbers.append(value if isinstance(value, int) else float(f"{value:.12g}"))
            n = len(numbers)
            value = self.low * self.step**n if self.log else self.low + self.step * n
        return tuple(numbers)

    def including(self, value: Any) -> Range | Choices:
        """Return a range, or choices, with this value added."""
        if self.step is None:
            return replace(self, low=min(self.low, value), high=max(self.high, value))
        grid = self.grid()
        return self if value in grid else Choices(grid).including(value)

    def declare(self, hp: Any, name: str, default: Any) -> None:
        """Declare the hyperparameter to keras-tuner."""
        if self.step is not None:
            Choices(self.grid()).declare(hp, name, default)
        elif isinstance(self.low, int) and not self.log:
            hp.Int(name, self.low, self.high, default=default)
        else:
            # Also whole numbers, which decode() rounds: keras-tuner's own logarithmic
            # scale of whole numbers can end at high + 1.
            hp.Float(
                name,
                float(self.low),
                float(self.high),
                sampling="log" if self.log else "linear",
                default=float(default),
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the table of a space file for this range."""
        table: dict[str, Any] = {"low": self.low, "high": self.high}
        if self.step is not None:
            table["step"] = self.step
        return {**table, "log": True} if self.log else table


@dataclass(frozen=True)
class Sizes:
    """Sets of kernel sizes: a centre, and a pattern of sizes around it.

    Zhang and Wallace (2015), section 4.3: find the best single size, then combine
    sizes near it.

    Parameters
    ----------
    centre : Choices
        Whole numbers.
    patterns : Choices
        Tuples of whole numbers, which are added to the centre. Sizes that the setting
        does not allow, such as 0, are left out of a set.
    """

    centre: Choices
    patterns: Choices

    def including(self, value: tuple[int, ...]) -> Sizes:
        """Return sets with this one added; its middle size is the centre."""
        middle, pattern = _split_sizes(value)
        return Sizes(self.centre.including(middle), self.patterns.including(pattern))

    def declare(self, hp: Any, name: str, default: tuple[int, ...]) -> None:
        """Declare both hyperparameters to keras-tuner."""
        middle, pattern = _split_sizes(default)
        self.centre.declare(hp, f"{name}.centre", middle)
        self.patterns.declare(hp, f"{name}.pattern", pattern)

    def decode(self, setting: Setting, values: Mapping[str, Any]) -> list[int]:
        """Return the setting from keras-tuner's values."""
        centre = values[f"{setting.name}.centre"]
        offsets = json.loads(values[f"{setting.name}.pattern"])
        assert setting.low is not None
        assert setting.high is not None
        sizes = [centre + offset for offset in offsets]
        return [size for size in sizes if setting.low <= size <= setting.high]

    def to_dict(self) -> dict[str, Any]:
        """Return the table of a space file for these sets."""
        patterns = self.patterns.to_dict()["choices"]
        return {"centre": self.centre.to_dict(), "patterns": patterns}


def _split_sizes(sizes: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    """Return the middle size, and the offset of each size from it."""
    middle = sizes[len(sizes) // 2]
    return middle, tuple(size - middle for size in sizes)


@dataclass(frozen=True)
class Condition:
    """Condition that another setting, searched before, has one of these values."""

    parent: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Dimension:
    """One searched setting.

    Parameters
    ----------
    name : str
        Name of the setting.
    shape : Choices, Range or Sizes
        Its possible values.
    needs : {"vectors", "no vectors"}, optional
        Whether it is searched only with, or only without, a file of word vectors.
    when : Condition, optional
    """

    name: str
    shape: Choices | Range | Sizes
    needs: str | None = None
    when: Condition | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the table of a space file for this dimension."""
        table = self.shape.to_dict()
        if self.needs is not None:
            table["needs"] = self.needs
        if self.when is not None:
            table["when"] = {self.when.parent: [plain(v) for v in self.when.values]}
        return table
