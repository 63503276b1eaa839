"""What to take from a search, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emoclf.errors import SearchError

from .noise import Noise, noise
from .objective import Objective
from .outcome import DEFAULTS, SEEDS, Outcome
from .ranking import lead, rank, scored, weight, worth
from .wording import label, named, size, some


@dataclass(frozen=True)
class Choice:
    """What to take from a search.

    Parameters
    ----------
    first : Outcome
        The trial with the best mean.
    chosen : Outcome
        The smallest of the equals that is not behind the defaults.
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
    chosen = min(able, key=weight)
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


def verdict(
    choice: Choice,
    objective: Objective,
    *,
    repeats: int,
    kind: str,
    judged: bool = False,
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
            "is luck. "
            + (
                "The test part, below, is free of that."
                if judged
                else "Judge the chosen one on a test part that no trial has seen, once."
            )
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
    smallest = "The smallest of them"
    if min(map(weight, equals)) < weight(chosen):
        smallest += " that is not behind the defaults"
    return (
        f"{len(equals)} trials are as good, within {reach}: {numbers}. "
        f"{smallest} is chosen: {taken}."
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
