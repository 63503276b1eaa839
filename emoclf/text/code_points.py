"""The two tables over code points that define a tokenizer: classes and lower case.

They are made from one version of Unicode and saved with every model. Python and
TensorFlow are not used to classify letters at run time, because they disagree with each
other and with their own other versions. ``tests/make_code_points.py`` makes the file.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

FILE = Path(__file__).with_name("unicode.npz")
SIZE = 0x110000
#: Entry of the file with the Unicode version of the tables.
VERSION = "unicode_version"

# One letter for each class; the classes of a text are a string of these.
SPACE, LETTER, ALONE, DIGIT, MARK = "S", "L", "C", "D", "M"
JOINER, APOSTROPHE, EMOJI, TONE, FLAG, OTHER = "J", "A", "E", "T", "R", "P"
#: Marks that form one token when repeated; each is a class of its own.
RUNS = "!?.,:;-*~_=#"
#: Marks that belong to a number when they are between two digits.
IN_NUMBERS = ".,:"


class CodePoints(NamedTuple):
    """Class and normal forms of each code point.

    Parameters
    ----------
    classes : ndarray of uint8, shape (1114112,)
        Letter of the class, as ASCII.
    lower : ndarray of int32, shape (1114112,)
        Lower-case form of each code point.
    plain : ndarray of int32, shape (1114112,)
        Form when case is kept: apostrophes unified, surrogates replaced.
    """

    classes: np.ndarray
    lower: np.ndarray
    plain: np.ndarray

    def strings(self, lowercase: bool) -> tuple[str, str]:
        """Return the tables for ``str.translate``: classes and forms."""
        if self is packaged():
            return _packaged_strings(lowercase)
        return _strings(self, lowercase)

    def whole(self) -> CodePoints:
        """Return these tables, as :class:`Pages` does for all code points."""
        return self


@cache
def _packaged_strings(lowercase: bool) -> tuple[str, str]:
    return _strings(packaged(), lowercase)


def _strings(points: CodePoints, lowercase: bool) -> tuple[str, str]:
    forms = points.lower if lowercase else points.plain
    # One kind of space, so that pieces between spaces are found by split(" ").
    forms = np.where(points.classes == ord(SPACE), ord(" "), forms)
    return (
        points.classes.tobytes().decode("ascii"),
        forms.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass"),
    )


@cache
def packaged() -> CodePoints:
    """Load the tables of the package."""
    with np.load(FILE, allow_pickle=False) as arrays:
        return unpack({name: arrays[name] for name in arrays.files})


def pack(points: CodePoints) -> dict[str, np.ndarray]:
    """Return small arrays for a file; differences compress to some kilobytes."""
    identity = np.arange(SIZE, dtype=np.int32)
    return {
        "classes": points.classes,
        "lower_change": points.lower - identity,
        "plain_change": points.plain - identity,
    }


def unpack(arrays: dict[str, np.ndarray]) -> CodePoints:
    """Return the tables from the arrays of :func:`pack`.

    Raises
    ------
    ValueError
        If an array is missing or has another size.
    """
    names = ("classes", "lower_change", "plain_change")
    for name in names:
        if name not in arrays or arrays[name].shape != (SIZE,):
            raise ValueError(f"the tokenizer's table {name!r} is missing or cut short")
    identity = np.arange(SIZE, dtype=np.int32)
    return CodePoints(
        classes=arrays["classes"].astype(np.uint8),
        lower=identity + arrays["lower_change"].astype(np.int32),
        plain=identity + arrays["plain_change"].astype(np.int32),
    )
