"""The plan of a search: everything that its results depend on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Self

from emoclf.bundle.bundle import installed_versions
from emoclf.errors import SearchError, did_you_mean, setting
from emoclf.runtime import check_count
from emoclf.settings import RunSettings

from .limits import Limits, check_number
from .results.objective import Objective
from .results.outcome import COMPLETED, FOLDS, KINDS, SEEDS, STRATEGIES, Outcome
from .space.space import Space


@dataclass(frozen=True)
class SearchPlan:
    """Settings, space and evaluation of the trials of a search.

    The numbers of trials, processes and minutes are not part of the plan: they may
    change when the search is continued.

    Parameters
    ----------
    settings : RunSettings
        Settings of the first trial, and of everything that is not searched. Their seed
        is the seed of the search.
    space : Space
    objective : Objective
    strategy : {"random", "grid", "bayesian", "hyperband"}
    kind : {"folds", "seeds"}
        Repeats of a trial: stratified folds of the training and validation set
        together, or several seeds on these sets as they are.
    repeats : int
        Number of folds (at least 2) or seeds (at least 1).
    prune : bool
        Whether to end trials that cannot win (:mod:`emoclf.tuning.results.pruning`).
    trial_seconds : float > 0, optional
        Longest duration of a trial; one that takes longer fails.
    limits : Limits
    threads : int >= 1
        Threads of each worker process. Another number changes the order of sums, and so
        the last digits of scores; therefore it belongs to the plan.

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
        check_number(self.kind, self.repeats, whole=True)
        check_number("threads", self.threads, whole=True, low=1)
        check_number("trial_seconds", self.trial_seconds, above=0)
        for name, value, choices in (
            ("strategy", self.strategy, STRATEGIES),
            ("kind", self.kind, KINDS),
        ):
            if value not in choices:
                raise SearchError(
                    f"The {name} of a search must be one of {', '.join(choices)}. Got "
                    f"{value!r}.{did_you_mean(str(value), choices)}"
                )
        minimum = 2 if self.kind == FOLDS else 1
        if self.repeats < minimum:
            raise SearchError(
                f"A trial needs at least {minimum} {self.kind}. Got {self.repeats!r}. "
                f"For one training on the given split, give {setting('seeds', 1)}."
            )
        if self.strategy == "hyperband" and "epochs" in self.space.names():
            raise SearchError(
                "Hyperband chooses the epochs itself. Got a table [epochs] in "
                f"{self.space.name}. Remove it, and give the maximum with "
                f"{setting('epochs')}."
            )

    @property
    def prunes(self) -> bool:
        """Whether trials are pruned; Hyperband has a rule of its own."""
        return self.prune and self.strategy != "hyperband"

    def check_outcome(self, outcome: Outcome) -> None:
        """Check that an outcome from a file or a worker fits the plan.

        Raises
        ------
        ValueError
            If it has other settings than those of the space, or a completed trial does
            not have the score of each repeat.
        """
        if unknown := sorted({*outcome.values} - {*self.space.names()}):
            raise ValueError(f"the setting {unknown[0]!r} is not searched")
        self.settings.override(**outcome.values)
        count = len(outcome.repeats)
        if outcome.status == COMPLETED and count != self.repeats:
            raise ValueError(f"{count} of {self.repeats} {self.kind} are complete")
        if any(self.objective.name not in x.metrics for x in outcome.repeats):
            raise ValueError(f"a repeat has no {self.objective.name}")

    def fingerprint(self) -> dict[str, Any]:
        """Return what must be equal to continue a search, by names that users know."""
        values = self.to_dict()
        # The rows that are used are compared, so the files may have moved.
        embedding = self.settings.embedding.with_paths(os.path.basename)
        values["settings"]["embedding"] = embedding.to_dict()
        return {**values, "versions": versions()}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            **vars(self),
            "settings": self.settings.to_dict(),
            "space": self.space.to_dict(),
            "objective": self.objective.name,
            "limits": self.limits.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return a plan from the result of :meth:`to_dict`."""
        settings = RunSettings.from_stored(values["settings"])
        objects = {
            "settings": settings,
            "space": Space.from_dict(
                settings.architecture, values["space"], name="the search's space"
            ),
            "objective": Objective(values["objective"]),
            "limits": Limits(**values["limits"]),
        }
        return cls(**{**values, **objects})


def new_plan(
    settings: RunSettings,
    *,
    space: Space | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    objective: str = "macro_f1",
    folds: int | None = None,
    seeds: int | None = None,
    **options: Any,
) -> SearchPlan:
    """Return a plan from what users give; ``options`` are those of :class:`SearchPlan`.

    Parameters
    ----------
    settings : RunSettings
    space : Space, mapping or path, optional
        What :meth:`.space.space.Space.load` takes.
    objective : str
        Name of the objective.
    folds, seeds : int, optional
        Number of repeats of a trial, of one kind or the other.

    Raises
    ------
    SearchError
    """
    if folds is not None and seeds is not None:
        raise SearchError(
            f"A trial is repeated over folds or over seeds. Got "
            f"{setting('folds', folds)} and {setting('seeds', seeds)}; give one of "
            "them."
        )
    if seeds is not None:
        options = {**options, "kind": SEEDS, "repeats": seeds}
    elif folds is not None:
        options = {**options, "kind": FOLDS, "repeats": folds}
    check_count("threads", options.get("threads", 1))
    space = Space.load(settings.architecture, space)
    return SearchPlan(settings, space, Objective(objective), **options)


def versions() -> dict[str, str]:
    """Return the versions of the packages that draws and scores depend on."""
    return {**installed_versions(), "keras-tuner": version("keras-tuner")}
