"""A tokenizer's tables in pages of 256 code points, as exports keep them.

Most of the 4,352 pages are alike (unassigned, ideographs, private use), so the tables
take some hundred kilobytes as they are, and an export can be read without unpacking
them: a code point is looked up when a text has it for the first time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from emoclf.text.code_points import SIZE, SPACE, CodePoints

PAGE = 256


class Pages:
    """What a tokenizer knows of each code point, equal pages once.

    Parameters
    ----------
    numbers : ndarray of uint16, shape (4352,)
        Which page stands for each 256 code points.
    classes : ndarray of uint8, shape (n_pages, 256)
    changes : ndarray of int32, shape (n_pages, 256)
        From a code point to its normal form.
    """

    def __init__(
        self, numbers: np.ndarray, classes: np.ndarray, changes: np.ndarray
    ) -> None:
        self.numbers = numbers
        self.classes = classes
        self.changes = changes

    def strings(self, lowercase: bool) -> tuple[_Lazy, _Lazy]:
        """Return the tables as ``str.translate`` wants them: classes, forms.

        Case was folded, or kept, when the pages were made.
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
    """A table that finds an entry when it is first asked for."""

    def __init__(self, find: Callable[[int], str]) -> None:
        super().__init__()
        self.find = find

    def __missing__(self, code: int) -> str:
        self[code] = found = self.find(code)
        return found


def cut_into_pages(points: CodePoints, *, lowercase: bool) -> dict[str, np.ndarray]:
    """Return the arrays of :class:`Pages`, by name.

    Parameters
    ----------
    points : CodePoints
    lowercase : bool
        Which of the two forms is kept.
    """
    forms = points.lower if lowercase else points.plain
    changes = (forms - np.arange(SIZE, dtype=np.int32)).reshape(-1, PAGE)
    classes = points.classes.reshape(-1, PAGE)
    both = np.concatenate([classes.astype(np.int32), changes], axis=1)
    pages, numbers = np.unique(both, axis=0, return_inverse=True)
    return {
        "numbers": numbers.astype(np.uint16).ravel(),
        "classes": pages[:, :PAGE].astype(np.uint8),
        "changes": pages[:, PAGE:].astype(np.int32),
    }


def read_pages(arrays: Mapping[str, np.ndarray]) -> Pages:
    """Return the pages from the arrays of :func:`cut_into_pages`.

    Raises
    ------
    ValueError
        If an array is missing, or has another size.
    """
    for name in ("numbers", "classes", "changes"):
        if name not in arrays:
            raise ValueError(f"the tokenizer's table {name!r} is missing")
    pages = Pages(arrays["numbers"], arrays["classes"], arrays["changes"])
    number = len(pages.classes)
    fits = (
        pages.numbers.shape == (SIZE // PAGE,)
        and pages.classes.shape == pages.changes.shape == (number, PAGE)
        and int(pages.numbers.max()) < number
    )
    if not fits:
        raise ValueError("the tokenizer's tables do not fit each other")
    return pages
