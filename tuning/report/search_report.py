"""What a search found, in words that one can act on, and as a table for programs."""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from emoclf.evaluation.text_tables import align
from emoclf.files import write_atomically

from ..results.choice import Choice, choose, verdict
from ..results.importance import FEWEST_TRIALS, importances, varied
from ..results.objective import Objective
from ..results.outcome import FAILED, OVER_LIMIT, PRUNED, Outcome
from ..results.ranking import rank, scored
from ..results.wording import label, named, size, some

WIDTH = 100
LONGEST_VALUE = 40
# A value this near to an end of its range, as a share of the range, is at the end.
AT_END = 0.02
FIRST_COLUMNS = ("trial", "status", "score", "sd")
COSTS = ("parameters", "bytes", "milliseconds", "seconds", "began", "worker")


def report_lines(
    outcomes: Sequence[Outcome],
    objective: Objective,
    *,
    repeats: int,
    kind: str,
    edges: Mapping[str, tuple[float, float]] | None = None,
    seed: int = 0,
    judged: bool = False,
    width: int = WIDTH,
) -> list[str]:
    """Return the whole report: the trials, a verdict, what mattered, and hints.

    Parameters
    ----------
    outcomes : sequence of Outcome
    objective : Objective
    repeats : int
        How many trainings a complete trial has.
    kind : {"folds", "seeds"}
        What they are.
    edges : dict of str to (float, float), optional
        The lowest and highest value that was searched, for settings that have them.
    seed : int, default=0
        For the importances.
    judged : bool, default=False
        The chosen trial's figures on the test part stand below.
    width : int, default=100
        Of the terminal.
    """
    if not outcomes:
        return ["There are no trials yet."]
    ranked = rank(outcomes, objective)
    choice = choose(outcomes, objective, kind=kind) if ranked else None
    blocks = [
        _heading(outcomes, objective, repeats, kind, width),
        _completed(ranked, objective, choice, varied(outcomes), width),
        _pruned(outcomes, objective, repeats, kind, width),
        _grouped(outcomes, FAILED, "failed", width),
        _grouped(outcomes, OVER_LIMIT, "over a limit", width),
    ]
    if choice:
        said = verdict(choice, objective, repeats=repeats, kind=kind, judged=judged)
        blocks.append(["Verdict", *_wrapped(said, width)])
    else:
        blocks.append(["No trial was completed: there is nothing to choose."])
    blocks.append(_importance_lines(outcomes, objective, seed, width))
    if choice:
        blocks.append(_wrapped(hints(choice.first, edges or {}), width))
    return "\n\n".join("\n".join(block) for block in blocks if block).split("\n")


def shown(value: Any) -> str:
    """Show a setting's value briefly; sizes as in "3-4-5"."""
    if isinstance(value, list | tuple) and value:
        whole = all(isinstance(one, int) and one >= 0 for one in value)
        text = "-".join(map(str, value)) if whole else str(list(value))
    else:
        text = f"{value:.3g}" if isinstance(value, float) else str(value)
    text = _flat(text) or "''"
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def hints(best: Outcome, edges: Mapping[str, tuple[float, float]]) -> list[str]:
    """Return advice on the range where the best value lies at an end of it."""
    said = []
    for name, (low, high) in edges.items():
        value = best.values.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            continue
        near = AT_END * (high - low)
        # Between ends far apart, low ones would all be near on a scale of sums.
        ratio = (high / low) ** AT_END if low > 0 else 1.0
        wide = ratio > 10**AT_END
        # There is no learning rate, dropout or width below 0 to widen to.
        if low and value <= (low * ratio if wide else low + near):
            end = "lower"
        elif value >= (high / ratio if wide else high - near):
            end = "upper"
        else:
            continue
        said.append(
            f"{name}={shown(value)} of the best trial lies at the {end} end of its "
            f"range ({low:g} to {high:g}); widen it."
        )
    return said


def write_results(
    path: Path, outcomes: Sequence[Outcome], objective: Objective
) -> None:
    """Write one row for each trial as CSV, whole or not at all.

    ``score`` is the mean of the objective, ``score_1``, ``score_2``, … its repeats;
    every figure's mean has a column of its name. Then come the costs, one column for
    each setting, and the reason. What is not known or not in force is empty; lists are
    JSON. Scores of trials that were not completed are of the repeats that ran: look at
    ``status`` before sorting.
    """
    most = max((len(o.repeats) for o in outcomes), default=0)
    metrics = list(dict.fromkeys(f for o in outcomes for r in o.repeats
                                 for f in r.metrics))  # fmt: skip
    settings = list(dict.fromkeys(name for o in outcomes for name in o.values))
    repeats = [f"score_{place + 1}" for place in range(most)]
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow([*FIRST_COLUMNS, *repeats, *metrics, *COSTS, *settings, "reason"])
    for o in sorted(outcomes, key=lambda o: o.number):
        scores = o.scores(objective.name)
        table.writerow(
            [o.number, o.status, o.score(objective.name), o.spread(objective.name)]
            + scores
            + [None] * (most - len(scores))
            + [mean(o.scores(f)) if scores else None for f in metrics]
            + [getattr(o, cost) for cost in COSTS]
            + [_cell(o.values[s]) if s in o.values else None for s in settings]
            + [_flat(o.reason)]
        )
    write_atomically(path, stream.getvalue().encode())


def _heading(
    outcomes: Sequence[Outcome],
    objective: Objective,
    repeats: int,
    kind: str,
    width: int,
) -> list[str]:
    where = f"over {repeats} {named(kind, repeats)}"
    text = f"{_count(len(outcomes))}. {label(objective)}, {where}"
    text += " (mean ± standard deviation)" if repeats > 1 else ""
    better = "less" if objective.sign < 0 else "more"
    lines = _wrapped([f"{text}, best first; {better} is better."], width)
    differ = varied(outcomes)
    shared = {n: v for n, v in outcomes[0].values.items() if n not in differ}
    if shared:
        lines += _wrapped([f"In all trials: {'  '.join(_pairs(shared))}"], width)
    return lines


def _completed(
    ranked: Sequence[Outcome],
    objective: Objective,
    choice: Choice | None,
    names: Sequence[str],
    width: int,
) -> list[str]:
    if not choice:
        return []
    rows = [["", "trial", label(objective), "parameters", "seconds"]]
    for o in ranked:
        mark = "*" if o is choice.chosen else "=" if o in choice.equals else ""
        rows.append(
            [mark, str(o.number), _score(o, objective), size(o.parameters),
             f"{o.seconds:,.0f}"]
        )  # fmt: skip
    lines = _with_settings(rows, ranked, names, width)
    if len(choice.equals) > 1:
        lines.append("* chosen   = as good within one standard error")
    return lines


def _pruned(
    outcomes: Sequence[Outcome],
    objective: Objective,
    repeats: int,
    kind: str,
    width: int,
) -> list[str]:
    pruned = [o for o in outcomes if o.status == PRUNED]
    if not pruned:
        return []
    pruned.sort(key=lambda o: (-len(o.repeats), o.number))
    rows = [["trial", label(objective), named(kind, 2), "seconds"]]
    rows += [
        [
            str(o.number),
            _score(o, objective),
            f"{len(o.repeats)} of {repeats}",
            f"{o.seconds:,.0f}",
        ]
        for o in pruned
    ]
    own = "its figures are" if len(pruned) == 1 else "their figures are"
    head = (
        f"{_count(len(pruned))} given up early (their files in trials/ say why); {own} "
        "not comparable:"
    )
    lines = _wrapped([head], width)
    return [*lines, *_with_settings(rows, pruned, varied(outcomes), width)]


def _grouped(
    outcomes: Sequence[Outcome], status: str, words: str, width: int
) -> list[str]:
    """Return trials without a result: each reason once, with the trials' numbers."""
    found: dict[str, list[int]] = {}
    for o in outcomes:
        if o.status == status:
            found.setdefault(_flat(o.reason) or "no reason given", []).append(o.number)
    if not found:
        return []
    lines = [f"{_count(sum(map(len, found.values())))} {words}:"]
    for reason, numbers in sorted(found.items(), key=lambda item: -len(item[1])):
        names = "trial" if len(numbers) == 1 else f"{len(numbers)} times, trials"
        text = f"{reason} ({names} {some(numbers)})"
        lines += textwrap.wrap(
            text, width, initial_indent="  ", subsequent_indent="    "
        )
    return lines


def _importance_lines(
    outcomes: Sequence[Outcome], objective: Objective, seed: int, width: int
) -> list[str]:
    trials = scored(outcomes)
    found = importances(outcomes, objective, seed=seed)
    if not found:
        why = "all trials have the same score"
        if len(trials) < FEWEST_TRIALS:
            why = f"that takes {FEWEST_TRIALS} trials with a score, and there "
            why += "is 1" if len(trials) == 1 else f"are {len(trials)}"
        elif not varied(trials):
            why = "no setting differs between the trials"
        return _wrapped([f"Which settings matter cannot be said: {why}."], width)
    if not any(one.visible for one in found):
        said = (
            f"No setting's influence is visible in {len(trials)} trials: what differs "
            "looks like noise, or takes more trials to see."
        )
        return _wrapped([said], width)
    rows = [
        [
            one.name,
            f"{100 * one.value:.0f} %",
            f"[{100 * one.low:.0f}, {100 * one.high:.0f}]",
            "" if one.visible else "not visible",
        ]
        for one in found
    ]
    title = (
        f"Which settings matter: share of the variation of {label(objective)} in "
        f"{len(trials)} trials, with 90 % intervals"
    )
    return [*_wrapped([title], width), *(f"  {line}" for line in align(rows))]


def _with_settings(
    rows: list[list[str]], trials: Sequence[Outcome], names: Sequence[str], width: int
) -> list[str]:
    """Return the rows with settings at their right: in columns where these fit."""
    marked = 1 if not rows[0][0] else 0
    cells = [[shown(o.values[n]) if n in o.values else "–" for n in names]
             for o in trials]  # fmt: skip
    full = [
        [*row, *more] for row, more in zip(rows, [list(names), *cells], strict=True)
    ]
    lines = align(full, left=marked)
    if max(map(len, lines)) <= width:
        return lines
    left = align(rows, left=marked)
    start = max(map(len, left)) + 2
    lines = [f"{left[0]:<{start}}settings"]
    for line, o in zip(left[1:], trials, strict=True):
        pairs = _pairs({n: o.values[n] for n in names if n in o.values})
        folded = _fold(pairs, max(width - start, LONGEST_VALUE))
        lines.append(f"{line:<{start}}{folded[0]}".rstrip())
        lines += [" " * start + more for more in folded[1:]]
    return lines


def _fold(pairs: Sequence[str], width: int) -> list[str]:
    lines = [""]
    for pair in pairs:
        longer = f"{lines[-1]}  {pair}" if lines[-1] else pair
        if len(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(pair)
    return lines


def _score(o: Outcome, objective: Objective) -> str:
    score, spread = o.score(objective.name), o.spread(objective.name)
    if score is None:
        return "–"
    return f"{score:.4f}" + ("" if spread is None else f" ± {spread:.4f}")


def _pairs(values: Mapping[str, Any]) -> list[str]:
    return [f"{name}={shown(value)}" for name, value in values.items()]


def _count(count: int) -> str:
    return "1 trial" if count == 1 else f"{count} trials"


def _wrapped(sentences: Sequence[str], width: int) -> list[str]:
    return [line for text in sentences for line in textwrap.wrap(text, width)]


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | tuple) else value


def _flat(text: str) -> str:
    return " ".join(text.split())
