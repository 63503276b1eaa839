"""Split texts into training, validation and test set, or into folds.

Splits are stratified by label, depend on a seed only, and keep near-duplicates of a
text together (see ``stratify.py``).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.duplicates import number_groups
from emoclf.datasets.rows import names_of
from emoclf.datasets.stratify import deal_groups
from emoclf.datasets.trainable import as_dataset, check_divisible, check_trainable
from emoclf.display import Described, html_table, short_names
from emoclf.errors import DataError, SettingsError, setting
from emoclf.settings import DataSettings

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

PARTS = ("train", "valid", "test")
#: Part → name for people, followed by "set" or "texts".
PART_NAMES = {"train": "training", "valid": "validation", "test": "test"}


@dataclass(frozen=True, repr=False)
class Split(Described):
    """Training, validation and test set: ``train, valid, test = split``.

    A pandas DataFrame with usual names of columns becomes a Dataset.

    Parameters
    ----------
    train : Dataset
    valid : Dataset
        Empty if its fraction is 0.
    test : Dataset, optional
        None if its fraction is 0.
    """

    train: Dataset
    valid: Dataset
    test: Dataset | None = None

    def __post_init__(self) -> None:
        for name in PARTS:
            part = getattr(self, name)
            if isinstance(part, Dataset) or (part is None and name == "test"):
                continue
            classes = None if name == "train" else self.train.label_names
            part = as_dataset(part, name=name, label_names=classes)
            object.__setattr__(self, name, part)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.train, self.valid, self.test))

    def _facts(self) -> dict[str, object]:
        sizes = {name: f"{len(part):,}" for name, part in self.parts().items()}
        return {**sizes, "labels": short_names(self.train.label_names)}

    def _repr_html_(self) -> str:
        parts = self.parts()
        counts = [part.counts() for part in parts.values()]
        rows = [
            (name, *(count[name] for count in counts))
            for name in self.train.label_names
        ]
        total = ("all texts", *map(len, parts.values()))
        return html_table(("label", *parts), [*rows, total], caption=repr(self))

    def parts(self) -> dict[str, Dataset]:
        """Return the parts that are not empty, by name."""
        return {name: part for name in PARTS if (part := getattr(self, name))}


def split_dataset(
    dataset: Dataset | pd.DataFrame,
    settings: DataSettings | Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    **flat: Any,
) -> Split:
    """Split into training, validation and test set.

    A dataset with a split column is split by it; if the column names no validation
    set, ``valid_fraction`` of the training set is held out.

    Parameters
    ----------
    dataset : Dataset or DataFrame
    settings : DataSettings or mapping, optional
        Gives ``valid_fraction``, ``test_fraction`` and ``near_duplicates``; and the
        columns of a DataFrame, ``text_column``, ``label_column`` and ``split_column``.
    seed : int
        The same seed gives the same split.
    **flat
        Single settings, such as ``test_fraction=0.2``, which override ``settings``.

    Raises
    ------
    DataError
        If there is only one class, a label that only one row has, or too few texts.
    SettingsError
        If the fractions leave no training set.
    """
    settings = DataSettings.of(settings, flat)
    dataset = as_dataset(dataset, settings)
    check_divisible(dataset)
    if dataset.parts is not None:
        return _split_by_column(dataset, settings, seed=seed)
    shares = (settings.valid_fraction, settings.test_fraction)
    if sum(shares) > 0.95:
        raise SettingsError(
            f"{setting('valid_fraction')} and {setting('test_fraction')} together must "
            f"be at most 0.95. Got {shares[0]:g} + {shares[1]:g} instead."
        )
    parts = _deal(
        dataset, (1 - sum(shares), *shares), seed=seed, near=settings.near_duplicates
    )
    train, valid, test = (dataset.take(part) for part in parts)
    return Split(train, valid, test if settings.test_fraction else None)


def hold_out(
    dataset: Dataset,
    fraction: float,
    *,
    seed: int = 0,
    near_duplicates: float = 0.8,
    groups: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the rest and of a stratified held-out fraction.

    Parameters
    ----------
    dataset : Dataset
    fraction : float in (0, 1)
    seed : int
    near_duplicates : float in (0, 1]
    groups : ndarray of int64, shape (n_texts,), optional
        Groups of duplicates, numbered from 0, where they are known.

    Raises
    ------
    DataError
        If there are too few texts for two parts.
    SettingsError
        If the fraction is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise SettingsError(
            "The fraction that is held out must be between 0 and 1. "
            f"Got {fraction!r} instead."
        )
    shares = (1 - fraction, fraction)
    rest, held = _deal(dataset, shares, seed=seed, near=near_duplicates, groups=groups)
    return rest, held


def stratified_folds(
    dataset: Dataset, n_folds: int, *, seed: int = 0, near_duplicates: float = 0.8
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the positions (train, test) of every fold of a cross-validation.

    Raises
    ------
    DataError
        If there are too few texts for so many folds.
    SettingsError
        If there are fewer than two folds.
    """
    if n_folds < 2:
        raise SettingsError(
            f"A cross-validation needs at least 2 folds. Got {n_folds!r} instead."
        )
    shares = (1 / n_folds,) * n_folds
    folds = _deal(dataset, shares, seed=seed, near=near_duplicates, kind="folds")
    everything = np.arange(len(dataset))
    return [(np.setdiff1d(everything, fold), fold) for fold in folds]


def join_parts(*parts: Dataset, source: str) -> Dataset:
    """Return sets with the same label names as one, which errors call ``source``."""
    vectors = [rows for part in parts for rows in part.vectors or ()]
    return replace(
        parts[0],
        source=source,
        skips=(),
        texts=tuple(text for part in parts for text in part.texts),
        labels=tuple(label for part in parts for label in part.labels),
        vectors=tuple(vectors) if vectors else None,
        parts=None,
        lines=None,
        unit="position",
    )


def leaking_texts(
    groups: Mapping[str, np.ndarray],
) -> dict[tuple[str, str], np.ndarray]:
    """Return the positions of the texts of later parts that earlier parts contain.

    Parameters
    ----------
    groups : mapping of str to ndarray of int
        Group of duplicates of each text, per part.

    Returns
    -------
    leaks : dict
        ``{("train", "test"): positions in the test set}``, without empty ones.
    """
    leaks = {
        (early, late): np.flatnonzero(np.isin(groups[late], groups[early]))
        for early, late in combinations(groups, 2)
    }
    return {pair: positions for pair, positions in leaks.items() if len(positions)}


def warn_of_leaks(groups: Mapping[str, np.ndarray]) -> None:
    """Warn of texts that two parts of a split contain; see :func:`leaking_texts`."""
    for (early, late), positions in leaking_texts(groups).items():
        logger.warning(
            "%d of %d %s texts are duplicates or near-duplicates of %s texts; scores "
            "on them are too optimistic.",
            len(positions),
            len(groups[late]),
            PART_NAMES[late],
            PART_NAMES[early],
        )


def _split_by_column(dataset: Dataset, settings: DataSettings, *, seed: int) -> Split:
    parts = np.array(dataset.parts)
    positions = {name: np.flatnonzero(parts == name) for name in PARTS}
    train = dataset.take(positions["train"])
    if not train:
        raise DataError(
            f"{dataset.source}: no row has 'train' in the split column. Mark the rows "
            f"to train on, or leave {setting('split_column')} out."
        )
    check_trainable(train)
    groups = dataset.duplicate_groups(settings.near_duplicates)
    if not len(positions["valid"]) and settings.valid_fraction:
        rest, held = hold_out(
            train,
            settings.valid_fraction,
            seed=seed,
            near_duplicates=settings.near_duplicates,
            groups=number_groups(groups[positions["train"]].tolist()),
        )
        positions["valid"] = positions["train"][held]
        positions["train"] = positions["train"][rest]
    warn_of_leaks({name: groups[where] for name, where in positions.items()})
    train, valid, test = (dataset.take(where) for where in positions.values())
    return Split(train, valid, test or None)


def _deal(
    dataset: Dataset,
    shares: Sequence[float],
    *,
    seed: int,
    near: float,
    kind: str = "parts",
    groups: np.ndarray | None = None,
) -> list[np.ndarray]:
    """Return the sorted positions of each part; ``kind`` is the word for them."""
    if groups is None:
        groups = dataset.duplicate_groups(near)
    id_of = {name: i for i, name in enumerate(dataset.label_names)}
    labels = [[id_of[name] for name in names_of(label)] for label in dataset.labels]
    part_of_group = deal_groups(groups, labels, shares, seed=seed)
    part = np.array(part_of_group, dtype=np.int64)[groups]
    parts = [np.flatnonzero(part == p) for p in range(len(shares))]
    if any(share and not len(x) for share, x in zip(shares, parts, strict=True)):
        percents = ", ".join(f"{share:.0%}" for share in shares)
        wanted, change = f"parts of {percents}", "change these fractions"
        if kind == "folds":
            wanted, change = f"{len(shares)} folds", "ask for fewer folds"
        raise DataError(
            f"{dataset.source} has {len(dataset):,} texts in {len(part_of_group):,} "
            f"groups of near-duplicates: too few for {wanted}. Add texts, {change}, or "
            f"raise {setting('near_duplicates')}."
        )
    return parts
