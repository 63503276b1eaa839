"""The noise in the difference between two trials' scores."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emoclf.errors import SearchError

from .objective import Objective
from .outcome import FOLDS, KINDS, Outcome
from .ranking import rank

CONFIDENCE = 0.95
# A variance from fewer trials than these is unreliable.
MIN_POOLED_TRIALS = 4


@dataclass(frozen=True)
class Noise:
    """Difference between the means of two equally good trials that is due to chance.

    Parameters
    ----------
    standard_error : float
        Standard error of the difference between two trials' means.
    margin : float
        Two-sided 95 % limit of that difference, for two trials that were chosen before
        their scores were known.
    df : int
        Degrees of freedom of the standard error.
    """

    standard_error: float
    margin: float
    df: int

    def margin_of_best(self, n_rivals: int) -> float:
        """Return the 95 % limit of the chance lead of the best of several equal trials.

        Šidák's correction (1967, "Rectangular confidence regions for the means of
        multivariate normal distributions"): among 19 rivals the best one exceeds the
        95 % limit of a single comparison about every third time. Dunnett's (1955) exact
        limit is a little narrower.
        """
        confidence = CONFIDENCE ** (1 / max(n_rivals, 1))
        return self.standard_error * student(confidence, self.df)


def noise(
    outcomes: Sequence[Outcome], objective: Objective, *, kind: str
) -> Noise | None:
    """Return how large a difference between two trials' means is noise.

    Trials share their folds or seeds, so the variance of *paired* differences counts.
    It is pooled over all pairs of trials, which is twice the mean square that remains
    after subtracting each trial's mean and each repeat's mean. If it were pooled over
    the pairs with the best trial only, the best trial's own noise would be in every
    pair, and the estimate would have far fewer degrees of freedom than it claims.

    The better half of the completed trials is pooled (four, if there are as many). Bad
    trials have noise of another size: more where a training fails on some folds, none
    where it always predicts one class. And the choice is made among the good ones.
    Selecting trials by their means does not bias a variance within trials.

    The training sets of folds overlap, so their scores are not independent, and the
    variance of a mean difference is s² (1/k + 1/(k-1)) instead of s²/k (Nadeau and
    Bengio, 2003, "Inference for the generalization error", Machine Learning 52). This
    estimates how the trials would compare on other texts of this kind. Seeds on one
    split are independent, but measure only the noise of the training itself. The noise
    of *which texts* are evaluated is usually larger and is not measured: on another
    split, a lead of this margin can vanish.

    Parameters
    ----------
    outcomes : sequence of Outcome
    objective : Objective
    kind : {"folds", "seeds"}
        Kind of the repeats of a trial.

    Returns
    -------
    noise : Noise or None
        None (unknown) for fewer than two completed trials or two repeats.
    """
    if kind not in KINDS:
        raise SearchError(
            f"The repeats of a trial must be {' or '.join(map(repr, KINDS))}. "
            f"Got {kind!r}."
        )
    estimate = paired_variance(outcomes, objective)
    if estimate is None:
        return None
    variance, df, k = estimate
    overlap = 1 / (k - 1) if kind == FOLDS else 0.0
    error = math.sqrt(variance * (1 / k + overlap))
    return Noise(error, error * student(CONFIDENCE, df), df)


def paired_variance(
    outcomes: Sequence[Outcome], objective: Objective
) -> tuple[float, int, int] | None:
    """Return the variance of a paired difference, as :func:`noise` pools it.

    Returns
    -------
    variance : float
        Variance of the difference between two trials on one repeat.
    df : int
        Degrees of freedom.
    repeats : int
        Number of repeats of a trial.

    None instead of the three for fewer than two trials or two repeats.
    """
    scores = _good_scores(outcomes, objective)
    n_trials, k = scores.shape
    if n_trials < 2 or k < 2:
        return None
    residuals = scores - scores.mean(1, keepdims=True) - scores.mean(0) + scores.mean()
    df = (n_trials - 1) * (k - 1)
    return 2 * float((residuals**2).sum()) / df, df, k


def _good_scores(outcomes: Sequence[Outcome], objective: Objective) -> np.ndarray:
    """Return the scores of the better half, shape (trials, repeats)."""
    ranked = rank(outcomes, objective)
    if not ranked:
        return np.empty((0, 0))
    k = Counter(len(o.repeats) for o in ranked).most_common(1)[0][0]
    paired = [o for o in ranked if len(o.repeats) == k]
    size = max(math.ceil(len(paired) / 2), MIN_POOLED_TRIALS)
    return np.array([o.scores(objective.name) for o in paired[:size]])


def student(confidence: float, df: int) -> float:
    """Return the two-sided limit of Student's t distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(df, (1 + confidence) / 2))
