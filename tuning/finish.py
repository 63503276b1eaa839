"""The end of a search: the winner is trained once more, and judged once."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emoclf.bundle.bundle_folder import read_metrics, save_bundle
from emoclf.datasets.split import Split
from emoclf.errors import BundleError, SearchError
from emoclf.evaluation.evaluate import AUDIT, SEARCH, evaluate_classifier
from emoclf.evaluation.evaluation_report import EvaluationReport
from emoclf.files import write_atomically
from emoclf.workflow.train import train_classifier

from .folder import SearchFolder
from .plan import SearchPlan
from .report.search_report import report_lines, write_results
from .results.choice import Choice, choose
from .results.outcome import COMPLETED, Outcome
from .space.dimension import Range
from .trials.repeats import final_parts

logger = logging.getLogger("emoclf.tuning")


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Parameters
    ----------
    plan : SearchPlan
    outcomes : tuple of Outcome
        Of all trials, in order of their numbers.
    choice : Choice
        The first, the chosen one, and how much of their difference is noise.
    path : Path
        The bundle of the chosen settings, trained on training and validation part.
    folder : Path
    looks : int
        How often the test part was looked at by winners of this search.
    report : EvaluationReport
        Of that classifier beside the floors, on the test part where there is one.
    """

    plan: SearchPlan
    outcomes: tuple[Outcome, ...]
    choice: Choice
    path: Path
    folder: Path
    looks: int
    report: EvaluationReport

    def lines(self) -> list[str]:
        """Return the report on the trials, as text."""
        judged = not self.report.network.chose_epoch
        return trial_lines(self.plan, self.outcomes, judged=judged)

    def evaluated_lines(self) -> list[str]:
        """Return what the winner is worth, beside the floors, as text."""
        lines = [*self.report.table_lines(), "", *self.report.verdict()]
        if self.looks > 1:
            lines.append(
                f"The test part was looked at {self.looks} times by winners of this "
                "search: whoever goes on until it pleases has chosen on it."
            )
        return lines


def trial_lines(
    plan: SearchPlan, outcomes: Sequence[Outcome], *, judged: bool = False
) -> list[str]:
    """Return the report on a plan's trials, as text.

    Parameters
    ----------
    plan : SearchPlan
    outcomes : sequence of Outcome
    judged : bool, default=False
        What the chosen one reaches on the test part stands below.
    """
    return report_lines(
        outcomes,
        plan.objective,
        repeats=plan.repeats,
        kind=plan.kind,
        edges=_edges(plan),
        seed=plan.settings.seed,
        judged=judged,
    )


def read_trials(folder: SearchFolder) -> tuple[SearchPlan, list[Outcome]]:
    """Return the plan of a search, and the trials that have ended.

    Raises
    ------
    SearchError
        If the folder is none of a search.
    """
    return SearchPlan.from_dict(folder.about()["plan"]), folder.outcomes()


def read_result(
    folder: SearchFolder, plan: SearchPlan, outcomes: Sequence[Outcome]
) -> SearchResult | None:
    """Return what a finished search found, as :func:`emoclf.tuning.search.search` did.

    Parameters
    ----------
    folder : SearchFolder
    plan : SearchPlan
    outcomes : sequence of Outcome
        What :func:`read_trials` returned.

    Returns
    -------
    result : SearchResult or None
        None while trials run, or until the winner of all of them is trained.
    """
    if not any(one.status == COMPLETED for one in outcomes):
        return None
    choice = choose(outcomes, plan.objective, kind=plan.kind)
    report = _known_report(folder, _summary(plan, choice, outcomes))
    if report is None:
        return None
    return _result(plan, folder, outcomes, choice, report)


def _result(
    plan: SearchPlan,
    folder: SearchFolder,
    outcomes: Sequence[Outcome],
    choice: Choice,
    report: EvaluationReport,
) -> SearchResult:
    looks = int(folder.about().get("looks", 0))
    return SearchResult(
        plan, tuple(outcomes), choice, folder.best, folder.path, looks, report
    )


def _edges(plan: SearchPlan) -> dict[str, tuple[float, float]]:
    """Return the ends of every range that is searched."""
    around = plan.space.for_settings(plan.settings)
    return {
        dimension.name: (dimension.shape.low, dimension.shape.high)
        for dimension in around.dimensions
        if isinstance(dimension.shape, Range)
    }


def finish(
    plan: SearchPlan,
    folder: SearchFolder,
    outcomes: Sequence[Outcome],
    split: Split,
    *,
    callbacks: Callable[[int], Sequence[Any]] = lambda epochs: (),
) -> SearchResult:
    """Choose, train the chosen settings once more, judge, and write it all down.

    The winner is fitted on training and validation part together; a stratified tenth of
    them chooses its epoch (and its thresholds, for several labels). Then it sees the
    test part, once.

    Parameters
    ----------
    plan : SearchPlan
    folder : SearchFolder
    outcomes : sequence of Outcome
    split : Split
    callbacks : callable
        Called with the largest number of epochs; returns Keras callbacks.

    Raises
    ------
    SearchError
        If no trial was completed.
    """
    write_results(folder.results, outcomes, plan.objective)
    _check_any(outcomes)
    choice = choose(outcomes, plan.objective, kind=plan.kind)
    summary = _summary(plan, choice, outcomes)
    report = _known_report(folder, summary)
    if report is None:
        report = _train_winner(plan, folder, choice.chosen, split, summary, callbacks)
    result = _result(plan, folder, outcomes, choice, report)
    lines = [*result.lines(), "", *result.evaluated_lines()]
    write_atomically(folder.report, ("\n".join(lines) + "\n").encode())
    return result


def _check_any(outcomes: Sequence[Outcome]) -> None:
    if any(one.status == COMPLETED for one in outcomes):
        return
    reasons = sorted({one.reason for one in outcomes if one.reason})
    said = f" Reasons: {' | '.join(reasons[:5])}" if reasons else ""
    raise SearchError(
        f"None of {len(outcomes)} trials was completed; there is no best one.{said}"
    )


def _summary(
    plan: SearchPlan, choice: Choice, outcomes: Sequence[Outcome]
) -> dict[str, Any]:
    """Return what the winner's bundle says of its search."""
    name = plan.objective.name
    return {
        "chosen": choice.chosen.to_dict(),
        "objective": name,
        "score": choice.chosen.score(name),
        "spread": choice.chosen.spread(name),
        plan.kind: plan.repeats,
        "strategy": plan.strategy,
        "trials": len(outcomes),
        "completed": sum(one.status == COMPLETED for one in outcomes),
        "first": choice.first.number,
    }


def _known_report(
    folder: SearchFolder, summary: dict[str, Any]
) -> EvaluationReport | None:
    """Return the report of the bundle that is there, if it came of these trials."""
    try:
        metrics = read_metrics(folder.best)
    except BundleError:
        return None
    # As JSON has it: lists for tuples.
    if metrics.get("search") != json.loads(json.dumps(summary)):
        return None
    return EvaluationReport.from_dict(metrics)


def _train_winner(
    plan: SearchPlan,
    folder: SearchFolder,
    chosen: Outcome,
    split: Split,
    summary: dict[str, Any],
    callbacks: Callable[[int], Sequence[Any]],
) -> EvaluationReport:
    settings = plan.settings.override(**chosen.values)
    logger.info(
        "Training trial %d's settings on training and validation part; a tenth of them "
        "chooses the epoch.",
        chosen.number,
    )
    parts = final_parts(plan, split.train, split.valid)
    final = Split(parts.train, parts.valid, split.test)
    trained = train_classifier(
        final.train,
        final.valid,
        settings,
        callbacks=callbacks(settings.training.epochs),
    )
    if trained.result.ended == "interrupted":
        raise KeyboardInterrupt
    if final.test is not None and len(final.test):
        folder.count_look()
    report = evaluate_classifier(trained.predictor, final)
    others = tuple(one for one in report.advice if one not in (AUDIT, SEARCH))
    report = replace(report, advice=others)
    metrics = {
        **trained.bundle.metrics,
        **report.to_dict(),
        "texts": {name: len(part) for name, part in final.parts().items()},
        "search": summary,
    }
    save_bundle(replace(trained.bundle, metrics=metrics), folder.best, overwrite=True)
    return report
