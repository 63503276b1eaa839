"""What a label is called, and the forms in which several labels come."""

from __future__ import annotations

import ast
import numbers
import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from emoclf.datasets.cells import SURROGATE, BadRow
from emoclf.errors import SettingsError, did_you_mean, setting
from emoclf.text.validation import check_list

Label = str | tuple[str, ...]

#: Types of a cell that contains several labels.
LIST_TYPES = (list, tuple, set, frozenset, np.ndarray)
TRUTH_VALUES = {"0": False, "1": True, "false": False, "true": True}
_WHOLE_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))\.0+")
# An item of a list as Python, JSON or NumPy (which writes no commas) write it.
_WRITTEN_ITEM = re.compile(
    r"""(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"""|(?P<number>[-+]?[0-9]{1,300}(?:\.[0-9]*)?)|(?P<truth>[Tt]rue|[Ff]alse))"""
    r"""(?:\s*,\s*|\s+|$)""",
    re.DOTALL,
)


def as_label(value: Any) -> str:
    """Return what a label is called, wherever it comes from.

    A text is called as it is, without white space at its ends; true and false are
    "true" and "false"; a whole number has no ".0", as in a file.

    Raises
    ------
    BadRow
        If the value is neither a text, a number, true nor false.
    """
    if isinstance(value, str):
        # Of all files only JSON can contain a lone surrogate: U+FFFD, as in texts.
        return SURROGATE.sub("\ufffd", str(value)).strip()
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real | Decimal):
        number = float(value)
        return str(int(number)) if number.is_integer() else str(number)
    raise BadRow(
        "label of another type",
        "a label must be a text, a number or a list of them. "
        f"Got {type(value).__name__} {value!r} instead",
    )


def label_key(name: str) -> str:
    """Return what all spellings of a truth value or a whole number share.

    Examples
    --------
    >>> label_key("True"), label_key("3.0"), label_key("joy")
    ('true', '3', 'joy')
    """
    if name.lower() in ("true", "false"):
        return name.lower()
    match = _WHOLE_NUMBER.fullmatch(name)
    return match[1] if match else name


def find_class(label: str, classes: Collection[str]) -> str | None:
    """Return the class that a label means: the same text, or another spelling of it.

    Examples
    --------
    >>> find_class("1.0", ["0", "1"]), find_class("true", ["False", "True"])
    ('1', 'True')
    """
    if label in classes:
        return label
    key = label_key(label)
    return next((name for name in classes if label_key(name) == key), None)


def numbers_by_label(
    values: Mapping[Any, float],
    label_names: Sequence[str],
    name: str,
    *,
    high: float = np.inf,
) -> dict[int, float]:
    """Return the numbers of a setting such as joy=2,fear=0.5, by class id.

    Parameters
    ----------
    values : mapping of label names to float
    label_names : sequence of str
    name : str
        Name of the setting.
    high : float, optional
        Largest number that is allowed; the smallest is 0.

    Raises
    ------
    SettingsError
        If a label is unknown, or a value is not a number in this range.
    """
    by_id = {}
    for key, value in values.items():
        label = find_class(as_label(key), label_names)
        if label is None:
            raise SettingsError(
                f"{setting(name)} names the label {key!r}, which is not one of "
                f"{', '.join(label_names)}.{did_you_mean(str(key), label_names)}"
            )
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= high or value == np.inf:
            limit = "at least 0" if high == np.inf else f"0 to {high:g}"
            raise SettingsError(
                f"The {setting(name)} of {label!r} must be a number of {limit}. Got "
                f"{value!r} instead."
            )
        by_id[list(label_names).index(label)] = float(value)
    return by_id


def label_rows(labels: Any) -> tuple[list[Any], list[Any] | None]:
    """Return the label, or the list of labels, of each text; and names of columns.

    A matrix may be an array, a sparse matrix of SciPy, or a DataFrame, whose columns
    have names. A single column is the labels themselves.
    """
    if hasattr(labels, "toarray"):
        labels = labels.toarray()
    check_list(labels, "labels")
    if not hasattr(labels, "__array__"):
        return list(labels), None
    columns = [*labels.columns] if hasattr(labels, "columns") else None
    rows = np.asarray(labels).tolist()
    if np.ndim(labels) == 2 and np.shape(labels)[1] == 1:
        return [row[0] for row in rows], None
    return rows, columns


def written_list(text: str) -> list[Any] | None:
    """Return the items of a list that was written as text; None if it is none.

    pandas writes lists as Python does, and arrays as NumPy does.

    Examples
    --------
    >>> written_list("['joy', 'love']"), written_list("[ 3 15]"), written_list("joy")
    (['joy', 'love'], [3, 15], None)
    """
    text = text.strip()
    brackets, inside = text[:1] + text[-1:], text[1:-1].strip()
    if brackets not in ("[]", "()", "{}") or (brackets != "[]" and not inside):
        return None
    items: list[Any] = []
    position = 0
    while position < len(inside):
        match = _WRITTEN_ITEM.match(inside, position)
        # Numbers in parentheses are intervals or positions, such as (0, 5).
        if match is None or (brackets == "()" and match["text"] is None):
            return None
        position = match.end()
        try:
            if number := match["number"]:
                items.append(float(number) if "." in number else int(number))
            elif truth := match["truth"]:
                items.append(truth.lower() == "true")
            else:
                items.append(ast.literal_eval(match["text"]))
        except (SyntaxError, ValueError):
            return None
    return items


def are_flags(items: Sequence[Any]) -> bool:
    """Say whether a list contains a 0 or a 1 for each of several classes."""
    return len(items) > 1 and all(
        item.strip() in ("0", "1")
        if isinstance(item, str)
        else isinstance(item, (int, float, np.generic)) and item in (0, 1)
        for item in items
    )


class FlagRow(tuple[Any, ...]):
    """A list of 0 and 1: one for each class, or numbers of two labels.

    Only all rows together tell which.
    """

    def flags(self) -> list[bool]:
        """Return the items as truth values."""
        return [TRUTH_VALUES[as_label(item)] for item in self]
