"""How much of a lead is noise."""

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
# A variance from fewer trials than these is a guess.
FEWEST = 4


@dataclass(frozen=True)
class Noise:
    """How far the means of two equal trials lie apart by chance.

    Parameters
    ----------
    standard_error : float
        Of the difference of two trials' means.
    margin : float
        Two-sided 95 % limit of that difference, for two trials that were named before
        their scores were seen.
    df : int
        Degrees of freedom of the standard error.
    """

    standard_error: float
    margin: float
    df: int

    def margin_of_best(self, n_rivals: int) -> float:
        """Return how far the best of several equal rivals is ahead of one by luck.

        Šidák's correction (1967, "Rectangular confidence regions for the means of
        multivariate normal distributions"): with 19 rivals the 95 % limit of one
        comparison is passed by some rival about every third time. Dunnett's (1955)
        exact limit is a little narrower.
        """
        confidence = CONFIDENCE ** (1 / max(n_rivals, 1))
        return self.standard_error * student(confidence, self.df)


def noise(
    outcomes: Sequence[Outcome], objective: Objective, *, kind: str
) -> Noise | None:
    """Return how large a difference of two trials' means is noise.

    Trials share their folds or seeds, so what counts is the variance of *paired*
    differences. It is pooled over all pairs of trials, which is twice the mean square
    that is left when each trial's mean and each repeat's mean are taken away. Pooled
    over the pairs with the best trial only, the best trial's own noise would be in
    every pair, and the figure would have far fewer degrees of freedom than it claims.

    Pooled are the better half of the completed trials (four, if there are as many).
    Bad trials have noise of another size: more where a training fails on some folds,
    none where it always guesses one class. And it is among the good ones that one
    chooses. Taking trials by their means does not bias a variance within trials.

    Folds overlap in what they train on, so their scores are not independent, and the
    variance of a mean difference is s² (1/k + 1/(k-1)) instead of s²/k (Nadeau and
    Bengio, 2003, "Inference for the generalization error", Machine Learning 52). That
    tells how the trials would compare on other texts of this kind. Seeds on one split
    are independent, but measure only the noise of the training itself: the noise that
    comes from *which texts* are judged is the larger one as a rule, is not seen at all,
    and a lead by this margin can be gone on another split.

    Parameters
    ----------
    outcomes : sequence of Outcome
    objective : Objective
    kind : {"folds", "seeds"}
        What the repeats of a trial are.

    Returns
    -------
    noise : Noise or None
        None for fewer than two completed trials or two repeats: then it is unknown.
    """
    if kind not in KINDS:
        raise SearchError(
            f"The repeats of a trial must be {' or '.join(map(repr, KINDS))}. "
            f"Got {kind!r}."
        )
    found = paired_variance(outcomes, objective)
    if found is None:
        return None
    variance, df, k = found
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
        Of the difference of two trials on one repeat.
    df : int
        Degrees of freedom.
    repeats : int
        Of a trial. None in place of all for fewer than two trials or two repeats.
    """
    scores = _good_scores(outcomes, objective)
    n_trials, k = scores.shape
    if n_trials < 2 or k < 2:
        return None
    left = scores - scores.mean(1, keepdims=True) - scores.mean(0) + scores.mean()
    df = (n_trials - 1) * (k - 1)
    return 2 * float((left**2).sum()) / df, df, k


def _good_scores(outcomes: Sequence[Outcome], objective: Objective) -> np.ndarray:
    """Return scores of the better half, shape (trials, repeats)."""
    ranked = rank(outcomes, objective)
    if not ranked:
        return np.empty((0, 0))
    k = Counter(len(o.repeats) for o in ranked).most_common(1)[0][0]
    paired = [o for o in ranked if len(o.repeats) == k]
    size = max(math.ceil(len(paired) / 2), FEWEST)
    return np.array([o.scores(objective.name) for o in paired[:size]])


def student(confidence: float, df: int) -> float:
    """Return the two-sided limit of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(df, (1 + confidence) / 2))
