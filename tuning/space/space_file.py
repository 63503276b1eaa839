"""Read the tables of a search space, and explain mistakes in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emoclf.errors import SearchError, SettingsError, did_you_mean
from emoclf.settings import DataSettings

from .dimension import (
    NEEDS,
    Choices,
    Condition,
    Dimension,
    Range,
    Setting,
    Sizes,
    settings_of,
)

SIZES_SETTING = "kernel_sizes"
MAX_STEPS = 1000
_TOKENS = "all trials have the same tokens"
NOT_SEARCHED = {
    "architecture": "a search has one architecture",
    "seed": "each trial derives its own from the search's seed",
    "vectors": "all trials share one file of vectors",
    "vectors_limit": "all trials share one file of vectors",
    "tokenizer": _TOKENS,
    "lowercase": _TOKENS,
    "stop_words": _TOKENS,
    "monitor": "it chooses the epoch, and trials are compared by it",
    **dict.fromkeys(DataSettings.names(), "all trials have the same texts"),
}
# Keys of a table, and the methods of _TableReader for the shapes that they describe.
SHAPES = {
    **dict.fromkeys(("low", "high", "step", "log"), "range"),
    "choices": "choices",
    **dict.fromkeys(("centre", "patterns"), "sizes"),
}
KEYS = (*SHAPES, "needs", "when")


def read_dimensions(
    architecture: str, tables: Mapping[str, Any], *, document: str
) -> tuple[Dimension, ...]:
    """Return the dimensions in the tables of a document, in their order.

    Raises
    ------
    SearchError
        With the document, the table, the value received and what to do.
    """
    if not tables:
        raise SearchError(
            f"{document} has nothing to search. Add a table named after a setting, for "
            "instance [learning_rate] with low = 2e-4, high = 5e-3 and log = true."
        )
    settings = settings_of(architecture)
    searchable = [name for name in settings if name not in NOT_SEARCHED]
    dimensions: dict[str, Dimension] = {}
    for name, table in tables.items():
        location = f"{document}, [{name}]"
        if name in NOT_SEARCHED:
            raise SearchError(
                f"{location}: {name!r} cannot be searched, because "
                f"{NOT_SEARCHED[name]}. Remove the table, and give it as a setting."
            )
        if name not in settings:
            raise SearchError(
                f"{location}: {architecture} has no setting {name!r}."
                f"{did_you_mean(name, searchable)} What can be searched: "
                f"{', '.join(searchable)}."
            )
        reader = _TableReader(location, settings[name], table, settings)
        dimensions[name] = reader.dimension(dimensions, tables)
    return tuple(dimensions.values())


@dataclass(frozen=True)
class _TableReader:
    """Reader of one table, with the location for its error messages."""

    location: str
    setting: Setting
    table: Any
    settings: Mapping[str, Setting]

    def dimension(
        self, before: Mapping[str, Dimension], tables: Mapping[str, Any]
    ) -> Dimension:
        shape = getattr(self, self.shape_name())()
        needs = self.table.get("needs")
        if needs is not None and needs not in NEEDS:
            raise self.error(
                f"needs must be {' or '.join(map(repr, NEEDS))}. Got {needs!r} "
                f"instead.{did_you_mean(needs, NEEDS)}"
            )
        when = self.condition(before, tables) if "when" in self.table else None
        return Dimension(self.setting.name, shape, needs, when)

    def error(self, text: str) -> SearchError:
        return SearchError(f"{self.location}: {text}")

    def checked(self, value: Any, setting: Setting | None = None) -> Any:
        """Return a value as the settings store it, or raise SearchError."""
        if isinstance(value, Mapping):
            raise self.error(
                f"a table cannot be searched as a value. Got {value!r}. Remove it."
            )
        try:
            return (setting or self.setting).checked(value)
        except SettingsError as error:
            raise self.error(str(error)) from None

    def shape_name(self) -> str:
        """Return the shape that the keys of the table belong to."""
        if not isinstance(self.table, Mapping):
            raise self.error(
                "this must be a table, with low and high, or with choices. Got "
                f"{self.table!r} instead."
            )
        for key in self.table:
            if key not in KEYS:
                raise self.error(
                    f"there is no key {key!r}.{did_you_mean(key, KEYS)} Known: "
                    f"{', '.join(KEYS)}."
                )
        got = f"Got {dict(self.table)!r}"
        given = [key for key in SHAPES if key in self.table]
        if not given:
            raise self.error(
                f"no values were given. {got}. Write low and high, or choices."
            )
        for key in given:
            if SHAPES[key] != SHAPES[given[0]]:
                raise self.error(
                    f"{given[0]} and {key} do not go together. {got}. Remove one of "
                    "them."
                )
        return SHAPES[given[0]]

    def range(self) -> Range:
        """Read low, high, step and log."""
        if not self.setting.number:
            raise self.error(
                f"{self.setting.name} is not a number, so it has no range. Got "
                f"{dict(self.table)!r}. Write choices = […]."
            )
        low, high = (self.checked(self.number(key)) for key in ("low", "high"))
        if not low < high:
            raise self.error(
                f"low must be below high. Got low = {low!r} and high = {high!r}. For a "
                "single value, give it as a setting."
            )
        log = self.table.get("log", False)
        if not isinstance(log, bool):
            raise self.error(f"log must be true or false. Got {log!r} instead.")
        if log and low <= 0:
            raise self.error(
                f"a range with log must begin above 0. Got low = {low!r}. Raise it, or "
                "remove log."
            )
        step = self.step(low, high, log=log) if "step" in self.table else None
        return Range(low, high, step, log)

    def number(self, key: str) -> float:
        if key not in self.table:
            raise self.error(
                f"{key} is missing. Got {dict(self.table)!r}. A range has low and high."
            )
        value = self.table[key]
        # TOML also has nan, inf, and whole numbers that are too large for a float.
        if type(value) not in (int, float) or not abs(value) < 1e300:
            raise self.error(f"{key} must be a number. Got {value!r} instead.")
        return value

    def step(self, low: float, high: float, *, log: bool) -> float | None:
        """Read a step that gives at least two numbers, and not too many.

        Steps of 1 between whole numbers are those of a range without a step: None.
        """
        step = self.number("step")
        if not step > (1 if log else 0):
            bound = "above 1, since log multiplies by it" if log else "above 0"
            raise self.error(f"step must be {bound}. Got {step!r} instead.")
        if self.setting.whole and step != int(step):
            raise self.error(f"step must be a whole number. Got {step!r} instead.")
        if step == 1 and self.setting.whole:
            return None
        step = int(step) if self.setting.whole else float(step)
        steps = math.log(high / low, step) if log else (high - low) / step
        got = f"Got step = {step!r} from {low!r} to {high!r}"
        if steps < 1 - 1e-9:
            raise self.error(
                f"the first step is already past high. {got}. Make it smaller."
            )
        if steps > MAX_STEPS:
            raise self.error(
                f"there are more than {MAX_STEPS} steps. {got}. Make it larger, or "
                "remove it."
            )
        return step

    def choices(self) -> Choices:
        return Choices(self.values_of("choices", self.table, 2, self.checked))

    def values_of(
        self,
        key: str,
        table: Mapping[str, Any],
        minimum: int,
        read: Callable[[Any], Any],
    ) -> tuple[Any, ...]:
        """Return the different values of a list."""
        values = table.get(key)
        if not isinstance(values, list | tuple):
            raise self.error(f"{key} must be a list. Got {values!r} instead.")
        if len(values) < minimum:
            raise self.error(
                f"{key} must have {minimum} values or more. Got {values!r} instead. "
                "For a single value, give it as a setting."
            )
        read_values = tuple(map(read, values))
        for index, value in enumerate(read_values):
            if value in read_values[:index]:
                raise self.error(
                    f"{key} has {value!r} twice. Got {values!r}. Remove one of them."
                )
        return read_values

    def sizes(self) -> Sizes:
        """Read a centre and the patterns around it."""
        if self.setting.name != SIZES_SETTING:
            raise self.error(
                f"centre and patterns are for {SIZES_SETTING}. Got "
                f"{dict(self.table)!r}. Write choices = […]."
            )
        centres = self.centres()
        patterns = self.values_of("patterns", self.table, 1, self.pattern)
        if len(centres) * len(patterns) < 2:
            raise self.error(
                f"there is only one set of sizes. Got {dict(self.table)!r}. Add a "
                "pattern, or widen the centre."
            )
        return Sizes(Choices(centres), Choices(patterns))

    def centres(self) -> tuple[int, ...]:
        centre = self.table.get("centre")
        keys = {*centre} if isinstance(centre, Mapping) else set()
        if keys == {"choices"}:
            return self.values_of("choices", centre, 1, self.size)
        if keys != {"low", "high"}:
            raise self.error(
                "centre must be { low = …, high = … } or { choices = […] }. Got "
                f"{centre!r} instead."
            )
        low, high = self.size(centre["low"]), self.size(centre["high"])
        if low > high:
            raise self.error(f"low is above high in centre. Got {centre!r}. Swap them.")
        return tuple(range(low, high + 1))

    def size(self, value: Any) -> int:
        return self.checked([value])[0]

    def pattern(self, pattern: Any) -> tuple[int, ...]:
        whole = isinstance(pattern, list | tuple) and {*map(type, pattern)} == {int}
        if not whole or 0 not in pattern or len({*pattern}) < len(pattern):
            raise self.error(
                "a pattern must be a list of different whole numbers with 0, the "
                f"centre, among them. Got {pattern!r} instead."
            )
        return tuple(pattern)

    def condition(
        self, before: Mapping[str, Dimension], tables: Mapping[str, Any]
    ) -> Condition:
        """Read the condition: a setting of an earlier table, and its values."""
        when = self.table["when"]
        if not isinstance(when, Mapping) or len(when) != 1:
            raise self.error(
                "when must be one setting and a list of its values, for instance "
                f'{{ optimizer = ["adamw"] }}. Got {when!r} instead.'
            )
        ((parent, values),) = when.items()
        shape = before[parent].shape if parent in before else None
        if not isinstance(shape, Choices):
            problem = self._problem(parent, before, tables)
            raise self.error(f"when names {parent!r}{problem}")
        if not isinstance(values, list | tuple) or not values:
            raise self.error(
                f"when must have a list of values of {parent!r}. Got {values!r} "
                "instead."
            )
        values = [self.checked(value, self.settings[parent]) for value in values]
        for value in values:
            if value not in shape.values:
                choices = [str(choice) for choice in shape.to_dict()["choices"]]
                raise self.error(
                    f"when names {parent} = {value!r}, which is not searched."
                    f"{did_you_mean(str(value), choices)} Known: {', '.join(choices)}."
                )
        return Condition(parent, tuple(dict.fromkeys(values)))

    def _problem(
        self, parent: str, before: Mapping[str, Dimension], tables: Mapping[str, Any]
    ) -> str:
        """Return why a condition cannot name a setting, and the cure."""
        choices = f"[{parent}] with choices"
        if parent == self.setting.name:
            return " itself. Name another setting."
        if parent in before:
            return (
                f", which is not searched by choices. Write {choices}, or remove when."
            )
        if parent in tables:
            target = f"[{parent}] before [{self.setting.name}]"
            return f", which comes later in the file. Move {target}."
        names = [name for name in before if isinstance(before[name].shape, Choices)]
        return (
            f", which is not searched.{did_you_mean(parent, names)} Add a table "
            f"{choices} before this one, or remove when."
        )
