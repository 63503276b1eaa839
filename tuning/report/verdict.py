"""The verdict on a search, in sentences."""

from __future__ import annotations

from ..plan import SearchPlan
from ..results.choice import Choice
from ..results.outcome import DEFAULTS, SEEDS
from ..results.ranking import parameter_count, score_gain
from .formatting import format_numbers, format_parameters, singular

DEFAULTS_NAME = f"the defaults (trial {DEFAULTS})"


def verdict(choice: Choice, plan: SearchPlan, *, evaluated: bool = False) -> list[str]:
    """Return the meaning of a choice and what to do about it, in sentences.

    Parameters
    ----------
    choice : Choice
    plan : SearchPlan
    evaluated : bool, default=False
        Whether the scores of the chosen trial on the test set follow in the report.
    """
    sentences = [_best_sentence(choice, plan)]
    if choice.noise is None and plan.repeats < 2:
        sentences.append(
            f"The noise is unknown, because each trial has only one "
            f"{singular(plan.kind)}: search with several, or do not rely on small "
            "differences."
        )
    elif choice.noise is None:
        sentences.append("The noise is unknown until two trials are completed.")
    sentences += [_chosen_sentence(choice), _defaults_sentence(choice)]
    if choice.n_tried > 1:
        unbiased = (
            "The score on the test set, below, does not have this bias."
            if evaluated
            else "Evaluate the chosen trial once on a test set that no trial has used."
        )
        sentences.append(
            f"The score of the best of {choice.n_tried} trials is too optimistic, "
            f"because part of it is chance. {unbiased}"
        )
    if plan.kind == SEEDS:
        sentences.append(
            "Different seeds on one split show the noise of training only. The choice "
            "of the texts usually causes more noise, which these margins do not "
            "include: confirm the result with folds."
        )
    return sentences


def _best_sentence(choice: Choice, plan: SearchPlan) -> str:
    first, second = choice.first, choice.second
    text = (
        f"Trial {first.number} is the best: {plan.objective.label} "
        f"{first.score(plan.objective.name):.4f}."
    )
    if second is None:
        return f"{text} No other trial was completed."
    gain = score_gain(first, second, plan.objective)
    text += f" Trial {second.number} is second, {gain:.4f} behind"
    if choice.noise is None:
        return f"{text}."
    noise = f"the noise (± {choice.noise.margin:.4f} on the same {plan.kind})"
    if gain > choice.noise.margin:
        return f"{text}, which is more than {noise}."
    return f"{text}, which is within {noise}: their order means nothing."


def _chosen_sentence(choice: Choice) -> str:
    chosen, equals = choice.chosen, choice.equals
    name = f"trial {chosen.number} ({format_parameters(chosen.parameters)} parameters)"
    if choice.noise is None:
        return f"Chosen: {name}."
    error = f"one standard error ({choice.noise.standard_error:.4f})"
    if len(equals) == 1:
        return f"No other trial is within {error} of it. Chosen: {name}."
    smallest = "The smallest of them"
    if min(map(parameter_count, equals)) < parameter_count(chosen):
        smallest += " that is not worse than the defaults"
    return (
        f"{len(equals)} trials are equally good, within {error}: "
        f"{format_numbers([o.number for o in equals])}. {smallest} is chosen: {name}."
    )


def _defaults_sentence(choice: Choice) -> str:
    if choice.gain is None:
        return (
            f"It is unknown whether it beats {DEFAULTS_NAME}: they were not completed."
        )
    if choice.chosen.number == DEFAULTS:
        if choice.first.number == DEFAULTS:
            return f"These are {DEFAULTS_NAME}: no trial was better."
        return f"These are {DEFAULTS_NAME}: no trial beats them by more than the noise."
    if choice.noise is None or choice.luck is None:
        return (
            f"Its gain over {DEFAULTS_NAME} is {choice.gain:+.4f}; how much of that is "
            "noise is unknown."
        )
    gain = f"{choice.gain:+.4f} ± {choice.noise.margin:.4f} (95 %)"
    if not choice.beats_defaults:
        return f"It does not beat {DEFAULTS_NAME} by more than the noise: {gain}."
    if choice.gain > choice.luck:
        return (
            f"It beats {DEFAULTS_NAME}: {gain}, more than the best of {choice.n_tried} "
            f"equally good trials would gain by chance ({choice.luck:.4f})."
        )
    return (
        f"It is ahead of {DEFAULTS_NAME} by {gain}, but the best of {choice.n_tried} "
        f"equally good trials can gain {choice.luck:.4f} by chance alone: confirm it "
        "with other folds or seeds before you rely on it."
    )
