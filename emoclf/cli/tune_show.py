"""``emoclf tune show``: what a search found so far, while it runs or afterwards."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emoclf.cli.messages import as_options
from emoclf.cli.shared import add_output_options, new_command, print_json
from emoclf.errors import SearchError
from emoclf.runtime import load_tensorflow

if TYPE_CHECKING:
    from emoclf.tuning.finish import SearchResult
    from emoclf.tuning.plan import SearchPlan
    from emoclf.tuning.results.outcome import Outcome

NAME = "show"


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = new_command(
        subparsers,
        NAME,
        help="show what a search found, also while it runs",
        example="emoclf tune show sentences.search --plots plots",
    )
    parser.add_argument("search", help="folder of the search")
    parser.add_argument("--plots", metavar="FOLDER", help="draw the trials into PNGs")
    parser.add_argument(
        "--tensorboard", metavar="FOLDER", help="write trials for TensorBoard's HParams"
    )
    add_output_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read the trials, and say what they say."""
    load_tensorflow()
    from emoclf.tuning.finish import read_result, read_trials, trial_lines
    from emoclf.tuning.folder import SearchFolder
    from emoclf.tuning.results.choice import choose
    from emoclf.tuning.results.outcome import COMPLETED

    folder = SearchFolder(args.search)
    plan, outcomes = read_trials(folder)
    found = read_result(folder, plan, outcomes)
    choice = None
    if any(one.status == COMPLETED for one in outcomes):
        choice = choose(outcomes, plan.objective, kind=plan.kind)
    drawn: list[Path] = []
    if args.plots:
        from emoclf.tuning.report.search_plots import save_plots

        with _writing("--plots", args.plots):
            drawn = save_plots(
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
        print_json(as_values(plan, outcomes, found))
        return 0
    if not outcomes:
        print("No trial has ended yet.")
        return 0
    if found is not None:
        print_result(found)
    else:
        print("\n".join(trial_lines(plan, outcomes)))
        print()
        if choice:
            print("Its winner is not trained yet: the search runs, or was stopped.")
        if folder.best.is_dir():
            print(f"{folder.best} is of fewer trials, or damaged.")
    if drawn:
        print(f"Pictures: {', '.join(map(str, drawn))}")
    elif args.plots:
        print("Pictures: none, as no trial has a score.")
    return 0


def print_result(found: SearchResult) -> None:
    """Print the report on the trials, and what the winner is worth."""
    print("\n".join(found.lines()))
    print()
    for line in found.evaluated_lines():
        print(as_options(line))
    print()
    print(f"Saved: {found.path} (trial {found.choice.chosen.number}'s settings)")


def as_values(
    plan: SearchPlan, outcomes: Sequence[Outcome], found: SearchResult | None
) -> dict[str, Any]:
    """Return all of it for JSON; what is not known yet is null, or left out."""
    return {
        "bundle": str(found.path) if found else None,
        "objective": plan.objective.name,
        "chosen": found.choice.chosen.to_dict() if found else None,
        "first": found.choice.first.number if found else None,
        "looks": found.looks if found else 0,
        "trials": [one.to_dict() for one in outcomes],
        "plan": plan.to_dict(),
        **(found.report.to_dict() if found else {}),
    }


@contextmanager
def _writing(option: str, place: str) -> Iterator[None]:
    """Name the option where its folder cannot be written."""
    try:
        yield
    except OSError as error:
        raise SearchError(
            f"{option} takes a folder that can be written, or made. Got {place!r} "
            f"({error.strerror or error})."
        ) from error
