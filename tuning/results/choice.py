"""The choice of a trial among those that are as good as the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emoclf.errors import SearchError

from .noise import Noise, noise
from .objective import Objective
from .outcome import DEFAULTS, Outcome
from .ranking import parameter_count, rank, score_gain, scored


@dataclass(frozen=True)
class Choice:
    """The chosen trial of a search, and how it compares.

    Parameters
    ----------
    first : Outcome
        The trial with the best mean.
    chosen : Outcome
        The smallest of ``equals`` that is not worse than the defaults.
    second : Outcome or None
        The next best after ``first``; None for a single completed trial.
    equals : tuple of Outcome
        ``first`` and every trial within one standard error of it, best first.
    noise : Noise or None
        None where it is unknown.
    gain : float or None
        Score gain of the chosen trial over the defaults, positive where it is better
        whichever the direction of the objective; None if the defaults were not
        completed.
    beats_defaults : bool or None
        Whether the gain is more than ``noise.margin``; None where that is unknown.
    luck : float or None
        95 % limit of what the best of as many equally good trials would gain on the
        defaults by chance. A gain between ``noise.margin`` and this is no proof.
    n_tried : int
        Number of trials with a score: those that could have been the best.
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


def choose(outcomes: Sequence[Outcome], objective: Objective, *, kind: str) -> Choice:
    """Choose the smallest of the trials that are as good as the best.

    A trial is as good as the best if it is within one standard error of the best mean
    (Breiman, Friedman, Olshen and Stone, 1984, Classification and Regression Trees,
    section 3.4.3). Their standard error is that of the best mean; here it is that of
    the paired difference, since trials are compared. Where noise is unknown, only equal
    scores are equal. No trial that scores below the defaults is chosen: a search never
    ends worse than no search.

    Raises
    ------
    SearchError
        If no trial was completed.
    """
    ranked = rank(outcomes, objective)
    if not ranked:
        reasons = sorted({outcome.reason for outcome in outcomes if outcome.reason})
        details = f" Reasons: {' | '.join(reasons[:5])}" if reasons else ""
        raise SearchError(
            f"None of {len(outcomes)} trials was completed, so none can be chosen."
            f"{details}"
        )
    first = ranked[0]
    estimate = noise(outcomes, objective, kind=kind)
    n_tried = len(scored(outcomes))
    error = estimate.standard_error if estimate else 0.0
    equals = tuple(o for o in ranked if score_gain(first, o, objective) <= error)
    defaults = next((o for o in ranked if o.number == DEFAULTS), None)
    candidates = [
        o for o in equals if not defaults or score_gain(o, defaults, objective) >= 0
    ]
    # min() takes the first of equal size, and they are sorted by score.
    chosen = min(candidates, key=parameter_count)
    gain = score_gain(chosen, defaults, objective) if defaults else None
    beats_defaults: bool | None = None
    if chosen is defaults:
        beats_defaults = False
    elif estimate and gain is not None:
        beats_defaults = gain > estimate.margin
    return Choice(
        first=first,
        chosen=chosen,
        second=ranked[1] if len(ranked) > 1 else None,
        equals=equals,
        noise=estimate,
        gain=gain,
        beats_defaults=beats_defaults,
        luck=estimate.margin_of_best(n_tried - 1) if estimate else None,
        n_tried=n_tried,
    )
