"""Classifiers that come with the package, for texts in English.

Each is a folded export, which needs NumPy only. ``emoclf/ready/README.md`` has their
data, metrics and limits; ``tests/make_ready_classifiers.py`` makes them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emoclf.errors import BundleError, SettingsError, did_you_mean

if TYPE_CHECKING:
    from emoclf.folded import FoldedClassifier

NAME = re.compile(r"[\w-]+")
#: Name → description.
READY = {
    "emotions-en": "27 emotions and neutral, several for each text (GoEmotions)",
    "sentiment-en": "positive, neutral or negative",
}


def load_ready(name: str, **options: Any) -> FoldedClassifier:
    """Load a classifier that comes with the package.

    Parameters
    ----------
    name : {"emotions-en", "sentiment-en"}
        "emotions-en" gives 27 emotions and "neutral", several for each text;
        "sentiment-en" gives positive, neutral or negative.
    **options
        ``precision`` and ``engine`` of :class:`emoclf.folded.FoldedClassifier`.

    Returns
    -------
    classifier : FoldedClassifier

    Raises
    ------
    SettingsError
        If there is no classifier of this name.
    BundleError
        If its files are missing or damaged.

    Examples
    --------
    >>> load_ready("sentiment-en").predict(["What a lovely day!"])
    ['positive']
    """
    from emoclf.folded import load_folded

    if name not in READY:
        raise SettingsError(
            f"There is no ready classifier {name!r}.{did_you_mean(name, READY)} "
            f"Known: {', '.join(READY)}."
        )
    return load_folded(_folder(name), **options)


def model_path(model: str) -> str:
    """Return the path of a model that was given by its path, or by a ready name.

    Raises
    ------
    BundleError
        If it is neither, and near to a ready name.
    """
    if os.path.exists(model):
        return model
    if model in READY:
        return str(_folder(model))
    # "emotions.emoclf" is near to a ready name too, and is a file's.
    if NAME.fullmatch(model) and (advice := did_you_mean(model, READY)):
        raise BundleError(
            f"There is no folder {model} here, and no ready classifier of this name."
            f"{advice}"
        )
    return model


def _folder(name: str) -> Path:
    return Path(__file__).with_name(name)
