"""Validate texts that users pass in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from emoclf.errors import DataError


def as_texts(texts: Iterable[Any]) -> list[str]:
    """Validate texts and return a list of str.

    Parameters
    ----------
    texts : iterable of str
        A list, tuple, Series, array, generator, …

    Raises
    ------
    DataError
        If a single str is given, or anything among the texts is not a str.

    Examples
    --------
    >>> as_texts(("one", "two"))
    ['one', 'two']
    """
    # One check of all types is faster than one of each text.
    if type(texts) is list and set(map(type, texts)) <= {str}:
        return texts.copy()
    if isinstance(texts, str | bytes):
        raise DataError(
            f"Texts must be a list of str. Got the single {type(texts).__name__} "
            f"{texts[:40]!r} instead; put it into a list."
        )
    if getattr(texts, "ndim", 1) != 1:
        raise DataError(
            "Texts must be a list or one column of str. Got an array of shape "
            f"{texts.shape} instead; pass one column."  # type: ignore[attr-defined]
        )
    try:
        values = list(texts)
    except TypeError:
        raise DataError(
            f"Texts must be a list of str. Got {texts!r} instead."
        ) from None
    for number, text in enumerate(values):
        if not isinstance(text, str):
            raise DataError(
                f"Text number {number} must be a str. Got {text!r} "
                f"({type(text).__name__}) instead; drop it, or turn it into a str."
            )
    # NumPy's str_ is a str, but a slow one.
    return [text if type(text) is str else str(text) for text in values]
