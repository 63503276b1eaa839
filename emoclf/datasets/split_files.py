"""Read labelled files and split them, or use the user's own split."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from emoclf.datasets.corrections import correct_labels
from emoclf.datasets.dataset import Dataset, group_parts
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
    train_settings, *held_out_settings = _each_settings(settings, [path, valid, test])
    dataset = read_dataset(path, train_settings)
    read = {"train": dataset}
    for name, file, file_settings in zip(
        ("valid", "test"), (valid, test), held_out_settings, strict=True
    ):
        if file is not None:
            classes = dataset.label_names
            read[name] = read_dataset(file, file_settings, label_names=classes)
    if corrections is not None:
        read = dict(
            zip(read, correct_labels([*read.values()], corrections), strict=True)
        )
    dataset = read["train"]
    if valid is None and test is None:
        return dataset, as_split(dataset, settings, seed=seed)
    valid_set, test_set = read.get("valid"), read.get("test")
    near = settings.near_duplicates
    groups = dict(zip(read, group_parts([*read.values()], near), strict=True))
    if valid_set is None:
        check_divisible(dataset)
        rest, held = hold_out(
            dataset, settings.valid_fraction, seed=seed, near_duplicates=near
        )
        train_set, valid_set = dataset.take(rest), dataset.take(held)
        groups["train"], groups["valid"] = groups["train"][rest], groups["train"][held]
    else:
        train_set = dataset
    warn_of_leaks({name: groups[name] for name in PARTS if name in groups})
    return dataset, Split(train=train_set, valid=valid_set, test=test_set)


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
    files = {"train": path, "valid": valid, "test": test}
    each = _each_settings(settings, [*files.values()])
    return {
        name: read_dataset(file, own, keep_single_labels=True)
        for (name, file), own in zip(files.items(), each, strict=True)
        if file is not None
    }


def _each_settings(
    settings: DataSettings, paths: Sequence[object | None]
) -> list[DataSettings]:
    """Return the settings of each file, with its own file of labels."""
    files = settings.labels_file
    if files is None:
        return [settings] * len(paths)
    names = [files] if isinstance(files, str) else list(files)
    n_paths = sum(path is not None for path in paths)
    if len(names) != n_paths:
        raise DataError(
            f"{setting('labels_file')} must name a file of labels for each of "
            f"{n_paths} files of texts. Got {len(names)} instead: {', '.join(names)}."
        )
    rest = iter(names)
    return [
        settings if path is None else replace(settings, labels_file=next(rest))
        for path in paths
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
