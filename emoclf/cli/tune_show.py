"""``emoclf tune show``: what a search found so far, while it runs or afterwards."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emoclf.cli.shared import add_output_options, new_command, print_json
from emoclf.errors import SearchError
from emoclf.quiet import load_tensorflow

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
    from emoclf.tuning.finish import trial_lines
    from emoclf.tuning.folder import SearchFolder
    from emoclf.tuning.plan import SearchPlan

    folder = SearchFolder(args.search)
    plan = SearchPlan.from_dict(folder.about()["plan"])
    outcomes = folder.outcomes()
    drawn: list[Path] = []
    if args.plots:
        from emoclf.tuning.plots import save_plots

        with _writing("--plots", args.plots):
            drawn = save_plots(outcomes, plan.objective, Path(args.plots))
    if args.tensorboard:
        from emoclf.tuning.hparams import write_hparams

        with _writing("--tensorboard", args.tensorboard):
            write_hparams(outcomes, plan.objective, Path(args.tensorboard))
    if args.json:
        print_json(
            {
                "plan": plan.to_dict(),
                "trials": [one.to_dict() for one in outcomes],
                "bundle": str(folder.best) if folder.best.is_dir() else None,
            }
        )
        return 0
    if not outcomes:
        print("No trial has ended yet.")
        return 0
    print("\n".join(trial_lines(plan, outcomes)))
    if drawn:
        print()
        print(f"Pictures: {', '.join(map(str, drawn))}")
    if folder.best.is_dir():
        print()
        print(f"Saved: {folder.best}; judged in {folder.report}")
    return 0


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
