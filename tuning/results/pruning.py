"""When a trial is ended early: two rules, and why they are what they are.

**Between trainings.** Trials share their folds (or their seeds' split), so a trial is
compared with the best one on the repeats that both have had. What the missing repeats
can still change is predicted from how much such differences vary among the trials that
are complete: after ``j`` of ``k`` repeats with the mean difference ``d``, the final
mean difference lies around ``d`` with the standard deviation
``s * sqrt((k - j) / (k * j))``, where ``s`` is the standard deviation of paired
differences, pooled as for the report's noise (a prediction with a flat prior). A trial
ends when even ``d`` plus Student's limit for these is below zero: it has one chance in
forty to be first. ``s`` comes from a few trials, and the limit is wider for it (3.2 of
them for four trials of two repeats). At least :data:`FEWEST` complete ones are needed.

**Within the first training.** After :data:`FIRST_EPOCH` epochs, a trial ends whose best
validation figure so far is below that of three quarters of the trials that came as far:
Vizier's median stopping rule (Golovin et al., 2017, "Google Vizier:
A Service for Black-Box Optimization", section 3.2.2) with the lower quartile in place
of the median, since slow learning rates begin low. Trials that were ended count as far
as they came; by the survivors alone the bar would rise with every one that is ended. In
later trainings all are survivors, and only the other rule holds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

import numpy as np

from .noise import CONFIDENCE, paired_variance, student
from .objective import Objective
from .outcome import COMPLETED, Outcome
from .ranking import rank

FEWEST = 4
FIRST_EPOCH = 4


def cannot_win(
    scores: Sequence[float],
    outcomes: Sequence[Outcome],
    objective: Objective,
    *,
    repeats: int,
) -> str | None:
    """Say why a trial cannot win any more; None if it still might.

    Parameters
    ----------
    scores : sequence of float
        Of the repeats that it has had.
    outcomes : sequence of Outcome
        Of the search so far.
    objective : Objective
    repeats : int
        That a complete trial has.
    """
    done = len(scores)
    complete = [o for o in rank(outcomes, objective) if len(o.repeats) == repeats]
    noise = paired_variance(complete, objective)
    if not 0 < done < repeats or len(complete) < FEWEST or noise is None:
        return None
    difference = _behind(scores, complete[0], objective)
    variance, df, _ = noise
    deviation = math.sqrt(variance * (repeats - done) / (repeats * done))
    reach = student(CONFIDENCE, df) * deviation
    if difference + reach >= 0:
        return None
    return (
        f"after {done} of {repeats} repeats it lies {-difference:.3f} behind the best "
        f"trial, and chance makes up for {reach:.3f}"
    )


def curves_at(outcomes: Sequence[Outcome], *, epoch: int) -> list[tuple[float, ...]]:
    """Return the validation figures of first trainings that came as far as an epoch.

    One that ended by itself stays at its best; one that was ended is known as far as it
    came.

    Parameters
    ----------
    outcomes : sequence of Outcome
    epoch : int
        From 1.
    """
    found = []
    for outcome in outcomes:
        if outcome.repeats:
            curve = outcome.repeats[0].curve
            whole = outcome.status == COMPLETED or len(outcome.repeats) > 1
            if len(curve) >= epoch or whole:
                found.append(curve)
    return found


def is_hopeless(
    curve: Sequence[float],
    others: Sequence[Sequence[float]],
    *,
    sign: int,
) -> str | None:
    """Say why a training is hopeless; None if it is not, or nobody knows.

    Parameters
    ----------
    curve : sequence of float
        Its validation figure, epoch by epoch so far.
    others : sequence of sequences of float
        The same of other trials that came as far.
    sign : int
        1 where more is better, else -1.
    """
    epoch = len(curve)
    if epoch < FIRST_EPOCH or len(others) < FEWEST:
        return None
    # A training that had ended before stays at its best.
    theirs = [max(sign * value for value in other[:epoch]) for other in others]
    ours = max(sign * value for value in curve)
    bar = float(np.quantile(theirs, 0.25))
    if ours >= bar:
        return None
    than = "more" if sign > 0 else "less"
    return (
        f"its best figure after {epoch} epochs is {sign * ours:.3f}; three quarters of "
        f"the trials had {than} than {sign * bar:.3f} by then"
    )


def levelled(
    scores: Sequence[float], outcomes: Sequence[Outcome], objective: Objective
) -> float:
    """Return what a trial that was ended would have had on all repeats.

    The mean of the best complete trial, and how far this one lay from it on the repeats
    that both have had: a mean over easy folds alone would flatter.

    Parameters
    ----------
    scores : sequence of float
        Of the repeats that it had.
    outcomes : sequence of Outcome
        Of the search so far.
    objective : Objective
    """
    complete = [o for o in rank(outcomes, objective) if len(o.repeats) >= len(scores)]
    if not complete:
        return fmean(scores)
    best = complete[0].scores(objective.name)
    return fmean(best) + objective.sign * _behind(scores, complete[0], objective)


def _behind(scores: Sequence[float], best: Outcome, objective: Objective) -> float:
    """Return the mean paired difference to a trial; negative where it is better."""
    theirs = best.scores(objective.name)[: len(scores)]
    differences = [a - b for a, b in zip(scores, theirs, strict=True)]
    return objective.sign * fmean(differences)
