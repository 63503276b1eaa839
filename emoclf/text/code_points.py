"""The two tables over code points that make a tokenizer: classes, and lower case.

They are made once, from one version of Unicode, and travel with every model: neither
Python nor TensorFlow is asked at run time what a letter is, since they disagree with
each other and with their own other versions; ``make_tables.py`` makes the file anew.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("unicode.npz")
SIZE = 0x110000
#: Beside the tables, the file names the Unicode version that they were made from.
VERSION = "unicode_version"

# One letter for each class; a text's classes are a string of these.
SPACE, LETTER, ALONE, DIGIT, MARK = "S", "L", "C", "D", "M"
JOINER, APOSTROPHE, EMOJI, TONE, FLAG, OTHER = "J", "A", "E", "T", "R", "P"
#: Marks of which several in a row are one token; each is a class of its own.
RUNS = "!?.,:;-*~_=#"
#: Marks that belong to a number when they stand between two digits.
IN_NUMBERS = ".,:"


class CodePoints:
    """What a tokenizer knows of each code point.

    Parameters
    ----------
    classes : ndarray of uint8, shape (1114112,)
        A letter of the alphabet of classes, as ASCII.
    lower : ndarray of int32, shape (1114112,)
        The code point's lower-case form.
    plain : ndarray of int32, shape (1114112,)
        The form when case is kept: apostrophes unified, surrogates replaced.
    """

    def __init__(
        self, classes: np.ndarray, lower: np.ndarray, plain: np.ndarray
    ) -> None:
        self.classes = classes
        self.lower = lower
        self.plain = plain

    def strings(self, lowercase: bool) -> tuple[str, str]:
        """Return the tables as ``str.translate`` wants them: classes, forms."""
        if self is shipped():
            return _shipped_strings(lowercase)
        return _strings(self, lowercase)

    def whole(self) -> CodePoints:
        """Return these tables; those in pages have one entry for each page's place."""
        return self


@cache
def _shipped_strings(lowercase: bool) -> tuple[str, str]:
    return _strings(shipped(), lowercase)


def _strings(points: CodePoints, lowercase: bool) -> tuple[str, str]:
    forms = points.lower if lowercase else points.plain
    # One kind of space, so that pieces between spaces are found by split(" ").
    forms = np.where(points.classes == ord(SPACE), ord(" "), forms)
    return (
        points.classes.tobytes().decode("ascii"),
        forms.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass"),
    )


@cache
def shipped() -> CodePoints:
    """Load the tables that come with the package."""
    with np.load(FILE, allow_pickle=False) as arrays:
        return unpack({name: arrays[name] for name in arrays.files})


def pack(points: CodePoints) -> dict[str, np.ndarray]:
    """Return small arrays for a file: differences compress to some kilobytes."""
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
