"""Read labelled files and split them, or use the user's own split."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.readers import read_dataset
from emoclf.datasets.split import (
    PART_NAMES,
    Split,
    count_leaks,
    hold_out_texts,
    split_dataset,
)
from emoclf.datasets.trainable import check_divisible
from emoclf.errors import DataError, setting
from emoclf.settings import DataSettings

logger = logging.getLogger(__name__)


def read_split(
    path: str | os.PathLike[str],
    settings: DataSettings,
    *,
    valid: str | os.PathLike[str] | None = None,
    test: str | os.PathLike[str] | None = None,
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
    own, *others = _each_settings(settings, [path, valid, test])
    dataset = read_dataset(path, own)
    if valid is None and test is None:
        return dataset, as_split(dataset, settings, seed=seed)
    valid_set, test_set = (
        None
        if file is None
        else read_dataset(file, file_settings, label_names=dataset.label_names)
        for file, file_settings in zip((valid, test), others, strict=True)
    )
    train_set = dataset
    if valid_set is None:
        check_divisible(dataset)
        train_set, valid_set = hold_out_texts(dataset, settings, seed=seed)
    split = Split(train=train_set, valid=valid_set, test=test_set)
    _warn_of_leaks(split, settings)
    return dataset, split


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
    split = split_dataset(data, settings, seed=seed)
    if settings.split_column is not None:
        _warn_of_leaks(split, settings)
    return split


def _warn_of_leaks(split: Split, settings: DataSettings) -> None:
    """Warn of texts that two parts of a split contain."""
    leaks = count_leaks(split, near_duplicates=settings.near_duplicates)
    for (early, late), count in leaks.items():
        logger.warning(
            "%d of %d %s texts are duplicates or near-duplicates of %s texts; scores "
            "on them are too optimistic.",
            count,
            len(split.parts()[late]),
            PART_NAMES[late],
            PART_NAMES[early],
        )
