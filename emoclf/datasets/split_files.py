"""Read labelled files and split them, or use the user's own split."""

from __future__ import annotations

import logging
import os
from typing import Any

from emoclf.datasets.dataset import Dataset, check_trainable
from emoclf.datasets.readers import read_dataset
from emoclf.datasets.split import (
    PART_NAMES,
    Split,
    count_leaks,
    hold_out_texts,
    split_dataset,
)
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
    dataset = read_dataset(path, settings)
    if valid is None and test is None:
        return dataset, as_split(dataset, settings, seed=seed)
    valid_set, test_set = (
        None
        if file is None
        else read_dataset(file, settings, label_names=dataset.label_names)
        for file in (valid, test)
    )
    train_set = dataset
    if valid_set is None:
        check_trainable(dataset)
        train_set, valid_set = hold_out_texts(dataset, settings, seed=seed)
    split = Split(train=train_set, valid=valid_set, test=test_set)
    _warn_of_leaks(split, settings)
    return dataset, split


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
