"""Word vectors that a caller gave, those of the settings, or those of the package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from sklearn.utils import check_random_state

from emoclf.embeddings.coverage import MIN_COVERAGE
from emoclf.embeddings.starter import STARTER
from emoclf.embeddings.vector_objects import VectorSet, vector_sets, vectors_setting
from emoclf.settings import RunSettings, TextSettings
from emoclf.settings.base import NONE_TEXT
from emoclf.settings.sections import AUTO, WordVectorSettings
from emoclf.workflow.automatic_settings import starter_coverage

AnySettings = TypeVar("AnySettings", bound=WordVectorSettings)


def with_vectors(
    settings: AnySettings, vectors: Any, texts: Sequence[str], *, lowercase: bool
) -> tuple[AnySettings, tuple[VectorSet, ...]]:
    """Return settings that name the vectors in force, and those given as objects.

    Parameters
    ----------
    settings : WordVectorSettings
    vectors : object
        Argument of an estimator; None: those of the settings.
    texts : sequence of str
        Training texts, whose coverage decides on the vectors of the package.
    lowercase : bool
        Whether tokens are folded to lower case.
    """
    sets: tuple[VectorSet, ...] = ()
    if isinstance(vectors, str) and vectors in (AUTO, NONE_TEXT):
        settings = replace(settings, vectors=vectors)
    elif sets := vector_sets(vectors):
        settings = replace(settings, vectors=vectors_setting(sets))
    if settings.vectors == AUTO:
        chosen = None
        if settings.embedding != "random" and settings.dim is None:
            text = TextSettings(lowercase=lowercase)
            share = starter_coverage(RunSettings(text=text), texts)
            chosen = STARTER if share >= MIN_COVERAGE else None
        settings = replace(settings, vectors=chosen)
    return settings, sets


def seed_of(random_state: Any, settings: Any) -> int:
    """Return the seed of an estimator: its own, that of its settings, or a random one.

    Parameters
    ----------
    random_state : int, RandomState or None
    settings : object
        Settings with a ``seed``, a mapping or None.
    """
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    if random_state is None and hasattr(settings, "seed"):
        return int(settings.seed)
    return int(check_random_state(random_state).randint(2**31 - 1))
