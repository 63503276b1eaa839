"""What a search is: everything that its results depend on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Self

from emoclf.bundle.bundle import installed_versions
from emoclf.errors import SearchError, did_you_mean, setting
from emoclf.settings import RunSettings

from .limits import Limits, check_numbers
from .results.objective import Objective
from .results.outcome import FOLDS, KINDS, SEEDS, STRATEGIES
from .space.space import Space


@dataclass(frozen=True)
class SearchPlan:
    """What is searched, and how a trial is judged.

    How many trials, processes and minutes a search gets is not part of it: they may be
    others when the search goes on.

    Parameters
    ----------
    settings : RunSettings
        The first trial, and whatever is not searched. Its seed drives the search.
    space : Space
    objective : Objective
    strategy : {"random", "grid", "bayesian", "hyperband"}
    kind : {"folds", "seeds"}
        A trial is the mean over stratified folds of training and validation part, or
        over several seeds on these parts as they are.
    repeats : int
        At least 2 folds, or 1 seed.
    prune : bool
        End trials that cannot win (see :mod:`emoclf.tuning.results.pruning`).
    trial_seconds : float > 0, optional
        A trial that takes longer has failed.
    limits : Limits
    threads : int >= 1
        Of each worker process. With another number sums are taken in another order, and
        scores differ in their last digits; so it belongs to the search, and not to the
        machine.

    Raises
    ------
    SearchError
    """

    settings: RunSettings
    space: Space
    objective: Objective = field(default_factory=Objective)
    strategy: str = "random"
    kind: str = FOLDS
    repeats: int = 3
    prune: bool = True
    trial_seconds: float | None = None
    limits: Limits = field(default_factory=Limits)
    threads: int = 1

    def __post_init__(self) -> None:
        check_numbers(
            whole={self.kind: self.repeats, "threads": self.threads},
            any_number={"trial_seconds": self.trial_seconds},
        )
        for name, value, known in (
            ("strategy", self.strategy, STRATEGIES),
            ("kind", self.kind, KINDS),
        ):
            if value not in known:
                raise SearchError(
                    f"The {name} of a search must be one of {', '.join(known)}. Got "
                    f"{value!r}.{did_you_mean(str(value), known)}"
                )
        fewest = 2 if self.kind == FOLDS else 1
        if self.repeats < fewest:
            raise SearchError(
                f"A trial needs at least {fewest} {self.kind}. Got {self.repeats!r}. "
                "For one training on the validation part as it is, give "
                f"{setting('seeds', 1)}."
            )
        if self.strategy == "hyperband" and "epochs" in self.space.names():
            raise SearchError(
                "Hyperband gives out the epochs itself. Got a table [epochs] in "
                f"{self.space.name}; take it out there, and give the most with "
                f"{setting('epochs')}."
            )
        if self.threads < 1:
            raise SearchError(
                f"A worker needs at least one thread. Got {self.threads!r}."
            )
        if self.trial_seconds is not None and not self.trial_seconds > 0:
            raise SearchError(
                f"A trial needs some time. Got {self.trial_seconds!r} seconds."
            )

    @property
    def prunes(self) -> bool:
        """Whether trials are ended early; Hyperband does so by its own rule."""
        return self.prune and self.strategy != "hyperband"

    def fingerprint(self) -> dict[str, Any]:
        """Return what must be equal for a search to go on, by names users know."""
        values = self.to_dict()
        vectors = self.settings.embedding.vectors
        if vectors is not None:
            # The words that are used are compared, wherever their file lies now.
            values["settings"]["embedding"]["vectors"] = os.path.basename(vectors)
        return {**values, "versions": versions()}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON knows them."""
        return {
            "settings": self.settings.to_dict(),
            "space": self.space.to_dict(),
            "objective": self.objective.name,
            "strategy": self.strategy,
            "kind": self.kind,
            "repeats": self.repeats,
            "prune": self.prune,
            "trial_seconds": self.trial_seconds,
            "limits": self.limits.to_dict(),
            "threads": self.threads,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` returned."""
        settings = RunSettings.from_dict(values["settings"])
        changed = {
            "settings": settings,
            "space": Space.from_dict(
                settings.architecture, values["space"], name="the search's space"
            ),
            "objective": Objective(values["objective"]),
            "limits": Limits(**values["limits"]),
        }
        return cls(**{**values, **changed})


def kind_and_repeats(folds: int | None, seeds: int | None) -> tuple[str, int]:
    """Return what the trainings of a trial differ in, and how many there are.

    Raises
    ------
    SearchError
        If both are given.
    """
    if folds is not None and seeds is not None:
        raise SearchError(
            f"A trial is repeated over folds or over seeds. Got "
            f"{setting('folds', folds)} and {setting('seeds', seeds)}; give one of "
            "them."
        )
    if seeds is not None:
        return SEEDS, seeds
    return FOLDS, SearchPlan.repeats if folds is None else folds


def versions() -> dict[str, str]:
    """Return the versions of what decides draws and scores."""
    return {**installed_versions(), "keras-tuner": version("keras-tuner")}
