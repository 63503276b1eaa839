"""Validate texts that users pass in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from emoclf.errors import DataError, wrong_kind


def as_texts(texts: Iterable[Any], column: str | None = None) -> list[str]:
    """Validate texts and return a list of str.

    Parameters
    ----------
    texts : iterable of str
        A list, tuple, Series, array, generator, …; also a Dataset, whose labels are not
        used, a column as an array of shape (n, 1), or a DataFrame.
    column : str, optional
        Column of a DataFrame with several; one that has a single column needs none.

    Raises
    ------
    DataError
        If a single str, a mapping or a set is given, a DataFrame has several columns
        and none is named ``column``, or anything among the texts is not a str.

    Examples
    --------
    >>> as_texts(("one", "two"))
    ['one', 'two']
    """
    # One check of all types is faster than one of each text.
    if type(texts) is list and set(map(type, texts)) <= {str}:
        return texts.copy()
    values = list(iterate_texts(texts, column))
    for number, text in enumerate(values):
        if not isinstance(text, str):
            raise DataError(
                f"The text at index {number} must be a str. Got {text!r} "
                f"({type(text).__name__}) instead; drop it, or turn it into a str."
            )
    # NumPy's str_ is a str, but a slow one.
    return [text if type(text) is str else str(text) for text in values]


def iterate_texts(texts: Iterable[Any], column: str | None = None) -> Iterable[Any]:
    """Return what contains the texts, as :func:`as_texts` finds it, not yet checked.

    Raises
    ------
    DataError
        If it is not a collection of texts.
    """
    if is_frame(texts):
        return _frame_column(texts, column)
    # A Dataset, whose module cannot be imported here.
    if hasattr(texts, "texts") and hasattr(texts, "label_names"):
        return texts.texts
    check_list(texts, "Texts")
    shape: tuple[int, ...] = getattr(texts, "shape", (0,))
    if len(shape) == 2 and shape[1] == 1:
        return texts[:, 0]  # type: ignore[index]
    if len(shape) != 1:
        raise DataError(
            "Texts must be a list or one column of str. Got an array of shape "
            f"{shape} instead; pass one column."
        )
    return texts


def check_list(values: Any, name: str) -> None:
    """Check that values are a collection in an order, such as a list.

    Python would also iterate over the characters of a str, the keys of a mapping, and a
    set in any order.

    Parameters
    ----------
    values : object
    name : str
        Name of the values in errors, such as "Texts".

    Raises
    ------
    DataError
    """
    wanted = "a list of str" if name == "Texts" else "a list"
    got, kind = "", type(values).__name__
    if isinstance(values, str | bytes | bytearray):
        got = f"the single {kind} {values[:40]!r} instead; put it into a list"
    elif isinstance(values, Mapping):
        keys = ", ".join(map(repr, list(values)[:5])) or "none"
        got = f"a {kind} with the keys {keys} instead; pass the list of what one of "
        got += "them contains"
    elif isinstance(values, set | frozenset):
        got = f"a {kind} instead, which has no order; pass a list, for instance "
        got += "sorted(…)"
    if got:
        raise DataError(f"{name} must be {wanted}. Got {got}.")
    if not hasattr(values, "__iter__") or getattr(values, "shape", None) == ():
        raise DataError(wrong_kind(name, wanted, values))


def is_frame(value: Any) -> bool:
    """Say whether a value is a pandas DataFrame, without importing pandas."""
    return hasattr(value, "iloc") and hasattr(value, "columns")


def _frame_column(frame: Any, column: str | None) -> Any:
    names = [str(name) for name in frame.columns]
    if len(names) == 1:
        return frame.iloc[:, 0]
    if names.count(str(column)) == 1:
        return frame.iloc[:, names.index(str(column))]
    trained = f"{column!r}, the column of the training, is not one of them. "
    raise DataError(
        f"The DataFrame has {len(names)} columns: {', '.join(map(repr, names[:20]))}. "
        f"{trained if column is not None else ''}"
        "Pass the one with the texts, as in frame['text']."
    )
