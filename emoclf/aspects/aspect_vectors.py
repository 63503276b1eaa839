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
# Parameters of an estimator that are not names of settings.
_OTHER_PARAMETERS = ("vectors", "settings", "random_state", "verbose")


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


def settings_of(estimator: Any, kind: type[AnySettings]) -> AnySettings:
    """Return the settings of an estimator: its parameters, and else ``settings``.

    The seed is its random state, that of its settings, or a random one.
    """
    flat = {
        name: value
        for name, value in estimator.get_params(deep=False).items()
        if name not in _OTHER_PARAMETERS and value is not None
    }
    state, settings = estimator.random_state, estimator.settings
    if isinstance(state, int | np.integer):
        seed = int(state)
    elif state is None and hasattr(settings, "seed"):
        seed = int(settings.seed)
    else:
        seed = int(check_random_state(state).randint(2**31 - 1))
    return kind.of(settings, {**flat, "seed": seed})
