"""The order of trials by score, time and number of parameters."""

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
    return sorted(
        completed,
        key=lambda o: (-signed_score(o, objective), parameter_count(o), o.number),
    )


def score_gain(outcome: Outcome, rival: Outcome, objective: Objective) -> float:
    """Return by how much a trial is better than another; negative if it is worse."""
    return signed_score(outcome, objective) - signed_score(rival, objective)


def signed_score(outcome: Outcome, objective: Objective) -> float:
    """Return the score of a trial, negated where less is better."""
    score = outcome.score(objective.name)
    if score is None:
        raise SearchError(f"Trial {outcome.number} has no score to compare.")
    return objective.sign * score


def parameter_count(outcome: Outcome) -> float:
    """Return the parameters of a trial, or infinity if they are unknown."""
    return math.inf if outcome.parameters is None else outcome.parameters


def pareto_front(
    outcomes: Sequence[Outcome], objective: Objective, *, cost: str
) -> list[Outcome]:
    """Return the completed trials that none of less or equal cost equals.

    Parameters
    ----------
    outcomes : sequence of Outcome
    objective : Objective
    cost : {"number", "seconds"}
        Attribute of trials by which they are sorted. By number, these are the trials
        that were better than all before them.
    """
    front: list[Outcome] = []
    # Sorting is stable: of equal seconds the better trial comes first.
    for o in sorted(rank(outcomes, objective), key=lambda o: getattr(o, cost)):
        if not front or score_gain(o, front[-1], objective) > 0:
            front.append(o)
    return front
