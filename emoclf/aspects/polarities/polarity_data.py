"""Targets and labels for a training: checked, with tokens, in two sets."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import numpy as np

from emoclf.aspects.polarities.polarity_network import PolaritySettings
from emoclf.aspects.polarities.polarity_targets import (
    MARKERS,
    Target,
    as_targets,
    marked_windows,
)
from emoclf.datasets.duplicates import group_duplicates
from emoclf.datasets.stratify import deal_groups
from emoclf.errors import DataError
from emoclf.settings import TextSettings
from emoclf.text.encoder import new_tokenizer
from emoclf.text.tokenizer import Tokenizer

logger = logging.getLogger(__name__)

#: Targets and their labels.
Part = tuple[list[Target], list[str]]


def checked_targets(X: Iterable[Any], y: Iterable[str], prefix: str = "") -> Part:
    """Return targets and their labels; DataError if they are no targets or differ."""
    targets, labels = as_targets(X), [str(label) for label in y]
    if len(targets) != len(labels) or not targets:
        raise DataError(
            f"{prefix}There must be at least one target, and a label for each target. "
            f"Got {len(targets)} targets and {len(labels)} labels."
        )
    return targets, labels


def with_tokens(
    targets: list[Target], labels: list[str], settings: PolaritySettings
) -> Part:
    """Leave out, and count, targets without a token: nothing can be learnt of them."""
    windows = marked_windows(targets, polarity_tokenizer(settings), 0)
    rows = [i for i, window in enumerate(windows) if len(window) > len(MARKERS)]
    if not rows:
        raise DataError(
            f"None of the {len(targets)} terms contains a token. Correct their offsets."
        )
    if len(rows) < len(targets):
        logger.warning(
            "%d of %d terms contain no token (a control character, for instance); the "
            "polarity classifier is trained without them.",
            len(targets) - len(rows),
            len(targets),
        )
    return _take(targets, labels, rows)


def polarity_tokenizer(settings: PolaritySettings) -> Tokenizer:
    """Return the tokenizer of these settings."""
    return new_tokenizer(TextSettings(lowercase=settings.lowercase))


def hold_out(
    targets: list[Target], labels: list[str], settings: PolaritySettings
) -> tuple[Part, Part]:
    """Return the training and the validation set."""
    groups = group_duplicates([x.text for x in targets], settings.near_duplicates)
    names = sorted({*labels})
    fraction = settings.valid_fraction
    parts = deal_groups(
        groups,
        [[names.index(label)] for label in labels],
        (1 - fraction, fraction),
        seed=settings.seed,
    )
    part = np.array(parts)[groups]
    if part.all() or not part.any():
        raise DataError(
            f"{len(targets)} targets in {groups.max() + 1} groups of near-duplicate "
            "texts are too few for a training and a validation set. Add some, or give "
            "validation_data."
        )
    train_rows, valid_rows = np.flatnonzero(part == 0), np.flatnonzero(part)
    return _take(targets, labels, train_rows), _take(targets, labels, valid_rows)


def _take(targets: list[Target], labels: list[str], rows: Iterable[int]) -> Part:
    return [targets[i] for i in rows], [labels[i] for i in rows]
