"""Which trial is better than which."""

from __future__ import annotations

import math
from collections.abc import Sequence

from emoclf.errors import SearchError

from .objective import Objective
from .outcome import COMPLETED, PRUNED, Outcome


def scored(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the trials that have a score: completed, or pruned after a repeat."""
    return [o for o in outcomes if o.status in (COMPLETED, PRUNED) and o.repeats]


def rank(outcomes: Sequence[Outcome], objective: Objective) -> list[Outcome]:
    """Return the completed trials, best first.

    Of equal scores the network with fewer parameters is first, then the earlier trial.
    """
    completed = [o for o in outcomes if o.status == COMPLETED and o.repeats]
    return sorted(completed, key=lambda o: (-worth(o, objective), weight(o), o.number))


def lead(one: Outcome, other: Outcome, objective: Objective) -> float:
    """Return by how much one trial is better than another; negative if it is worse."""
    return worth(one, objective) - worth(other, objective)


def worth(outcome: Outcome, objective: Objective) -> float:
    """Return the score of a trial that has one, turned so that more is better."""
    score = outcome.score(objective.name)
    if score is None:
        raise SearchError(f"Trial {outcome.number} has no score to compare.")
    return objective.sign * score


def running_best(outcomes: Sequence[Outcome], objective: Objective) -> list[Outcome]:
    """Return the completed trials that were better than all before them."""
    return _improving(rank(outcomes, objective), objective, key="number")


def front(outcomes: Sequence[Outcome], objective: Objective) -> list[Outcome]:
    """Return the completed trials that no faster one equals, the fastest first."""
    return _improving(rank(outcomes, objective), objective, key="seconds")


def weight(outcome: Outcome) -> float:
    """Return the parameters of a trial; where they are unknown, more than any."""
    return math.inf if outcome.parameters is None else outcome.parameters


def _improving(
    ranked: Sequence[Outcome], objective: Objective, *, key: str
) -> list[Outcome]:
    found: list[Outcome] = []
    # Sorting is stable: of equal seconds the better trial comes first.
    for o in sorted(ranked, key=lambda o: getattr(o, key)):
        if not found or lead(o, found[-1], objective) > 0:
            found.append(o)
    return found
