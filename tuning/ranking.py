"""Which trial is best, and how much of its lead is noise."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emoclf.errors import SearchError

from .objective import Objective
from .outcome import COMPLETED, PRUNED, Outcome

FOLDS, SEEDS = "folds", "seeds"
DEFAULTS = 1
CONFIDENCE = 0.95
# A variance from fewer trials than these is a guess.
FEWEST_FOR_NOISE = 4
LABELS = {
    "macro_f1": "macro-F1",
    "accuracy": "accuracy",
    "micro_f1": "micro-F1",
    "average_precision": "average precision",
    "log_loss": "log loss",
}


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
        return self.standard_error * _student(confidence, self.df)


@dataclass(frozen=True)
class Choice:
    """What to take from a search.

    Parameters
    ----------
    first : Outcome
        The trial with the best mean.
    chosen : Outcome
        The smallest of the equals.
    second : Outcome or None
        The next best after ``first``; None for a single completed trial.
    equals : tuple of Outcome
        ``first`` and every trial within one standard error of it, best first.
    noise : Noise or None
        None where it is unknown.
    gain : float or None
        How much better the chosen is than the defaults, positive where it is better
        whichever way the objective points; None if the defaults were not completed.
    beats_defaults : bool or None
        Whether the gain is more than ``noise.margin``; None where that is unknown.
    luck : float or None
        What the best of as many equal trials would gain on the defaults by luck alone,
        at 95 %. A gain between ``noise.margin`` and this is no proof.
    n_tried : int
        Trials with a score: those that could have been the best.
    """

    first: Outcome
    chosen: Outcome
    second: Outcome | None
    equals: tuple[Outcome, ...]
    noise: Noise | None
    gain: float | None
    beats_defaults: bool | None
    luck: float | None
    n_tried: int


def scored(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the trials that have a score: completed, or pruned after a repeat."""
    return [o for o in outcomes if o.status in (COMPLETED, PRUNED) and o.repeats]


def rank(outcomes: Sequence[Outcome], objective: Objective) -> list[Outcome]:
    """Return the completed trials, best first.

    Of equal scores the network with fewer parameters is first, then the earlier trial.
    """
    completed = [o for o in outcomes if o.status == COMPLETED and o.repeats]
    return sorted(completed, key=lambda o: (-worth(o, objective), _size(o), o.number))


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
    if kind not in (FOLDS, SEEDS):
        raise SearchError(
            f"The repeats of a trial must be {FOLDS!r} or {SEEDS!r}. Got {kind!r}."
        )
    found = paired_variance(outcomes, objective)
    if found is None:
        return None
    variance, df, k = found
    overlap = 1 / (k - 1) if kind == FOLDS else 0.0
    error = math.sqrt(variance * (1 / k + overlap))
    return Noise(error, error * _student(CONFIDENCE, df), df)


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


def choose(outcomes: Sequence[Outcome], objective: Objective, *, kind: str) -> Choice:
    """Choose the smallest of the trials that are as good as the best.

    As good is what lies within one standard error of the best mean (Breiman, Friedman,
    Olshen and Stone, 1984, Classification and Regression Trees, section 3.4.3). Their
    standard error is that of the best mean; here it is that of the paired difference,
    which is what the comparison is about. Where noise is unknown, only equal scores
    are equal. What scores below the defaults is not chosen: a search never ends worse
    than no search.

    Raises
    ------
    SearchError
        If no trial was completed.
    """
    ranked = rank(outcomes, objective)
    if not ranked:
        raise SearchError(
            f"None of {len(outcomes)} trials was completed; there is none to choose."
        )
    first = ranked[0]
    found = noise(outcomes, objective, kind=kind)
    n_tried = len(scored(outcomes))
    reach = found.standard_error if found else 0.0
    equals = tuple(o for o in ranked if lead(first, o, objective) <= reach)
    defaults = next((o for o in ranked if o.number == DEFAULTS), None)
    able = [o for o in equals if not defaults or lead(o, defaults, objective) >= 0]
    # Of one size the first is taken, and they are sorted by score.
    chosen = min(able, key=_size)
    gain = lead(chosen, defaults, objective) if defaults else None
    beats: bool | None = None
    if chosen is defaults:
        beats = False
    elif found and gain is not None:
        beats = gain > found.margin
    return Choice(
        first=first,
        chosen=chosen,
        second=ranked[1] if len(ranked) > 1 else None,
        equals=equals,
        noise=found,
        gain=gain,
        beats_defaults=beats,
        luck=found.margin_of_best(n_tried - 1) if found else None,
        n_tried=n_tried,
    )


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


def verdict(
    choice: Choice, objective: Objective, *, repeats: int, kind: str
) -> list[str]:
    """Return what the choice means, in sentences that one can act on."""
    found = choice.noise
    said = [_first_sentence(choice, objective, kind)]
    if found is None and repeats < 2:
        said.append(
            f"What of this is noise is unknown, as each trial has only one "
            f"{named(kind, 1)}: search with several, or take no small lead seriously."
        )
    elif found is None:
        said.append("What of this is noise is unknown before two trials are completed.")
    said += [_chosen_sentence(choice), _defaults_sentence(choice)]
    if choice.n_tried > 1:
        said.append(
            f"The figure of the best of {choice.n_tried} trials flatters: part of it "
            "is luck. Judge the chosen one on a test part that no trial has seen, once."
        )
    if kind == SEEDS:
        said.append(
            "Seeds on one split show the noise of training only. Which texts were "
            "judged is a larger noise as a rule, and is not in these margins: confirm "
            "with folds."
        )
    return said


def _first_sentence(choice: Choice, objective: Objective, kind: str) -> str:
    first, second = choice.first, choice.second
    best = objective.sign * worth(first, objective)
    text = f"Trial {first.number} is first: {label(objective)} {best:.4f}."
    if second is None:
        return f"{text} No other was completed."
    ahead = lead(first, second, objective)
    text += f" Trial {second.number} is second, {ahead:.4f} behind"
    if choice.noise is None:
        return f"{text}."
    noise_of = f"noise (± {choice.noise.margin:.4f} on the same {kind})"
    if ahead > choice.noise.margin:
        return f"{text}, which is more than {noise_of}."
    return f"{text}, which is within {noise_of}: their order says nothing."


def _chosen_sentence(choice: Choice) -> str:
    chosen, equals = choice.chosen, choice.equals
    taken = f"trial {chosen.number} ({size(chosen.parameters)} parameters)"
    if choice.noise is None:
        return f"Chosen: {taken}."
    reach = f"one standard error ({choice.noise.standard_error:.4f})"
    if len(equals) == 1:
        return f"No other is within {reach} of it. Chosen: {taken}."
    numbers = some([o.number for o in equals])
    return (
        f"{len(equals)} trials are as good, within {reach}: {numbers}. "
        f"The smallest of them is chosen: {taken}."
    )


def _defaults_sentence(choice: Choice) -> str:
    name = f"the defaults (trial {DEFAULTS})"
    if choice.gain is None:
        return f"Whether it beats {name} is unknown: they were not completed."
    if choice.first.number == DEFAULTS == choice.chosen.number:
        return f"These are {name}: nothing was better."
    if choice.chosen.number == DEFAULTS:
        return f"These are {name}: nothing beats them by more than noise."
    if choice.noise is None or choice.luck is None:
        return (
            f"Against {name} it is {choice.gain:+.4f}; how much of that is noise is "
            "unknown."
        )
    gain = f"{choice.gain:+.4f} ± {choice.noise.margin:.4f} (95 %)"
    if not choice.beats_defaults:
        return f"It does not beat {name} by more than noise: {gain}."
    if choice.gain > choice.luck:
        return (
            f"It beats {name}: {gain}, more than the best of {choice.n_tried} equal "
            f"trials would gain by luck ({choice.luck:.4f})."
        )
    return (
        f"It is ahead of {name} by {gain}, but the best of {choice.n_tried} equal "
        f"trials can gain {choice.luck:.4f} by luck alone: confirm it with other folds "
        "or seeds before you rely on it."
    )


def label(objective: Objective) -> str:
    """Return the figure's name as people write it."""
    return LABELS[objective.name]


def size(parameters: int | None) -> str:
    """Show a number of parameters in thousands or millions."""
    if parameters is None:
        return "–"
    if parameters < 1000:
        return str(parameters)
    if parameters < 999_500:
        return f"{parameters / 1e3:.0f} k"
    return f"{parameters / 1e6:.2f} M"


def named(kind: str, count: int) -> str:
    """Return "folds" or "fold"."""
    return kind[:-1] if count == 1 else kind


def some(numbers: Sequence[int], most: int = 12) -> str:
    """Name some trials."""
    text = ", ".join(map(str, numbers[:most]))
    return text + (f" and {len(numbers) - most} more" if len(numbers) > most else "")


def _improving(
    ranked: Sequence[Outcome], objective: Objective, *, key: str
) -> list[Outcome]:
    found: list[Outcome] = []
    # Sorting is stable: of equal seconds the better trial comes first.
    for o in sorted(ranked, key=lambda o: getattr(o, key)):
        if not found or lead(o, found[-1], objective) > 0:
            found.append(o)
    return found


def _good_scores(outcomes: Sequence[Outcome], objective: Objective) -> np.ndarray:
    """Return scores of the better half, shape (trials, repeats)."""
    ranked = rank(outcomes, objective)
    if not ranked:
        return np.empty((0, 0))
    k = Counter(len(o.repeats) for o in ranked).most_common(1)[0][0]
    paired = [o for o in ranked if len(o.repeats) == k]
    size = max(math.ceil(len(paired) / 2), FEWEST_FOR_NOISE)
    return np.array([o.scores(objective.name) for o in paired[:size]])


def _size(outcome: Outcome) -> float:
    return math.inf if outcome.parameters is None else outcome.parameters


def _student(confidence: float, df: int) -> float:
    """Return the two-sided limit of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(df, (1 + confidence) / 2))
