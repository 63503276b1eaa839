"""Read labelled files and split them, or use the user's own split."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from emoclf.datasets.corrections import correct_labels
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.duplicates import group_parts
from emoclf.datasets.readers import read_dataset
from emoclf.datasets.split import (
    PARTS,
    Split,
    hold_out,
    split_dataset,
    warn_of_leaks,
)
from emoclf.datasets.trainable import check_divisible
from emoclf.errors import DataError, setting
from emoclf.settings import DataSettings


def read_split(
    path: str | os.PathLike[str],
    settings: DataSettings,
    *,
    valid: str | os.PathLike[str] | None = None,
    test: str | os.PathLike[str] | None = None,
    corrections: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> tuple[Dataset, Split]:
    """Read a file, and split it where the user's own files leave it to do.

    Parameters
    ----------
    path : path
    settings : DataSettings
    valid, test : path, optional
        The user's own files. With ``valid`` alone there is no test set; with ``test``
        alone a validation set is held out.
    corrections : path, optional
        File of corrected labels of any of these files; see
        :func:`emoclf.datasets.corrections.correct_labels`.
    seed : int

    Returns
    -------
    dataset : Dataset
        All texts of ``path``.
    split : Split

    Raises
    ------
    DataError
    """
    if settings.split_column is not None and (valid or test) is not None:
        raise DataError(
            f"The split is given twice: by the column {settings.split_column!r} and by "
            f"files of its own. Give either {setting('split_column')}, or "
            f"{setting('valid')} and {setting('test')}."
        )
    read: dict[str, Dataset] = {}
    classes: tuple[str, ...] | None = None
    for name, file, own in _files(settings, path, valid, test):
        read[name] = read_dataset(file, own, label_names=classes)
        classes = read["train"].label_names
    if corrections is not None:
        corrected = correct_labels([*read.values()], corrections)
        read = dict(zip(read, corrected, strict=True))
    dataset = read["train"]
    if valid is None and test is None:
        return dataset, as_split(dataset, settings, seed=seed)
    train_set, valid_set = dataset, read.get("valid")
    near = settings.near_duplicates
    groups = dict(zip(read, group_parts([*read.values()], near), strict=True))
    if valid_set is None:
        check_divisible(dataset)
        rest, held = hold_out(
            dataset, settings.valid_fraction, seed=seed, near_duplicates=near
        )
        train_set, valid_set = dataset.take(rest), dataset.take(held)
        groups["train"], groups["valid"] = groups["train"][rest], groups["train"][held]
    warn_of_leaks({name: groups[name] for name in PARTS if name in groups})
    return dataset, Split(train_set, valid_set, read.get("test"))


def read_parts(
    path: str | os.PathLike[str],
    settings: DataSettings,
    *,
    valid: str | os.PathLike[str] | None = None,
    test: str | os.PathLike[str] | None = None,
) -> dict[str, Dataset]:
    """Read files as they are, to compare them: each may have labels of its own.

    Parameters
    ----------
    path : path
        Training set.
    settings : DataSettings
    valid, test : path, optional

    Returns
    -------
    parts : dict of str to Dataset
        Sets by name; a file with a split column is not divided.

    Raises
    ------
    DataError
    """
    return {
        name: read_dataset(file, own, keep_single_labels=True)
        for name, file, own in _files(settings, path, valid, test)
    }


def _files(
    settings: DataSettings, *paths: str | os.PathLike[str] | None
) -> list[tuple[str, str | os.PathLike[str], DataSettings]]:
    """Return part, path and settings, with its own file of labels, of each file."""
    files = [(name, x) for name, x in zip(PARTS, paths, strict=True) if x is not None]
    labels = settings.labels_file
    if labels is None:
        return [(*file, settings) for file in files]
    names = [labels] if isinstance(labels, str) else list(labels)
    if len(names) != len(files):
        raise DataError(
            f"{setting('labels_file')} must name a file of labels for each of "
            f"{len(files)} files of texts. Got {len(names)} instead: "
            f"{', '.join(names)}."
        )
    return [
        (*file, replace(settings, labels_file=name))
        for file, name in zip(files, names, strict=True)
    ]


def as_split(data: Any, settings: DataSettings, *, seed: int = 0) -> Split:
    """Return a Split of what a caller gave: a Split, a Dataset or a DataFrame.

    Raises
    ------
    DataError
        If it is something else, or cannot be split.
    """
    if isinstance(data, Split):
        return data
    return split_dataset(data, settings, seed=seed)
