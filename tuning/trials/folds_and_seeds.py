"""The data and seed of each repeat of a trial: folds, or one split with seeds."""

from __future__ import annotations

import hashlib

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split, hold_out, join_parts, stratified_folds

from ..plan import SearchPlan
from ..results.outcome import SEEDS

#: Hyperband's entry among the values of a trial: its number of epochs.
EPOCHS = "tuner/epochs"
#: Share of the training and validation set that chooses the epoch of the winner.
HELD_OUT = 0.1


def parts_of(plan: SearchPlan, train: Dataset, valid: Dataset) -> list[Split]:
    """Return the training and validation set of every repeat.

    Folds are stratified over the training and validation set together, with duplicates
    in the same fold, and drawn with the search's seed, so that all trials have the same
    ones. Several seeds share the two sets as they are.

    Parameters
    ----------
    plan : SearchPlan
    train, valid : Dataset

    Raises
    ------
    DataError
        If there are too few texts for so many folds.
    """
    if plan.kind == SEEDS:
        return [Split(train, valid)] * plan.repeats
    whole = _together(train, valid)
    folds = stratified_folds(
        whole,
        plan.repeats,
        seed=plan.settings.seed,
        near_duplicates=plan.settings.data.near_duplicates,
    )
    return [Split(whole.take(rest), whole.take(fold)) for rest, fold in folds]


def final_parts(plan: SearchPlan, train: Dataset, valid: Dataset) -> Split:
    """Return the sets of the winner: both sets together, and a stratified tenth of it.

    The tenth is left out of the training set. It chooses the epoch, and for multilabel
    data the thresholds.
    """
    whole = _together(train, valid)
    rest, held_out = hold_out(
        whole,
        HELD_OUT,
        seed=plan.settings.seed,
        near_duplicates=plan.settings.data.near_duplicates,
    )
    return Split(whole.take(rest), whole.take(held_out))


def _together(train: Dataset, valid: Dataset) -> Dataset:
    source = f"The training and validation set of {train.source}"
    return join_parts(train, valid, source=source)


def trial_seed(seed: int, *numbers: int) -> int:
    """Return a seed derived from those of the search, the trial and the repeat.

    Examples
    --------
    >>> trial_seed(0, 1, 0) == trial_seed(0, 1, 0), trial_seed(0, 1) == trial_seed(0, 2)
    (True, False)
    """
    text = " ".join(map(str, (seed, *numbers))).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "little")
