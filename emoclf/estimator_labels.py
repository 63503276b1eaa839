"""Labels of the scikit-learn estimator: from y to a dataset, and back to its types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np

from emoclf.bundle.bundle import Bundle
from emoclf.datasets.cells import is_missing, shorten
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.labels import (
    LIST_TYPES,
    are_flags,
    as_label,
    label_key,
    label_rows,
    written_list,
)
from emoclf.datasets.trainable import as_dataset
from emoclf.display import has_controls, printable
from emoclf.errors import DataError


def labelled_dataset(
    texts: list[str],
    y: Any,
    *,
    source: str = "X",
    label_names: Sequence[str] | None = None,
    separator: str | None = None,
) -> tuple[Dataset, np.ndarray, str]:
    """Return the dataset of an estimator's X and y, their classes, and their kind.

    Parameters
    ----------
    texts : list of str
    y : array-like
        One label for each text; or several: lists of labels, or a matrix (also sparse,
        or a DataFrame) with a 0 or a 1 for each class, as in scikit-learn.
    source : str
        Name of the texts in errors.
    label_names : sequence of str, optional
        The only classes, if the classifier knows them already.
    separator : str, optional
        Splits a label into several.

    Returns
    -------
    dataset : Dataset
    classes : ndarray, shape (n_classes,)
        Classes in their own type, in the order of ``dataset.label_names``; numbers of
        the columns if those of a matrix have no names.
    kind : {"U", "i", "f", "b"}
        NumPy kind of the labels, or of the matrix.

    Raises
    ------
    DataError
        If the lengths differ, or a label is missing or cannot be used.
    """
    rows, columns = label_rows(y)
    if len(texts) != len(rows):
        raise DataError(
            f"There must be one label for each text. Got {len(texts)} texts and "
            f"{len(rows)} labels."
        )
    rows = [_unwrapped(row) for row in rows]
    names: list[str] = []
    if not any(isinstance(row, list) for row in rows):
        _check_labels(rows)
    else:
        column_names = _column_names(rows, columns, y)
        if label_names is not None and len(column_names) not in (0, len(label_names)):
            raise DataError(
                f"{source}: the labels have {len(column_names)} columns of 0 and 1, "
                f"and the classifier has {len(label_names)} classes. Give a column for "
                "each."
            )
        if label_names is not None and columns is not None:
            if set(column_names) != set(label_names):
                raise DataError(
                    f"{source}: the columns {shorten(column_names)} are not the "
                    f"classes {shorten(label_names)}. Give the same columns."
                )
            order = [column_names.index(name) for name in label_names]
            rows = [[row[i] for i in order] for row in rows]
        names = list((column_names and label_names) or column_names)
    dataset = Dataset.from_lists(
        texts,
        rows,
        label_names=names or None,
        label_separator=separator,
        skip_bad_rows=None,
        source=source,
    )
    if label_names is not None:
        dataset = as_dataset(dataset, label_names=label_names)
    if dataset.multilabel:
        items = [item for row in rows for item in row]
        classes = _numbered(dataset.label_names)
        return dataset, classes, _kind(np.asarray(items))
    # A column of objects gets the type of its values.
    classes = np.unique(np.asarray(rows))
    if label_names is None:
        dataset = replace(dataset, label_names=tuple(_class_names(classes)))
    return dataset, classes, _kind(classes)


def classes_of(bundle: Bundle) -> np.ndarray:
    """Return the classes of a loaded bundle in their original type."""
    if bundle.multilabel:
        return _numbered(bundle.label_names)
    if bundle.label_kind == "b":
        return np.array([label_key(name) == "true" for name in bundle.label_names])
    types = {"i": np.int64, "f": np.float64}
    return np.asarray(bundle.label_names).astype(types.get(bundle.label_kind, str))


def _unwrapped(row: Any) -> Any:
    """Return lists of any kind, also written ones, as lists."""
    if isinstance(row, str):
        items = written_list(row) if row[:1] in ("[", "(", "{") else None
        return row if items is None else items
    if isinstance(row, np.ndarray):
        return row.tolist()
    return list(row) if isinstance(row, LIST_TYPES) else row


def _column_names(rows: list[Any], columns: list[Any] | None, y: Any) -> list[str]:
    """Return the classes of a matrix of 0 and 1; none for lists of labels."""
    matrix = all(
        isinstance(row, list) and are_flags(row) and len(row) == len(rows[0])
        for row in rows
    )
    if matrix:
        return [as_label(name) for name in columns or range(len(rows[0]))]
    is_numeric = getattr(getattr(y, "dtype", None), "kind", "") in tuple("biufc")
    if columns is not None or (is_numeric and np.ndim(y) > 1):
        number = next(i for i, row in enumerate(rows) if not are_flags(row))
        raise DataError(
            "A y of several columns must be multilabel: a 0 or a 1 for each class. "
            f"Row {number} is {shorten(map(repr, rows[number]))}. For one label for "
            "each text pass one column (argmax of one-hot rows); for several labels, "
            "lists of labels."
        )
    return []


def _numbered(names: Sequence[str]) -> np.ndarray:
    """Return names as numbers if all of them are."""
    if all(name.isascii() and name.isdigit() for name in names):
        return np.array([int(name) for name in names])
    return np.asarray(names)


def _kind(values: np.ndarray) -> str:
    return values.dtype.kind.replace("u", "i").replace("O", "U")


def _check_labels(labels: list[Any]) -> None:
    for number, label in enumerate(labels):
        if is_missing(label):
            raise DataError(
                f"Label number {number} is missing. Got {label!r}; drop the text, or "
                "give it a label."
            )
        # Errors of a dataset name settings that an estimator does not have.
        if isinstance(label, str) and has_controls(label.strip()):
            raise DataError(
                f"Label number {number}, '{printable(label)}', contains control "
                "characters. Give it another name."
            )
        text = label.strip() if isinstance(label, str) else ""
        if "," in text and text[0] + text[-1] == "[]":
            raise DataError(
                f"Label number {number}, {text!r}, looks like a list whose labels are "
                "not in quotes. Give lists of labels, or another name."
            )
    # A bool is a Real as well, so the order matters.
    types = (str, bool | np.bool_, Real)
    kinds = {
        next((kind for kind in types if isinstance(label, kind)), None)
        for label in labels
    }
    if len(kinds) > 1 or None in kinds:
        raise DataError(
            "Labels must be all texts, or all numbers. Got "
            f"{', '.join(sorted({type(label).__name__ for label in labels}))}."
        )


def _class_names(classes: np.ndarray) -> list[str]:
    """Return a name for each class, as a file contains it."""
    names = [as_label(label) for label in classes.tolist()]
    keys = [label_key(name) for name in names]
    if len(set(keys)) < len(keys):
        first = next(i for i, key in enumerate(keys) if keys.count(key) > 1)
        raise DataError(
            f"Several labels differ from {names[first]!r} only in white space at their "
            "ends, or in how a number or a truth value is written. Write them alike."
        )
    return names
