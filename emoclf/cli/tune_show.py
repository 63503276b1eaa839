"""``emoclf tune show``: show the trials and the result of a search."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emoclf.cli.shared import add_option, new_command, print_json, print_lines
from emoclf.errors import SearchError
from emoclf.runtime import load_tensorflow

if TYPE_CHECKING:
    from emoclf.tuning.finish import SearchResult
    from emoclf.tuning.plan import SearchPlan
    from emoclf.tuning.results.outcome import Outcome

NAME = "show"
TENSORBOARD_HELP = "folder for the trials, as TensorBoard's HParams shows them"


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = new_command(
        subparsers,
        NAME,
        arguments="SEARCH",
        help="show the result of a search, also while it runs",
        example="emoclf tune show sentences.search --plots plots",
    )
    add_option(parser, "--plots FOLDER", "folder for plots of the trials (PNG)")
    add_option(parser, "--tensorboard FOLDER", TENSORBOARD_HELP)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read the trials, and print their report."""
    load_tensorflow()
    from emoclf.tuning.finish import read_result, read_trials
    from emoclf.tuning.folder import SearchFolder
    from emoclf.tuning.report.search_report import report_lines
    from emoclf.tuning.results.choice import choose
    from emoclf.tuning.results.outcome import COMPLETED

    folder = SearchFolder(args.search)
    plan, outcomes = read_trials(folder)
    result = read_result(folder, plan, outcomes)
    choice = None
    if any(outcome.status == COMPLETED for outcome in outcomes):
        choice = choose(outcomes, plan.objective, kind=plan.kind)
    plots: list[Path] = []
    if args.plots:
        from emoclf.tuning.report.search_plots import save_plots

        with _writing("--plots", args.plots):
            plots = save_plots(
                outcomes,
                plan.objective,
                Path(args.plots),
                chosen=choice.chosen.number if choice else None,
                log=plan.space.log_names(),
            )
    if args.tensorboard:
        from emoclf.tuning.report.tensorboard_hparams import write_hparams

        with _writing("--tensorboard", args.tensorboard):
            write_hparams(outcomes, plan.objective, Path(args.tensorboard))
    if args.json:
        print_json(as_values(plan, outcomes, result))
        return 0
    if not outcomes:
        print_lines("No trial has ended yet.")
        return 0
    if result is not None:
        print_result(result)
    else:
        print_lines(*report_lines(plan, outcomes))
        print_lines()
        if choice:
            print_lines(
                "The winner is not trained yet: the search runs, or was stopped."
            )
        if folder.best.is_dir():
            print_lines(f"{folder.best} belongs to fewer trials, or is damaged.")
    if plots:
        print_lines(f"Plots: {', '.join(map(str, plots))}")
    elif args.plots:
        print_lines("Plots: none, because no trial has a score.")
    return 0


def print_result(result: SearchResult) -> None:
    """Print the report on the trials, and the evaluation of the winner."""
    print_lines(*result.lines(), "", *result.evaluated_lines(), "")
    print_lines(
        f"Saved: {result.path} (settings of trial {result.choice.chosen.number})"
    )


def as_values(
    plan: SearchPlan, outcomes: Sequence[Outcome], result: SearchResult | None
) -> dict[str, Any]:
    """Return everything for JSON; values that are not known yet are null or absent."""
    return {
        "bundle": str(result.path) if result else None,
        "objective": plan.objective.name,
        "chosen": result.choice.chosen.to_dict() if result else None,
        "first": result.choice.first.number if result else None,
        "looks": result.looks if result else 0,
        "trials": [outcome.to_dict() for outcome in outcomes],
        "plan": plan.to_dict(),
        **(result.report.to_dict() if result else {}),
    }


@contextmanager
def _writing(option: str, folder: str) -> Iterator[None]:
    """Report a folder that cannot be written together with its option."""
    try:
        yield
    except OSError as error:
        raise SearchError(
            f"{option} takes a folder that can be written or created. Got {folder!r} "
            f"({error.strerror or error})."
        ) from error
