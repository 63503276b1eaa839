"""Read a document's tables into dimensions; a mistake in it says what is right."""

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

SIZES = "kernel_sizes"
MOST_STEPS = 1000
_TOKENS = "all trials read the same words"
NOT_SEARCHED = {
    "architecture": "a search has one architecture",
    "seed": "each trial derives its own from the search's seed",
    "vectors": "all trials share one file of vectors",
    "tokenizer": _TOKENS,
    "lowercase": _TOKENS,
    "stop_words": _TOKENS,
    "monitor": "it chooses the epoch, and trials are compared by it",
    **dict.fromkeys(DataSettings.names(), "all trials have the same texts"),
}
# Which words of a table go together.
SHAPES = {
    "range": ("low", "high", "step", "log"),
    "choices": ("choices",),
    "sizes": ("centre", "patterns"),
}
BESIDE = ("needs", "when")


def read_dimensions(
    architecture: str, tables: Mapping[str, Any], *, document: str
) -> tuple[Dimension, ...]:
    """Read the tables of a document, in their order.

    Raises
    ------
    SearchError
        With the document, the table, what was received and what to do.
    """
    if not tables:
        raise SearchError(
            f"{document} has nothing to search. Add a table named after a setting, for "
            "instance [learning_rate] with low = 2e-4, high = 5e-3 and log = true."
        )
    settings = settings_of(architecture)
    found: dict[str, Dimension] = {}
    for key, table in tables.items():
        place = f"{document}, [{key}]"
        setting = _searchable(key, settings, place, architecture)
        reader = _Table(place, setting, table, settings)
        found[key] = reader.dimension(found, tables)
    return tuple(found.values())


def _searchable(
    key: str, settings: Mapping[str, Setting], place: str, architecture: str
) -> Setting:
    if key in NOT_SEARCHED:
        raise SearchError(
            f"{place}: {key!r} cannot be searched, because {NOT_SEARCHED[key]}. Take "
            "the table out, and give it as a setting."
        )
    if key not in settings:
        known = [name for name in settings if name not in NOT_SEARCHED]
        raise SearchError(
            f"{place}: {architecture} has no setting {key!r}."
            f"{did_you_mean(key, known)} What can be searched: {', '.join(known)}."
        )
    return settings[key]


@dataclass(frozen=True)
class _Table:
    """One table of a document, and how its mistakes are worded."""

    place: str
    setting: Setting
    table: Any
    known: Mapping[str, Setting]

    def dimension(
        self, before: Mapping[str, Dimension], tables: Mapping[str, Any]
    ) -> Dimension:
        read: dict[str, Callable[[], Range | Choices | Sizes]] = {
            "range": self.range,
            "choices": self.choices,
            "sizes": self.sizes,
        }
        shape = read[self.kind()]()
        needs = self.table.get("needs")
        if needs is not None and needs not in NEEDS:
            raise self.error(
                f"needs must be {' or '.join(map(repr, NEEDS))}. Got {needs!r} "
                f"instead.{did_you_mean(needs, NEEDS)}"
            )
        when = self.condition(before, tables) if "when" in self.table else None
        return Dimension(self.setting.name, shape, needs, when)

    def error(self, text: str) -> SearchError:
        return SearchError(f"{self.place}: {text}")

    def checked(self, value: Any, setting: Setting | None = None) -> Any:
        """Return a value as the settings hold it, or say why they do not."""
        if isinstance(value, Mapping):
            raise self.error(
                f"a table cannot be searched as a value. Got {value!r}. Take it out."
            )
        try:
            return (setting or self.setting).checked(value)
        except SettingsError as error:
            raise self.error(str(error)) from None

    def kind(self) -> str:
        """Return the shape that the words of the table belong to."""
        if not isinstance(self.table, Mapping):
            raise self.error(
                "this must be a table, with low and high, or with choices. Got "
                f"{self.table!r} instead."
            )
        known = [*(word for words in SHAPES.values() for word in words), *BESIDE]
        for word in self.table:
            if word not in known:
                raise self.error(
                    f"there is no word {word!r}.{did_you_mean(word, known)} Known: "
                    f"{', '.join(known)}."
                )
        kinds = {
            kind: [word for word in words if word in self.table]
            for kind, words in SHAPES.items()
        }
        there = [kind for kind, words in kinds.items() if words]
        if not there:
            raise self.error(
                f"no values were given. Got {dict(self.table)!r}. Write low and high, "
                "or choices."
            )
        if len(there) > 1:
            first, second = kinds[there[0]][0], kinds[there[1]][0]
            raise self.error(
                f"{first} and {second} do not go together. Got "
                f"{first} = {self.table[first]!r} and {second} = "
                f"{self.table[second]!r}. Take one of them out."
            )
        return there[0]

    def range(self) -> Range:
        """Read low, high, step and log."""
        if not self.setting.number:
            word = next(word for word in SHAPES["range"] if word in self.table)
            raise self.error(
                f"{self.setting.name} is not a number, and {word} = "
                f"{self.table[word]!r} is for numbers. Write choices = […]."
            )
        low, high = (self.checked(self.number(word)) for word in ("low", "high"))
        if not low < high:
            raise self.error(
                f"low must be below high. Got low = {low!r} and high = {high!r}. To "
                "keep it at one value, give that as a setting."
            )
        log = self.table.get("log", False)
        if not isinstance(log, bool):
            raise self.error(f"log must be true or false. Got {log!r} instead.")
        if log and low <= 0:
            raise self.error(
                f"a range with log must begin above 0. Got low = {low!r}. Raise it, or "
                "take log out."
            )
        step = self.step(low, high, log=log) if "step" in self.table else None
        if step == 1 and self.setting.whole:
            # What a range of whole numbers does anyway.
            step = None
        return Range(low, high, step, log)

    def number(self, word: str) -> float:
        if word not in self.table:
            raise self.error(
                f"{word} is missing. Got {dict(self.table)!r}. A range has low and "
                "high."
            )
        value = self.table[word]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        # TOML also has nan, inf, and whole numbers that no float can hold.
        if not number or not abs(value) < 1e300:
            raise self.error(f"{word} must be a number. Got {value!r} instead.")
        return value

    def step(self, low: float, high: float, *, log: bool) -> float:
        """Read a step that leads to at least one more number, and not to too many."""
        step = self.number("step")
        if not step > (1 if log else 0):
            what = "above 1, since log multiplies by it" if log else "above 0"
            raise self.error(f"step must be {what}. Got {step!r} instead.")
        if self.setting.whole and step != int(step):
            raise self.error(f"step must be a whole number. Got {step!r} instead.")
        step = int(step) if self.setting.whole else float(step)
        steps = math.log(high / low, step) if log else (high - low) / step
        if steps < 1 - 1e-9:
            raise self.error(
                f"step leads past high at once. Got step = {step!r} from {low!r} to "
                f"{high!r}. Make it smaller."
            )
        if steps > MOST_STEPS and not (step == 1 and self.setting.whole):
            raise self.error(
                f"there are more than {MOST_STEPS} steps. Got step = {step!r} from "
                f"{low!r} to {high!r}. Make it larger, or take it out."
            )
        return step

    def choices(self) -> Choices:
        """Read choices of any plain values."""
        values = [self.checked(value) for value in self.list_of("choices", least=2)]
        return Choices(self.once("choices", values))

    def list_of(self, word: str, *, least: int, table: Any = None) -> list[Any]:
        values = (self.table if table is None else table).get(word)
        if not isinstance(values, list | tuple):
            raise self.error(f"{word} must be a list. Got {values!r} instead.")
        if len(values) < least:
            raise self.error(
                f"{word} must have {least} values or more. Got {values!r} instead. To "
                "keep a setting at one value, give it as a setting."
            )
        return list(values)

    def once(self, word: str, values: list[Any]) -> tuple[Any, ...]:
        """Return the values, none of them twice."""
        for position, value in enumerate(values):
            if value in values[:position]:
                raise self.error(
                    f"{word} has {value!r} twice. Got {self.table[word]!r}. Take one "
                    "of them out."
                )
        return tuple(values)

    def sizes(self) -> Sizes:
        """Read a centre and the patterns around it."""
        if self.setting.name != SIZES:
            raise self.error(
                f"centre and patterns are for {SIZES}. Got {dict(self.table)!r}. Write "
                "choices = […]."
            )
        centres, patterns = self.centres(), self.patterns()
        if len(centres) * len(patterns) < 2:
            raise self.error(
                f"there is one set of sizes only. Got {dict(self.table)!r}. Add a "
                "pattern, or widen the centre."
            )
        return Sizes(Choices(centres), Choices(patterns))

    def centres(self) -> tuple[int, ...]:
        centre = self.table.get("centre")
        words = set(centre) if isinstance(centre, Mapping) else set()
        if words == {"choices"}:
            values = self.list_of("choices", least=1, table=centre)
        elif words == {"low", "high"}:
            low, high = (self.one_size(centre[word]) for word in ("low", "high"))
            if low > high:
                raise self.error(
                    f"the centre's low is above its high. Got {centre!r}. Change them "
                    "over."
                )
            values = list(range(low, high + 1))
        else:
            raise self.error(
                "centre must be { low = …, high = … } or { choices = […] }. Got "
                f"{centre!r} instead."
            )
        return self.once("centre", [self.one_size(value) for value in values])

    def one_size(self, value: Any) -> int:
        return self.checked([value])[0]

    def patterns(self) -> tuple[tuple[int, ...], ...]:
        patterns = self.list_of("patterns", least=1)
        for pattern in patterns:
            whole = isinstance(pattern, list | tuple) and all(
                type(offset) is int for offset in pattern
            )
            if not whole or 0 not in pattern or len(set(pattern)) < len(pattern):
                raise self.error(
                    "a pattern must be a list of different whole numbers with 0, the "
                    f"centre, among them. Got {pattern!r} instead."
                )
        return self.once("patterns", [tuple(pattern) for pattern in patterns])

    def condition(
        self, before: Mapping[str, Dimension], tables: Mapping[str, Any]
    ) -> Condition:
        """Read when: a setting searched before this one, and its values."""
        when = self.table["when"]
        if not isinstance(when, Mapping) or len(when) != 1:
            raise self.error(
                "when must be one setting and a list of its values, for instance "
                f'{{ optimizer = ["adamw"] }}. Got {when!r} instead.'
            )
        ((parent, wanted),) = when.items()
        if parent not in before:
            raise self.error(self._no_parent(parent, before, tables))
        shape = before[parent].shape
        if not isinstance(shape, Choices):
            raise self.error(
                f"when asks for {parent!r}, which is not searched by choices. Write "
                f"[{parent}] with choices, or take when out."
            )
        if not isinstance(wanted, list | tuple) or not wanted:
            raise self.error(
                f"when must have a list of values of {parent!r}. Got {wanted!r} "
                "instead."
            )
        setting = self.known[parent]
        values = [self.checked(value, setting) for value in wanted]
        for value in values:
            if value not in shape.values:
                known = shape.to_dict()["choices"]
                raise self.error(
                    f"when asks for {parent} = {value!r}, which is not searched."
                    f"{did_you_mean(str(value), map(str, known))} Known: "
                    f"{', '.join(map(str, known))}."
                )
        return Condition(parent, tuple(dict.fromkeys(values)))

    def _no_parent(
        self, parent: str, before: Mapping[str, Dimension], tables: Mapping[str, Any]
    ) -> str:
        if parent == self.setting.name:
            return f"when asks for {parent!r} itself. Name another setting."
        if parent in tables:
            return (
                f"when asks for {parent!r}, which comes later in the file. Move "
                f"[{parent}] before [{self.setting.name}]."
            )
        known = [name for name in before if isinstance(before[name].shape, Choices)]
        return (
            f"when asks for {parent!r}, which is not searched."
            f"{did_you_mean(parent, known)} Add a table [{parent}] with choices before "
            "this one, or take when out."
        )
