"""The parts on which a trial's trainings run: folds, or one split and several seeds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import hold_out, stratified_folds

from ..plan import SearchPlan

#: Hyperband writes it beside the values: the number of epochs a trial may train.
EPOCHS = "tuner/epochs"
#: Share of training and validation part together that chooses the winner's epoch.
HELD_OUT = 0.1


@dataclass(frozen=True)
class Parts:
    """What one training is fitted on, and what chooses its epoch and judges it."""

    train: Dataset
    valid: Dataset


def parts_of(plan: SearchPlan, train: Dataset, valid: Dataset) -> list[Parts]:
    """Return the parts of every repeat.

    Folds are stratified over training and validation part together, with duplicates on
    one side, by the search's seed: all trials have the same ones. Several seeds share
    the two parts as they are.

    Parameters
    ----------
    plan : SearchPlan
    train, valid : Dataset

    Raises
    ------
    DataError
        If there are too few texts for so many folds.
    """
    if plan.kind == "seeds":
        return [Parts(train, valid)] * plan.repeats
    whole = joined(train, valid)
    folds = stratified_folds(
        whole,
        plan.repeats,
        seed=plan.settings.seed,
        near_duplicates=plan.settings.data.near_duplicates,
    )
    return [Parts(whole.take(rest), whole.take(fold)) for rest, fold in folds]


def final_parts(plan: SearchPlan, train: Dataset, valid: Dataset) -> Parts:
    """Return what the winner is fitted on: both parts but a stratified tenth.

    That tenth chooses its epoch, and for several labels its thresholds.
    """
    whole = joined(train, valid)
    rest, held = hold_out(
        whole,
        HELD_OUT,
        seed=plan.settings.seed,
        near_duplicates=plan.settings.data.near_duplicates,
    )
    return Parts(whole.take(rest), whole.take(held))


def joined(first: Dataset, second: Dataset) -> Dataset:
    """Return two parts with the same label names as one."""
    return replace(
        first,
        texts=first.texts + second.texts,
        labels=first.labels + second.labels,
        source=f"The training and validation part of {first.source}",
        parts=None,
        lines=None,
        unit="position",
        skips=(),
    )


def trial_seed(seed: int, *numbers: int) -> int:
    """Derive a seed from the search's, the trial's number and the repeat's.

    Examples
    --------
    >>> trial_seed(0, 1, 0) == trial_seed(0, 1, 0), trial_seed(0, 1) == trial_seed(0, 2)
    (True, False)
    """
    text = " ".join(map(str, (seed, *numbers))).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "little")


def distinct(parts: Sequence[Parts]) -> list[int]:
    """Return for each repeat the first one that has the same parts."""
    first: dict[int, int] = {}
    return [first.setdefault(id(one.train), number) for number, one in enumerate(parts)]
