"""One cell at a time: is it a text, which labels does it hold, which part is meant."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from emoclf.errors import SettingsError, did_you_mean, setting

SURROGATE = re.compile("[\ud800-\udfff]")

Label = str | tuple[str, ...]

_PARTS = {
    "train": ("train", "training"),
    "valid": ("valid", "validation", "val", "dev", "development"),
    "test": ("test", "testing"),
}
PART_OF = {word: part for part, words in _PARTS.items() for word in words}


class BadRow(Exception):
    """A row cannot be used; ``reason`` is what rows like it are counted under."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def is_missing(value: Any) -> bool:
    """Say whether a cell holds nothing: None, NaN, or pandas' NA and NaT."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def shorten(words: Iterable[str], limit: int = 12) -> str:
    """Join names with commas, and with an ellipsis after so many."""
    words = list(words)
    return ", ".join(words[:limit]) + (", …" if len(words) > limit else "")


def any_text(value: Any) -> str:
    """Return the text of a cell as it stands, be it empty.

    Raises
    ------
    BadRow
        If it is missing or not a text.
    """
    if is_missing(value):
        raise BadRow("missing text", "the text is missing. Fill it in")
    if not isinstance(value, str):
        raise BadRow(
            "text of another type",
            f"the text must be a string. Got {value!r} instead. Quote it",
        )
    return str(value)


def read_text(value: Any) -> str:
    """Return the text of a cell as it stands.

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
        If the cell holds another word or nothing.
    """
    word = "" if is_missing(value) else str(value).strip()
    part = PART_OF.get(word.lower())
    if part is None:
        raise BadRow(
            "unknown part",
            f"the part {word!r} is not one of train, valid (or validation, dev), "
            f"test.{did_you_mean(word, PART_OF)} Fix the row",
        )
    return part


class LabelReader:
    """Turn label cells into names.

    Parameters
    ----------
    names : mapping, optional
        A name for each label in the file, for instance ``{"0": "anger"}``. A cell
        that holds one of the names already is taken as it is.
    known : sequence of str, optional
        The only classes there are.
    separator : str, optional
        Splits a cell into several labels.

    Attributes
    ----------
    multilabel : bool
        Whether cells hold several labels; a list in the first row decides.
    """

    def __init__(
        self,
        *,
        names: Mapping[Any, Any] | None = None,
        known: Sequence[str] | None = None,
        separator: str | None = None,
    ) -> None:
        if separator == "":
            raise SettingsError(
                f"{setting('label_separator')} must be at least one character. Got '' "
                "instead."
            )
        self._names = {str(k): str(v) for k, v in (names or {}).items()}
        self._known = None if known is None else [str(name) for name in known]
        self._separator = separator
        self._cache: dict[str, str] = {}
        self.multilabel: bool | None = True if separator else None

    @property
    def order(self) -> list[str]:
        """The names in the order given, or nothing."""
        if self._known is not None:
            return list(dict.fromkeys(self._known))
        return list(dict.fromkeys(self._names.values()))

    @property
    def fixed(self) -> bool:
        """Whether the classes were given, so that none may be left out."""
        return self._known is not None

    def read(self, value: Any) -> Label:
        """Return the label of a cell, or a tuple of labels.

        Raises
        ------
        BadRow
            If the row is unlabelled or a label is not known.
        """
        if isinstance(value, list | tuple | set | frozenset | np.ndarray):
            return self._read_list(value)
        if is_missing(value) or (isinstance(value, str) and not value.strip()):
            cure = "Give it a label"
            if self._separator:
                cure += f", write {self._separator!r} alone if no label applies"
            raise BadRow("no label", f"the row has no label. {cure}")
        if self._separator:
            pieces = as_label(value).split(self._separator)
            names = [self._name(piece) for piece in pieces if piece.strip()]
            return tuple(dict.fromkeys(names))
        if self.multilabel:
            raise BadRow(
                "one label where others have a list",
                f"the label must be a list, as in earlier rows. Got {value!r} instead",
            )
        self.multilabel = False
        return self._name(as_label(value))

    def _read_list(self, values: Iterable[Any]) -> tuple[str, ...]:
        if self.multilabel is False:
            raise BadRow(
                "a list of labels where others have one",
                f"the label must be one label, as in earlier rows. Got {values!r} "
                "instead",
            )
        self.multilabel = True
        items = sorted(values) if isinstance(values, set | frozenset) else values
        names = [
            "" if is_missing(item) else self._name(as_label(item)) for item in items
        ]
        if "" in names:
            raise BadRow(
                "an empty label in a list",
                f"the list of labels {list(items)!r} holds an empty label",
            )
        return tuple(dict.fromkeys(names))

    def _name(self, label: str) -> str:
        if label in self._cache:
            return self._cache[label]
        # A lone surrogate can stand in JSON, but in no other file: U+FFFD, as in texts.
        raw, label = label, SURROGATE.sub("\ufffd", label).strip()
        given = list(self._names.values())
        if self._names and label not in self._names and label not in given:
            raise BadRow("unknown label", self._unknown(label, [*self._names, *given]))
        name = self._names.get(label, label)
        if self._known is not None and name not in self._known and name:
            raise BadRow("unknown label", self._unknown(name, self._known))
        self._cache[raw] = name
        return name

    def _unknown(self, label: str, known: Sequence[str]) -> str:
        unique = list(dict.fromkeys(known))
        return (
            f"label {label!r} is not one of {shorten(unique, 60)}."
            f"{did_you_mean(label, unique)} Fix the row or add the label to "
            f"{setting('label_names')}"
        )


def as_label(value: Any) -> str:
    """Write a label as a text: 1.0 becomes '1', as whole numbers do in a file.

    Raises
    ------
    BadRow
        If it is neither a text, a number, true nor false.
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        number = float(value)
        return str(int(number)) if number.is_integer() else str(number)
    raise BadRow(
        "label of another type",
        "a label must be a text, a number or a list of them. "
        f"Got {type(value).__name__} {value!r} instead",
    )
