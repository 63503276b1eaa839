"""Rules for ending a trial early (pruning), and their reasons.

**Between trainings.** Trials share their folds (or the split of their seeds), so a
trial is compared with the best one on the repeats that both have had. The effect of the
missing repeats is predicted from the spread of such differences among the complete
trials: after ``j`` of ``k`` repeats with the mean difference ``d``, the final mean
difference is distributed around ``d`` with the standard deviation
``s * sqrt((k - j) / (k * j))``, where ``s`` is the standard deviation of paired
differences, pooled as for the report's noise (a prediction with a flat prior). A trial
ends if ``d`` plus Student's limit for that deviation is still below zero: its chance of
becoming the best is one in forty. ``s`` is estimated from a few trials, which widens
the limit (3.2 deviations for four trials of two repeats). At least
:data:`MIN_TRIALS` complete trials are needed.

**Within the first training.** After :data:`FIRST_EPOCH` epochs, a trial ends if its
best validation metric so far is worse than that of three quarters of the trials that
reached the same epoch: Vizier's median stopping rule (Golovin et al., 2017, "Google
Vizier: A Service for Black-Box Optimization", section 3.2.2) with the lower quartile in
place of the median, since low learning rates start slowly. Pruned trials count up to
the epoch they reached; if only the survivors counted, every pruned trial would raise
the threshold. In later trainings all trials are survivors, so only the first rule
applies.
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

MIN_TRIALS = 4
FIRST_EPOCH = 4


def cannot_win(
    scores: Sequence[float],
    outcomes: Sequence[Outcome],
    objective: Objective,
    *,
    repeats: int,
) -> str | None:
    """Return why a trial cannot become the best any more; None if it still can.

    Parameters
    ----------
    scores : sequence of float
        Scores of the repeats so far.
    outcomes : sequence of Outcome
        Trials of the search so far.
    objective : Objective
    repeats : int
        Number of repeats of a complete trial.
    """
    done = len(scores)
    complete = [o for o in rank(outcomes, objective) if len(o.repeats) == repeats]
    noise = paired_variance(complete, objective)
    if not 0 < done < repeats or len(complete) < MIN_TRIALS or noise is None:
        return None
    gain = _mean_gain(scores, complete[0], objective)
    variance, df, _ = noise
    deviation = math.sqrt(variance * (repeats - done) / (repeats * done))
    limit = student(CONFIDENCE, df) * deviation
    if gain + limit >= 0:
        return None
    return (
        f"after {done} of {repeats} repeats it is {-gain:.3f} behind the best trial, "
        f"and chance can make up for {limit:.3f}"
    )


def curves_at(outcomes: Sequence[Outcome], *, epoch: int) -> list[tuple[float, ...]]:
    """Return the validation curves of the first trainings that reached an epoch.

    A training that ended by itself keeps its best value; one that was pruned counts up
    to the epoch it reached.

    Parameters
    ----------
    outcomes : sequence of Outcome
    epoch : int
        Epoch, from 1.
    """
    curves = []
    for o in outcomes:
        whole = o.status == COMPLETED or len(o.repeats) > 1
        curve = o.repeats[0].curve if o.repeats else ()
        if curve and (whole or len(curve) >= epoch):
            curves.append(curve)
    return curves


def is_hopeless(
    curve: Sequence[float], rivals: Sequence[Sequence[float]], *, sign: int
) -> str | None:
    """Return why a training is hopeless; None if it is not, or if that is unknown.

    Parameters
    ----------
    curve : sequence of float
        Validation metric of each epoch so far.
    rivals : sequence of sequences of float
        Curves of other trials that reached the same epoch.
    sign : int
        1 where more is better, else -1.
    """
    epoch = len(curve)
    if epoch < FIRST_EPOCH or len(rivals) < MIN_TRIALS:
        return None
    # A training that ended earlier keeps its best value.
    rival_bests = [max(sign * value for value in rival[:epoch]) for rival in rivals]
    best = max(sign * value for value in curve)
    threshold = float(np.quantile(rival_bests, 0.25))
    if best >= threshold:
        return None
    comparison = "more" if sign > 0 else "less"
    return (
        f"its best validation metric after {epoch} epochs is {sign * best:.3f}; three "
        f"quarters of the trials had {comparison} than {sign * threshold:.3f} by then"
    )


def extrapolated_score(
    scores: Sequence[float], outcomes: Sequence[Outcome], objective: Objective
) -> float:
    """Return the score that a pruned trial would probably have had on all repeats.

    It is the mean of the best complete trial plus the difference to it on the repeats
    that both have had, because a mean over easy folds alone is too optimistic.

    Parameters
    ----------
    scores : sequence of float
        Scores of the repeats that ran.
    outcomes : sequence of Outcome
        Trials of the search so far.
    objective : Objective
    """
    complete = [o for o in rank(outcomes, objective) if len(o.repeats) >= len(scores)]
    if not complete:
        return fmean(scores)
    best = complete[0].scores(objective.name)
    return fmean(best) + objective.sign * _mean_gain(scores, complete[0], objective)


def _mean_gain(scores: Sequence[float], best: Outcome, objective: Objective) -> float:
    """Return the mean paired gain over a trial; negative where it is worse."""
    best_scores = best.scores(objective.name)[: len(scores)]
    differences = [a - b for a, b in zip(scores, best_scores, strict=True)]
    return objective.sign * fmean(differences)
