"""The report of a search as text, and its trials as a CSV table."""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from emoclf.display import align, count_of
from emoclf.files import write_atomically

from ..plan import SearchPlan
from ..results.choice import Choice, choose
from ..results.importance import MIN_TRIALS, importances, is_number, varying_settings
from ..results.objective import Objective
from ..results.outcome import FAILED, OVER_LIMIT, PRUNED, Outcome
from ..results.ranking import rank, scored
from .formatting import (
    MAX_VALUE_LENGTH,
    MISSING,
    format_numbers,
    format_parameters,
    format_score,
    format_settings,
    format_value,
    one_line,
    singular,
)
from .verdict import verdict

WIDTH = 100
# A value is at the end of its range within this share of the range.
END_SHARE = 0.02
FIRST_COLUMNS = ("trial", "status", "score", "sd")
COSTS = ("parameters", "bytes", "milliseconds", "seconds", "began", "worker")


def report_lines(
    plan: SearchPlan, outcomes: Sequence[Outcome], *, evaluated: bool = False
) -> list[str]:
    """Return the report: trials, verdict, importances, and hints on the ranges.

    Parameters
    ----------
    plan : SearchPlan
    outcomes : sequence of Outcome
    evaluated : bool, default=False
        Whether the scores of the chosen trial on the test set follow.
    """
    if not outcomes:
        return ["There are no trials yet."]
    table: list[str] = []
    conclusion = ["No trial was completed, so none can be chosen."]
    hints: list[str] = []
    if rank(outcomes, plan.objective):
        choice = choose(outcomes, plan.objective, kind=plan.kind)
        table = _completed(outcomes, plan.objective, choice)
        sentences = verdict(choice, plan, evaluated=evaluated)
        conclusion = ["Verdict", *_wrapped(sentences)]
        ranges = plan.space.for_settings(plan.settings).ranges()
        hints = _wrapped(range_hints(choice.first, ranges))
    blocks = [
        _heading(outcomes, plan),
        table,
        _pruned(outcomes, plan),
        _grouped(outcomes, FAILED, "failed"),
        _grouped(outcomes, OVER_LIMIT, "over a limit"),
        conclusion,
        _importance_lines(outcomes, plan.objective, plan.settings.seed),
        hints,
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block).split("\n")


def range_hints(best: Outcome, ranges: Mapping[str, tuple[float, float]]) -> list[str]:
    """Return advice to widen the ranges at whose ends the best values are."""
    hints = []
    for name, (low, high) in ranges.items():
        value = best.values.get(name)
        if value is None or not is_number(value):
            continue
        near = END_SHARE * (high - low)
        # On a wide range, differences would place all small values near the low end.
        ratio = (high / low) ** END_SHARE if low > 0 else 1.0
        wide = ratio > 10**END_SHARE
        # No learning rate, dropout or width can be below 0.
        if low and value <= (low * ratio if wide else low + near):
            end = "lower"
        elif value >= (high / ratio if wide else high - near):
            end = "upper"
        else:
            continue
        hints.append(
            f"{name}={format_value(value)} of the best trial is at the {end} end of "
            f"its range ({low:g} to {high:g}); widen it."
        )
    return hints


def write_results(
    path: Path, outcomes: Sequence[Outcome], objective: Objective
) -> None:
    """Write one row for each trial as CSV, atomically.

    ``score`` is the mean of the objective, and ``score_1``, ``score_2``, … are its
    repeats; every metric has a column with its mean. The costs follow, then a column
    for each setting, and the reason. Unknown and missing values are empty; lists are
    JSON. The scores of trials that were not completed are means over the repeats that
    ran: look at ``status`` before sorting.
    """
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    for row in result_rows(outcomes, objective):
        table.writerow([_cell(cell) for cell in row])
    write_atomically(path, stream.getvalue().encode())


def result_rows(outcomes: Sequence[Outcome], objective: Objective) -> list[list[Any]]:
    """Return the names of the columns, then one row for each trial."""
    n_repeats = max((len(o.repeats) for o in outcomes), default=0)
    all_repeats = [repeat for o in outcomes for repeat in o.repeats]
    metrics = list(dict.fromkeys(m for repeat in all_repeats for m in repeat.metrics))
    settings = list(dict.fromkeys(name for o in outcomes for name in o.values))
    columns = [f"score_{number}" for number in range(1, n_repeats + 1)]
    rows: list[list[Any]] = [
        [*FIRST_COLUMNS, *columns, *metrics, *COSTS, *settings, "reason"]
    ]
    for o in sorted(outcomes, key=lambda o: o.number):
        scores = o.scores(objective.name)
        rows.append(
            [o.number, o.status, o.score(objective.name), o.spread(objective.name)]
            + scores
            + [None] * (n_repeats - len(scores))
            + [mean(o.scores(metric)) if scores else None for metric in metrics]
            + [getattr(o, cost) for cost in COSTS]
            + [o.values.get(name) for name in settings]
            + [one_line(o.reason)]
        )
    return rows


def _heading(outcomes: Sequence[Outcome], plan: SearchPlan) -> list[str]:
    text = f"{count_of('trial', len(outcomes))}. {plan.objective.label}, over "
    text += count_of(singular(plan.kind), plan.repeats)
    text += " (mean ± standard deviation)" if plan.repeats > 1 else ""
    better = "less" if plan.objective.sign < 0 else "more"
    lines = _wrapped([f"{text}, best first; {better} is better."])
    varying = varying_settings(outcomes)
    shared = {n: v for n, v in outcomes[0].values.items() if n not in varying}
    if shared:
        lines += _wrapped([f"In all trials: {'  '.join(format_settings(shared))}"])
    return lines


def _completed(
    outcomes: Sequence[Outcome], objective: Objective, choice: Choice
) -> list[str]:
    ranked = rank(outcomes, objective)
    rows = [["", "trial", objective.label, "parameters", "seconds"]]
    for o in ranked:
        mark = "*" if o is choice.chosen else "=" if o in choice.equals else ""
        score, parameters = format_score(o, objective), format_parameters(o.parameters)
        rows.append([mark, str(o.number), score, parameters, f"{o.seconds:,.0f}"])
    lines = _with_settings(rows, ranked, varying_settings(outcomes))
    if len(choice.equals) > 1:
        lines.append("* chosen   = as good within one standard error")
    return lines


def _pruned(outcomes: Sequence[Outcome], plan: SearchPlan) -> list[str]:
    pruned = [o for o in outcomes if o.status == PRUNED]
    if not pruned:
        return []
    pruned.sort(key=lambda o: (-len(o.repeats), o.number))
    rows = [["trial", plan.objective.label, plan.kind, "seconds"]]
    for o in pruned:
        done = f"{len(o.repeats)} of {plan.repeats}"
        score = format_score(o, plan.objective)
        rows.append([str(o.number), score, done, f"{o.seconds:,.0f}"])
    title = (
        f"{count_of('trial', len(pruned))} ended early (the files in trials/ contain "
        "the reasons). These scores are not comparable:"
    )
    lines = _wrapped([title])
    return [*lines, *_with_settings(rows, pruned, varying_settings(outcomes))]


def _grouped(outcomes: Sequence[Outcome], status: str, description: str) -> list[str]:
    """Return the reasons of trials with a status, each with the trials' numbers."""
    groups: dict[str, list[int]] = {}
    for o in outcomes:
        if o.status == status:
            reason = one_line(o.reason) or "no reason given"
            groups.setdefault(reason, []).append(o.number)
    if not groups:
        return []
    n_trials = sum(map(len, groups.values()))
    lines = [f"{count_of('trial', n_trials)} {description}:"]
    for reason, numbers in sorted(groups.items(), key=lambda item: -len(item[1])):
        names = "trial" if len(numbers) == 1 else f"{len(numbers)} times, trials"
        text = f"{reason} ({names} {format_numbers(numbers)})"
        lines += textwrap.wrap(
            text, WIDTH, initial_indent="  ", subsequent_indent="    "
        )
    return lines


def _importance_lines(
    outcomes: Sequence[Outcome], objective: Objective, seed: int
) -> list[str]:
    n_scored = len(scored(outcomes))
    results = importances(outcomes, objective, seed=seed)
    if not results:
        reason = "all trials have the same score"
        if n_scored < MIN_TRIALS:
            verb = "is" if n_scored == 1 else "are"
            reason = (
                f"that takes {MIN_TRIALS} trials with a score, and there {verb} "
                f"{n_scored}"
            )
        elif not varying_settings(scored(outcomes)):
            reason = "no setting differs between the trials"
        return _wrapped([f"The importance of the settings is unknown: {reason}."])
    if not any(result.visible for result in results):
        text = (
            f"No setting's influence is visible in {n_scored} trials: the differences "
            "are probably noise, or more trials are needed."
        )
        return _wrapped([text])
    rows = [
        [
            result.name,
            f"{100 * result.value:.0f} %",
            f"[{100 * result.low:.0f}, {100 * result.high:.0f}]",
            "" if result.visible else "not visible",
        ]
        for result in results
    ]
    title = (
        f"Importance of the settings: share of the variance of {objective.label} in "
        f"{n_scored} trials, with 90 % intervals"
    )
    return [*_wrapped([title]), *(f"  {line}" for line in align(rows))]


def _with_settings(
    rows: list[list[str]], trials: Sequence[Outcome], names: Sequence[str]
) -> list[str]:
    """Return the rows with the settings as further columns, or as wrapped text."""
    first_right = 1 if not rows[0][0] else 0
    cells = [
        [format_value(o.values[n]) if n in o.values else MISSING for n in names]
        for o in trials
    ]
    full = [
        [*row, *more] for row, more in zip(rows, [list(names), *cells], strict=True)
    ]
    lines = align(full, left=first_right)
    if max(map(len, lines)) <= WIDTH:
        return lines
    table = align(rows, left=first_right)
    start = max(map(len, table)) + 2
    lines = [f"{table[0]:<{start}}settings"]
    for line, o in zip(table[1:], trials, strict=True):
        pairs = format_settings({n: o.values[n] for n in names if n in o.values})
        # No-break spaces keep each pair on one line.
        text = "  ".join(pair.replace(" ", "\xa0") for pair in pairs)
        wrapped = textwrap.wrap(
            text,
            max(WIDTH, start + MAX_VALUE_LENGTH),
            initial_indent=line.ljust(start),
            subsequent_indent=" " * start,
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines += [part.replace("\xa0", " ") for part in wrapped or [line]]
    return lines


def _wrapped(sentences: Sequence[str]) -> list[str]:
    return [line for text in sentences for line in textwrap.wrap(text, WIDTH)]


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | tuple) else value
