"""What a searched setting may become, and how keras-tuner is told of it.

keras-tuner knows numbers and texts; a choice holds values of one type only. Settings
are also lists, truth values, or left out. Where the values of a choice are not all
whole numbers, all numbers or all texts, each has a label, which is JSON, and ``none``
for what is left out. A label is read by the setting's own type, so that reading needs
nothing but the setting.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from emoclf.settings.base import NONE_TEXT, Settings, kinds_of
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
        """Return a value as its section holds it.

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
        """Whether it can be left out."""
        return type(None) in self.kinds

    @property
    def whole(self) -> bool:
        """Whether it is a whole number."""
        return int in self.kinds

    @property
    def number(self) -> bool:
        """Whether it is a number at all."""
        return self.whole or float in self.kinds

    def read(self, told: Any) -> Any:
        """Return a setting's value from what keras-tuner says: JSON's plain values."""
        if isinstance(told, str):
            if told == NONE_TEXT and self.optional:
                return None
            return told if str in self.kinds else json.loads(told)
        if not self.number:
            return told
        # A model of the scores likes to go to the ends of a range, and the logarithm's
        # rounding may lie a hair outside of what the setting allows.
        value = told if self.low is None else max(told, self.low)
        value = value if self.high is None else min(value, self.high)
        return round(value) if self.whole else float(value)


@cache
def settings_of(architecture: str) -> Mapping[str, Setting]:
    """Return every setting of a run but those of its data, by name."""
    classes = section_classes(architecture)
    found = {}
    for section in (classes[name] for name in SECTIONS):
        hints = typing.get_type_hints(section)
        for field in fields(section):
            low, high = field.metadata["low"], field.metadata["high"]
            kinds = kinds_of(hints[field.name])
            found[field.name] = Setting(field.name, section, kinds, low, high)
    return found


def plain(value: Any) -> Any:
    """Return a setting's value as TOML and JSON spell it."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return NONE_TEXT if value is None else value


def label(value: Any) -> str:
    """Return the text that stands for a value in a choice."""
    value = plain(value)
    return value if isinstance(value, str) else json.dumps(value)


@dataclass(frozen=True)
class Choices:
    """One of some values: numbers, texts, truth values, tuples, or None."""

    values: tuple[Any, ...]

    def including(self, value: Any) -> Choices:
        """Return choices that have this value; numbers in order stay in order."""
        if value in self.values:
            return self
        values = (*self.values, value)
        numbers = {type(item) for item in values} <= {int, float}
        if numbers and list(self.values) == sorted(self.values):
            values = tuple(sorted(values))
        return Choices(values)

    def told(self, value: Any) -> Any:
        """Return a value as keras-tuner is told of it."""
        kinds = {type(item) for item in self.values}
        # A truth value would become a whole number in keras-tuner.
        native = len(kinds) == 1 and kinds <= {int, float, str}
        return value if native else label(value)

    def declare(self, hp: Any, name: str, default: Any) -> None:
        """Tell keras-tuner."""
        values = [self.told(value) for value in self.values]
        hp.Choice(name, values, default=self.told(default))

    def read(self, setting: Setting, values: Mapping[str, Any]) -> Any:
        """Return the setting from keras-tuner's values."""
        return setting.read(values[setting.name])

    def to_dict(self) -> dict[str, Any]:
        """Return the table that says the same."""
        return {"choices": [plain(value) for value in self.values]}


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included.

    Parameters
    ----------
    low, high : int or float
    step : int or float, optional
        From one number to the next: what is added, or with ``log`` what is multiplied
        by. Ranges with a step are told to keras-tuner as choices: its own steps of
        0.1 from 0 end at 0.4 where 0.5 was asked for, and a value that lies between
        two steps has no place there.
    log : bool
        Each factor is as likely as any other, instead of each difference.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def grid(self) -> tuple[Any, ...]:
        """Return every number of a range with a step."""
        assert self.step is not None
        found: list[Any] = []
        value = self.low
        while value <= self.high * (1 + 1e-12):
            found.append(value)
            if self.log:
                value = self.low * self.step ** len(found)
            else:
                value = self.low + self.step * len(found)
            if isinstance(value, float):
                # 0.1 + 0.2 is 0.3 to people, who compare this with what they wrote.
                value = float(f"{value:.12g}")
        return tuple(found)

    def including(self, value: Any) -> Range | Choices:
        """Return a range, or choices, that have this value."""
        if self.step is None:
            return replace(self, low=min(self.low, value), high=max(self.high, value))
        grid = self.grid()
        return self if value in grid else Choices(grid).including(value)

    def declare(self, hp: Any, name: str, default: Any) -> None:
        """Tell keras-tuner."""
        if self.step is not None:
            Choices(self.grid()).declare(hp, name, default)
        elif isinstance(self.low, int) and not self.log:
            hp.Int(name, self.low, self.high, default=default)
        else:
            # Whole numbers too, rounded when they are read: keras-tuner's own
            # logarithm of whole numbers can end at high + 1.
            hp.Float(
                name,
                float(self.low),
                float(self.high),
                sampling="log" if self.log else "linear",
                default=float(default),
            )

    def read(self, setting: Setting, values: Mapping[str, Any]) -> Any:
        """Return the setting from keras-tuner's values."""
        return setting.read(values[setting.name])

    def to_dict(self) -> dict[str, Any]:
        """Return the table that says the same."""
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
        Of whole numbers.
    patterns : Choices
        Of tuples of whole numbers, 0 being the centre itself. A size that the setting
        does not allow, such as 0, is left out of a set.
    """

    centre: Choices
    patterns: Choices

    def including(self, value: tuple[int, ...]) -> Sizes:
        """Return sets that have this one; its middle size is the centre."""
        middle, pattern = _around(value)
        return Sizes(self.centre.including(middle), self.patterns.including(pattern))

    def declare(self, hp: Any, name: str, default: tuple[int, ...]) -> None:
        """Tell keras-tuner of the two."""
        middle, pattern = _around(default)
        self.centre.declare(hp, f"{name}.centre", middle)
        self.patterns.declare(hp, f"{name}.pattern", pattern)

    def read(self, setting: Setting, values: Mapping[str, Any]) -> list[int]:
        """Return the setting from keras-tuner's values."""
        centre = values[f"{setting.name}.centre"]
        offsets = json.loads(values[f"{setting.name}.pattern"])
        assert setting.low is not None
        assert setting.high is not None
        sizes = [centre + offset for offset in offsets]
        return [size for size in sizes if setting.low <= size <= setting.high]

    def to_dict(self) -> dict[str, Any]:
        """Return the table that says the same."""
        patterns = self.patterns.to_dict()["choices"]
        return {"centre": self.centre.to_dict(), "patterns": patterns}


def _around(sizes: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    """Take sizes apart: the middle one, and how far the others are from it."""
    middle = sizes[len(sizes) // 2]
    return middle, tuple(size - middle for size in sizes)


@dataclass(frozen=True)
class Condition:
    """Search a setting only where another one, searched before it, has these values."""

    parent: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Dimension:
    """One searched setting.

    Parameters
    ----------
    name : str
        Of the setting.
    shape : Choices, Range or Sizes
        What it may become.
    needs : {"vectors", "no vectors"}, optional
        Search it only with, or only without, a file of word vectors.
    when : Condition, optional
    """

    name: str
    shape: Choices | Range | Sizes
    needs: str | None = None
    when: Condition | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the table that says the same."""
        table = self.shape.to_dict()
        if self.needs is not None:
            table["needs"] = self.needs
        if self.when is not None:
            table["when"] = {self.when.parent: [plain(v) for v in self.when.values]}
        return table
