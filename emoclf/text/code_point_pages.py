"""A tokenizer's tables in pages of 256 code points, for exports.

Most of the 4,352 pages are equal (unassigned, ideographs, private use), so that the
tables take some hundred kilobytes without compression. An export does not unpack them:
a code point is looked up when it occurs in a text for the first time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from emoclf.text.code_points import SIZE, SPACE, CodePoints

PAGE = 256


class Pages(NamedTuple):
    """Class and normal form of each code point; equal pages are stored once.

    Parameters
    ----------
    numbers : ndarray of uint16, shape (4352,)
        Page of each 256 code points.
    classes : ndarray of uint8, shape (n_pages, 256)
    changes : ndarray of int32, shape (n_pages, 256)
        Difference from a code point to its normal form.
    """

    numbers: np.ndarray
    classes: np.ndarray
    changes: np.ndarray

    def strings(self, lowercase: bool) -> tuple[_Lazy, _Lazy]:
        """Return the tables for ``str.translate``: classes and forms.

        The pages were made with or without lower case.
        """

        def form(code: int) -> str:
            number = self.numbers[code >> 8]
            if self.classes[number, code & 255] == ord(SPACE):
                return " "
            return chr(code + int(self.changes[number, code & 255]))

        def class_of(code: int) -> str:
            return chr(self.classes[self.numbers[code >> 8], code & 255])

        return _Lazy(class_of), _Lazy(form)

    def whole(self) -> CodePoints:
        """Return the tables with one entry for each code point."""
        identity = np.arange(SIZE, dtype=np.int32)
        forms = identity + self.changes[self.numbers].ravel()
        return CodePoints(self.classes[self.numbers].ravel(), forms, forms)


class _Lazy(dict[int, str]):
    """A table that computes an entry at its first use."""

    def __init__(self, find: Callable[[int], str]) -> None:
        super().__init__()
        self.find = find

    def __missing__(self, code: int) -> str:
        self[code] = value = self.find(code)
        return value


def cut_into_pages(points: CodePoints, *, lowercase: bool) -> dict[str, np.ndarray]:
    """Return the arrays of :class:`Pages`, by name.

    Parameters
    ----------
    points : CodePoints
    lowercase : bool
        Store the lower-case forms, else the plain ones.
    """
    forms = points.lower if lowercase else points.plain
    changes = (forms - np.arange(SIZE, dtype=np.int32)).reshape(-1, PAGE)
    classes = points.classes.reshape(-1, PAGE)
    both = np.concatenate([classes.astype(np.int32), changes], axis=1)
    # Only the different ones are sorted: all would take thirty times as long.
    first: dict[bytes, int] = {}
    places = [first.setdefault(page.tobytes(), i) for i, page in enumerate(both)]
    pages, order = np.unique(both[[*first.values()]], axis=0, return_inverse=True)
    numbers = dict(zip(first.values(), order.ravel().tolist(), strict=True))
    return {
        "numbers": np.array([numbers[place] for place in places], np.uint16),
        "classes": pages[:, :PAGE].astype(np.uint8),
        "changes": pages[:, PAGE:].astype(np.int32),
    }


def read_pages(arrays: Mapping[str, np.ndarray]) -> Pages:
    """Return the pages from the arrays of :func:`cut_into_pages`.

    Raises
    ------
    ValueError
        If an array is missing, or has another size, or a form is no code point.
    """
    for name in Pages._fields:
        if name not in arrays:
            raise ValueError(f"the tokenizer's table {name!r} is missing")
    pages = Pages(*(arrays[name] for name in Pages._fields))
    number = len(pages.classes)
    fits = (
        pages.numbers.shape == (SIZE // PAGE,)
        and pages.classes.shape == pages.changes.shape == (number, PAGE)
        and int(pages.numbers.max()) < number
    )
    if not fits:
        raise ValueError("the tokenizer's tables do not fit each other")
    forms = pages.changes + np.arange(PAGE)
    first = np.arange(0, SIZE, PAGE)
    lowest = first + forms.min(1)[pages.numbers]
    highest = first + forms.max(1)[pages.numbers]
    if lowest.min() < 0 or highest.max() >= SIZE:
        raise ValueError("the tokenizer's tables contain more than code points")
    return pages
