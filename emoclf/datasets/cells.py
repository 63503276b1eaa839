"""Read single cells: a text, labels, or the name of a part of the split."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from emoclf.errors import DataError, SettingsError, did_you_mean, setting

SURROGATE = re.compile("[\ud800-\udfff]")

Label = str | tuple[str, ...]

_PARTS = {
    "train": ("train", "training"),
    "valid": ("valid", "validation", "val", "dev", "development"),
    "test": ("test", "testing"),
}
PART_OF = {name: part for part, names in _PARTS.items() for name in names}


class BadRow(Exception):
    """A row cannot be used; rows are counted by ``reason``.

    Attributes
    ----------
    left_out : bool
        Left out on request, whatever else happens to bad rows.
    """

    left_out = False

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def utf8(text: str) -> bytes:
    """Encode text; a lone surrogate, which no file can contain, becomes U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return SURROGATE.sub("\ufffd", text).encode()


def is_missing(value: Any) -> bool:
    """Say whether a cell is empty: None, NaN, or pandas' NA and NaT."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def shorten(names: Iterable[str], limit: int = 12) -> str:
    """Join names with commas; an ellipsis replaces those beyond the limit."""
    names = list(names)
    return ", ".join(names[:limit]) + (", …" if len(names) > limit else "")


def excerpt(value: Any) -> str:
    """Return the beginning of a value's representation, however large or deep it is."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # a ValueError for integers of endless digits
        return f"a nested or very large {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:80]}…"


def any_text(value: Any) -> str:
    """Return the text of a cell unchanged; it may be empty.

    Raises
    ------
    BadRow
        If it is missing or not a text.
    """
    if isinstance(value, str):
        return str(value)
    if is_missing(value):
        raise BadRow("missing text", "the text is missing. Fill it in")
    raise BadRow(
        "text of another type",
        f"the text must be a string. Got {excerpt(value)} instead. Quote it",
    )


def read_text(value: Any) -> str:
    """Return the text of a cell unchanged.

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
        If the cell contains another name or nothing.
    """
    name = "" if is_missing(value) else str(value).strip()
    part = PART_OF.get(name.lower())
    if part is None:
        raise BadRow(
            "unknown part",
            f"the part {name!r} is not one of train, valid (or validation, dev), "
            f"test.{did_you_mean(name, PART_OF)} Correct the row",
        )
    return part


class LabelReader:
    """Turn label cells into names.

    Parameters
    ----------
    names : mapping or sequence, optional
        A name for each label in the file, for instance ``{"0": "anger"}``. A cell
        that already contains one of the names is left as it is. A sequence has the
        only classes.
    classes : sequence of str, optional
        The only classes.
    separator : str, optional
        Splits a cell into several labels.

    Attributes
    ----------
    multilabel : bool or None
        Whether a cell may contain several labels; the first row decides.
    """

    def __init__(
        self,
        names: Mapping[Any, Any] | Sequence[str] | None = None,
        *,
        classes: Sequence[str] | None = None,
        separator: str | None = None,
    ) -> None:
        if separator == "":
            raise SettingsError(
                f"{setting('label_separator')} must be at least one character. Got '' "
                "instead."
            )
        if isinstance(names, str):
            raise DataError(
                f"{setting('label_names')} must be a list of names. Got {names!r} "
                "instead."
            )
        if names is not None and not isinstance(names, Mapping):
            names, classes = None, names
        self._names = {str(k): str(v) for k, v in (names or {}).items()}
        self._classes = None if classes is None else [str(name) for name in classes]
        self._separator = separator
        self._cache: dict[str, str] = {}
        self.multilabel: bool | None = True if separator else None

    @property
    def order(self) -> list[str]:
        """Given names in their order."""
        names = self._names.values() if self._classes is None else self._classes
        return list(dict.fromkeys(names))

    @property
    def fixed(self) -> bool:
        """Whether the classes were given, so that none is left out."""
        return self._classes is not None

    def read(self, value: Any) -> Label:
        """Return the label of a cell, or a tuple of labels.

        Raises
        ------
        BadRow
            If the row has no label or one that is not a class.
        """
        if isinstance(value, list | tuple | set | frozenset | np.ndarray):
            return self._read_list(value)
        if is_missing(value) or (isinstance(value, str) and not value.strip()):
            advice = "Give it a label"
            if self._separator:
                advice += f", or write {self._separator!r} alone if no label applies"
            raise BadRow("no label", f"the row has no label. {advice}")
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
                f"the list of labels {list(items)!r} contains an empty label",
            )
        return tuple(dict.fromkeys(names))

    def _name(self, label: str) -> str:
        if label in self._cache:
            return self._cache[label]
        # Of all files only JSON can contain a lone surrogate: U+FFFD, as in texts.
        raw, label = label, SURROGATE.sub("\ufffd", label).strip()
        if self._names:
            _check_one_of(label, [*self._names, *self._names.values()])
        name = self._names.get(label, label)
        if self._classes is not None and name:
            _check_one_of(name, self._classes)
        self._cache[raw] = name
        return name


def _check_one_of(label: str, labels: Sequence[str]) -> None:
    if label not in labels:
        labels = list(dict.fromkeys(labels))
        raise BadRow(
            "unknown label",
            f"label {label!r} is not one of {shorten(labels, 60)}."
            f"{did_you_mean(label, labels)} Correct the row or add the label to "
            f"{setting('label_names')}",
        )


def as_label(value: Any) -> str:
    """Return a label as a text: 1.0 becomes '1', as whole numbers are in a file.

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
