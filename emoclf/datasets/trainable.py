"""Datasets of what callers give, and checks before a training or a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from emoclf.datasets.cells import shorten
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.labels import find_class
from emoclf.datasets.rows import names_of, rename
from emoclf.display import has_controls, printable
from emoclf.errors import DataError, did_you_mean, setting, wrong_kind
from emoclf.settings import DataSettings
from emoclf.text.validation import is_frame

#: Settings with which two lists are read; a DataFrame has columns as well.
LIST_SETTINGS = ("label_names", "label_separator", "skip_bad_rows")
FRAME_SETTINGS = (
    *("text_column", "label_column", "label_columns", "split_column"),
    *LIST_SETTINGS,
)


def from_lists(texts: Any, labels: Any, settings: DataSettings) -> Dataset:
    """Make a dataset from two lists, with those of the settings that apply."""
    return Dataset.from_lists(texts, labels, **_values(settings, LIST_SETTINGS))


def _values(settings: DataSettings, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in names}


def as_dataset(
    data: Any,
    settings: DataSettings | None = None,
    *,
    name: str = "dataset",
    label_names: Sequence[str] | None = None,
) -> Dataset:
    """Return a Dataset of what a caller gave: a Dataset, or a pandas DataFrame.

    Parameters
    ----------
    data : Dataset or DataFrame
    settings : DataSettings, optional
        Names of columns and labels in a DataFrame.
    name : str
        Name of the argument, for errors.
    label_names : sequence of str, optional
        Classes that the labels must be among, in their order.

    Raises
    ------
    DataError
        If it is something else, or a row of the DataFrame cannot be used.
    """
    if is_frame(data):
        values = _values(settings or DataSettings(), FRAME_SETTINGS)
        data = Dataset.from_frame(data, **values)
    if not isinstance(data, Dataset):
        cure = "read a file with read_dataset"
        if isinstance(data, list | tuple):
            cure = "make one with Dataset.from_lists(texts, labels)"
        raise DataError(wrong_kind(name, "a Dataset or a DataFrame", data, cure))
    if label_names is None or data.label_names == tuple(label_names):
        return data
    return _with_classes(data, label_names)


def _with_classes(data: Dataset, label_names: Sequence[str]) -> Dataset:
    """Return the dataset with other classes, which include its own."""
    class_of: dict[str, str] = {}
    for name in data.label_names:
        match = find_class(name, label_names)
        if match is None:
            raise DataError(
                f"{data.source} has the label {name!r}, which the classifier does "
                f"not have: {shorten(label_names, 60)}."
                f"{did_you_mean(name, label_names)}"
            )
        class_of[name] = match
    labels = tuple(rename(label, class_of) for label in data.labels)
    return replace(data, labels=labels, label_names=tuple(label_names))


def check_trainable(dataset: Dataset) -> None:
    """Check that a classifier can be trained on the labels.

    Raises
    ------
    DataError
        If there is only one class, or the name of one contains control characters.
    """
    for name in dataset.label_names:
        if has_controls(name):
            raise DataError(
                f"{dataset.source}: the label '{printable(name)}' contains control "
                "characters, which change what a terminal shows, or split lines. "
                f"Correct it, or rename it with {setting('label_names')}."
            )
    classes = [name for name, count in dataset.counts().items() if count]
    if len(classes) < 2:
        content = f"only one class, {classes[0]!r}" if classes else "no labels"
        raise DataError(
            f"{dataset.source} has {content}. A classifier needs texts of at least two "
            "classes."
        )


def check_divisible(dataset: Dataset) -> None:
    """Check that a dataset can be divided into a training and other sets.

    A training set itself may have one text of a class: cross-validation leaves one
    where there are two.

    Raises
    ------
    DataError
        If there is only one class, or only one row has a label; the message names it.
    """
    check_trainable(dataset)
    counts = dataset.counts()
    for index, label in enumerate(dataset.labels):
        for name in names_of(label):
            if counts[name] == 1:
                other_names = [other for other, count in counts.items() if count > 1]
                raise DataError(
                    f"{dataset.where(index)}: only this row has the label {name!r}, so "
                    "that it cannot be in both the training and the test set."
                    f"{did_you_mean(name, other_names)} Add rows with it, change it, "
                    f"or drop it with {setting('skip_bad_rows')}."
                )
