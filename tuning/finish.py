"""The end of a search: train the chosen settings once more, and evaluate them once."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emoclf.bundle.bundle_folder import read_metrics, save_bundle
from emoclf.datasets.split import Split
from emoclf.display import HtmlLines
from emoclf.errors import BundleError
from emoclf.evaluation.advice import SEARCH_ADVICE
from emoclf.evaluation.evaluate import evaluate_classifier, evaluate_part
from emoclf.evaluation.evaluation_report import EvaluationReport
from emoclf.files import write_atomically
from emoclf.predictor import Predictor
from emoclf.workflow.train import train_classifier

from .folder import SearchFolder
from .plan import SearchPlan
from .report.search_plot_methods import SearchPlots
from .report.search_report import report_lines, result_rows, write_results
from .results.choice import Choice, choose
from .results.outcome import COMPLETED, Outcome
from .trials.folds_and_seeds import final_parts

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger("emoclf.tuning")


@dataclass(frozen=True, repr=False)
class SearchResult(SearchPlots, HtmlLines):
    """Result of a search.

    Parameters
    ----------
    plan : SearchPlan
    outcomes : tuple of Outcome
        Outcomes of all trials, in order of their numbers.
    choice : Choice
        The best trial, the chosen one, and the noise in their difference.
    path : Path
        Bundle of the chosen settings, trained on the training and validation set.
    folder : Path
    looks : int
        Number of evaluations of winners of this search on the test set.
    report : EvaluationReport
        Evaluation of that classifier and the baselines, on the test set if there is
        one.
    split : Split, optional
        Texts that the classifier was trained and evaluated on. Its folder does not
        contain them.
    """

    plan: SearchPlan
    outcomes: tuple[Outcome, ...]
    choice: Choice
    path: Path
    folder: Path
    looks: int
    report: EvaluationReport
    split: Split | None = None

    @property
    def predictor(self) -> Predictor:
        """The classifier of the chosen settings."""
        return Predictor.load(self.path)

    def report_with_texts(self) -> EvaluationReport:
        """Return the report with the texts and their predictions, if they are at hand.

        The scores are the same: the classifier and the texts are.
        """
        network, parts = self.report.network, self.split.parts() if self.split else {}
        if network.predictions is not None or network.part not in parts:
            return self.report
        again = evaluate_part(self.predictor, parts[network.part], part=network.part)
        full = replace(network, predictions=again.predictions)
        evaluations = [full if e is network else e for e in self.report.evaluations]
        return replace(self.report, evaluations=tuple(evaluations))

    def _facts(self) -> dict[str, object]:
        name, chosen = self.plan.objective.name, self.choice.chosen
        return {
            "trials": len(self.outcomes),
            "chosen": f"trial {chosen.number}",
            name: f"{chosen.score(name):.3f}",
            "folder": self.folder,
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with one row for each trial, as ``results.csv``."""
        import pandas as pd  # Most programs need no frames.

        header, *rows = result_rows(self.outcomes, self.plan.objective)
        return pd.DataFrame(rows, columns=header).set_index("trial")

    def lines(self) -> list[str]:
        """Return the report on the trials as text."""
        evaluated = not self.report.network.chose_epoch
        return report_lines(self.plan, self.outcomes, evaluated=evaluated)

    def evaluated_lines(self) -> list[str]:
        """Return the evaluation of the winner and the baselines as text."""
        lines = [*self.report.table_lines(), "", *self.report.verdict()]
        if self.looks > 1:
            lines.append(
                f"Winners of this search were evaluated on the test set {self.looks} "
                "times. Every further evaluation makes the best of these scores more "
                "optimistic."
            )
        return lines


def read_trials(folder: SearchFolder) -> tuple[SearchPlan, list[Outcome]]:
    """Return the plan of a search, and the trials that have ended.

    Raises
    ------
    SearchError
        If the folder is not one of a search.
    """
    plan = folder.plan()
    return plan, folder.outcomes(plan)


def read_result(
    folder: SearchFolder, plan: SearchPlan, outcomes: Sequence[Outcome]
) -> SearchResult | None:
    """Return the result of a finished search.

    Parameters
    ----------
    folder : SearchFolder
    plan : SearchPlan
    outcomes : sequence of Outcome
        Result of :func:`read_trials`.

    Returns
    -------
    result : SearchResult or None
        None while trials run, and until the winner of all of them is trained.
    """
    if not any(outcome.status == COMPLETED for outcome in outcomes):
        return None
    choice = choose(outcomes, plan.objective, kind=plan.kind)
    if not folder.best.exists():
        return None
    # Through JSON, which has lists for tuples.
    summary = json.loads(json.dumps(_summary(plan, choice, outcomes)))
    try:
        metrics = read_metrics(folder.best)
        if metrics.get("search") != summary:
            # The bundle is the winner of fewer trials.
            return None
        report = EvaluationReport.from_dict(metrics)
    except (BundleError, ValueError, KeyError, TypeError, AttributeError) as error:
        logger.warning(
            "The classifier of the winner cannot be read: %s To train it again, "
            "continue the search with its own command.",
            error,
        )
        return None
    looks, trials = folder.test_evaluations(), tuple(outcomes)
    return SearchResult(plan, trials, choice, folder.best, folder.path, looks, report)


def finish(
    plan: SearchPlan,
    folder: SearchFolder,
    outcomes: Sequence[Outcome],
    split: Split,
    *,
    callbacks: Callable[[int], Sequence[Any]] = lambda epochs: (),
) -> SearchResult:
    """Choose a trial, train its settings once more, evaluate them, and write a report.

    The winner is fitted on the training and validation set together, except a
    stratified tenth that chooses its epoch (and its thresholds for multilabel data).
    Then it is evaluated once on the test set.

    Parameters
    ----------
    plan : SearchPlan
    folder : SearchFolder
    outcomes : sequence of Outcome
    split : Split
    callbacks : callable
        Function of the maximum number of epochs that returns Keras callbacks.

    Raises
    ------
    SearchError
        If no trial was completed.
    """
    write_results(folder.results, outcomes, plan.objective)
    choice = choose(outcomes, plan.objective, kind=plan.kind)
    final = replace(final_parts(plan, split.train, split.valid), test=split.test)
    result = read_result(folder, plan, outcomes)
    if result is None:
        _train_winner(plan, folder, _summary(plan, choice, outcomes), final, callbacks)
        result = read_result(folder, plan, outcomes)
        assert result is not None
    lines = [*result.lines(), "", *result.evaluated_lines()]
    write_atomically(folder.report, ("\n".join(lines) + "\n").encode())
    return replace(result, split=final)


def _summary(
    plan: SearchPlan, choice: Choice, outcomes: Sequence[Outcome]
) -> dict[str, Any]:
    """Return the description of the search in the winner's bundle."""
    name = plan.objective.name
    return {
        "chosen": choice.chosen.to_dict(),
        "objective": name,
        "score": choice.chosen.score(name),
        "spread": choice.chosen.spread(name),
        plan.kind: plan.repeats,
        "strategy": plan.strategy,
        "trials": len(outcomes),
        "completed": sum(outcome.status == COMPLETED for outcome in outcomes),
        "first": choice.first.number,
    }


def _train_winner(
    plan: SearchPlan,
    folder: SearchFolder,
    summary: dict[str, Any],
    final: Split,
    callbacks: Callable[[int], Sequence[Any]],
) -> None:
    """Train and evaluate the chosen settings, and save the classifier."""
    chosen = summary["chosen"]
    settings = plan.settings.override(**chosen["values"])
    logger.info(
        "Training the settings of trial %d on the training and validation set; a tenth "
        "of them chooses the epoch.",
        chosen["number"],
    )
    reporters = callbacks(settings.training.epochs)
    trained = train_classifier(
        final.train, final.valid, settings, callbacks=reporters, verbose=0
    )
    if trained.result.ended == "interrupted":
        raise KeyboardInterrupt
    if final.test is not None and len(final.test):
        folder.count_test_evaluation()
    report = evaluate_classifier(trained.predictor, final)
    advice = tuple(text for text in report.advice if text != SEARCH_ADVICE)
    metrics = {
        **trained.bundle.metrics,
        **replace(report, advice=advice).to_dict(),
        "texts": {name: len(part) for name, part in final.parts().items()},
        "search": summary,
    }
    save_bundle(replace(trained.bundle, metrics=metrics), folder.best, overwrite=True)
