"""Split texts by label, with a seed, and with duplicates on one side.

One way serves all: parts of given shares, a held-out part, and folds are dealt out
group by group of near-duplicates (see ``stratify.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emoclf.datasets.dataset import Dataset, check_trainable
from emoclf.datasets.duplicates import group_duplicates
from emoclf.datasets.rows import names_of
from emoclf.datasets.stratify import deal_groups
from emoclf.errors import DataError, SettingsError
from emoclf.settings import DataSettings

PARTS = ("train", "valid", "test")
#: Part → name for people, followed by "set" or "texts".
PART_NAMES = {"train": "training", "valid": "validation", "test": "test"}


@dataclass(frozen=True)
class Split:
    """The parts of a dataset.

    Parameters
    ----------
    train : Dataset
    valid : Dataset
        Empty if its share is 0.
    test : Dataset, optional
        None if its share is 0.
    """

    train: Dataset
    valid: Dataset
    test: Dataset | None = None

    def parts(self) -> dict[str, Dataset]:
        """Return the parts that hold texts, by name."""
        found = {"train": self.train, "valid": self.valid, "test": self.test}
        return {name: part for name, part in found.items() if part}


def split_dataset(
    dataset: Dataset, settings: DataSettings | None = None, *, seed: int = 0
) -> Split:
    """Split into train, valid and test.

    A dataset with a split column is split as the column says; if that names no
    valid, ``valid_fraction`` is taken out of train.

    Parameters
    ----------
    dataset : Dataset
    settings : DataSettings, optional
        Gives ``valid_fraction``, ``test_fraction`` and ``near_duplicates``.
    seed : int
        The same seed gives the same split.

    Raises
    ------
    DataError
        If there is only one class, a label on one row only, or too few texts.
    SettingsError
        If the shares leave nothing to train on.
    """
    settings = settings or DataSettings()
    check_trainable(dataset)
    if dataset.parts is not None:
        return _split_as_said(dataset, settings, seed=seed)
    shares = (settings.valid_fraction, settings.test_fraction)
    if sum(shares) > 0.95:
        raise SettingsError(
            "valid_fraction and test_fraction together must be at most 0.95. "
            f"Got {shares[0]:g} + {shares[1]:g} instead."
        )
    parts = _deal(
        dataset, (1 - sum(shares), *shares), seed=seed, near=settings.near_duplicates
    )
    train, valid, test = (dataset.take(part) for part in parts)
    return Split(train, valid, test if settings.test_fraction else None)


def hold_out(
    dataset: Dataset, fraction: float, *, seed: int = 0, near_duplicates: float = 0.8
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the rest and of a stratified part of about this share.

    Raises
    ------
    DataError
        If there are too few texts for two parts.
    SettingsError
        If the fraction is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise SettingsError(
            "The share that is held out must lie between 0 and 1. "
            f"Got {fraction!r} instead."
        )
    shares = (1 - fraction, fraction)
    rest, held = _deal(dataset, shares, seed=seed, near=near_duplicates)
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
    folds = _deal(
        dataset, shares, seed=seed, near=near_duplicates, what=f"{n_folds:,} folds"
    )
    everything = np.arange(len(dataset))
    return [(np.setdiff1d(everything, fold), fold) for fold in folds]


def count_leaks(
    split: Split, *, near_duplicates: float = 0.8
) -> dict[tuple[str, str], int]:
    """Count the texts of a later part that have a near-duplicate in an earlier one.

    Of use for a split that was made elsewhere; that of ``split_dataset`` has none.

    Returns
    -------
    leaks : dict
        ``{("train", "test"): 12}``: 12 texts of test stand in train, or nearly so.
        Pairs of parts without any are left out.
    """
    parts = split.parts()
    texts = [text for part in parts.values() for text in part.texts]
    groups = group_duplicates(texts, near_duplicates)
    cuts = np.cumsum([len(part) for part in parts.values()])[:-1]
    pieces = dict(zip(parts, np.split(groups, cuts), strict=True))
    found = {
        (early, late): int(np.isin(pieces[late], pieces[early]).sum())
        for i, early in enumerate(pieces)
        for late in list(pieces)[i + 1 :]
    }
    return {pair: count for pair, count in found.items() if count}


def _split_as_said(dataset: Dataset, settings: DataSettings, *, seed: int) -> Split:
    said = dataset.parts or ()
    train, valid, test = (
        dataset.take([i for i, part in enumerate(said) if part == name])
        for name in PARTS
    )
    if not train:
        raise DataError(
            f"{dataset.source}: no row of the split column says train. Mark the rows "
            "to learn from, or leave split_column out."
        )
    check_trainable(train)
    if not valid and settings.valid_fraction:
        rest, held = hold_out(
            train,
            settings.valid_fraction,
            seed=seed,
            near_duplicates=settings.near_duplicates,
        )
        train, valid = train.take(rest), train.take(held)
    return Split(train, valid, test or None)


def _deal(
    dataset: Dataset,
    shares: Sequence[float],
    *,
    seed: int,
    near: float,
    what: str | None = None,
) -> list[np.ndarray]:
    """Return the sorted positions of each part; ``what`` is what errors call them."""
    groups = group_duplicates(dataset.texts, near)
    id_of = {name: i for i, name in enumerate(dataset.label_names)}
    labels = [[id_of[name] for name in names_of(label)] for label in dataset.labels]
    part_of_group = deal_groups(groups, labels, shares, seed=seed)
    part = np.array(part_of_group, dtype=np.int64)[groups]
    parts = [np.flatnonzero(part == p) for p in range(len(shares))]
    for share, positions in zip(shares, parts, strict=True):
        if share > 0 and len(positions) == 0:
            raise DataError(
                f"{dataset.source} has {len(dataset):,} texts in "
                f"{len(part_of_group):,} groups of near-duplicates: too few for "
                f"{what or 'parts of ' + ', '.join(f'{s:.0%}' for s in shares)}. Add "
                f"texts, ask for fewer {'folds' if what else 'parts'}, or raise "
                "near_duplicates."
            )
    return parts
