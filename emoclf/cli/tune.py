"""``emoclf tune``: a random search that can be stopped and resumed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from emoclf.cli.messages import as_options
from emoclf.cli.options import add_settings, settings_from
from emoclf.cli.parts import add_parts, parts_from
from emoclf.cli.shared import (
    add_output_options,
    new_command,
    print_json,
)
from emoclf.quiet import load_tensorflow


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Describe the command."""
    parser = new_command(
        subparsers,
        "tune",
        help="search filters, kernel sizes and learning rate",
        example="emoclf tune sentences.csv -o search --trials 20",
    )
    add_parts(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        help="folder of the search; the same command goes on with it",
    )
    parser.add_argument(
        "--trials", type=int, default=10, metavar="N", help="number of trials (10)"
    )
    add_output_options(parser)
    add_settings(parser, argv=argv)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search, and say where the best classifier is."""
    settings = settings_from(args)
    load_tensorflow()
    from emoclf.evaluation.judge import judge_split
    from emoclf.predictor import Predictor
    from emoclf.tuning.search import search

    _, split = parts_from(args, settings)
    found = search(
        split.train, split.valid, settings, folder=args.output, trials=args.trials
    )
    # The winner alone, once, beside the floors.
    report = judge_split(Predictor.load(found.path), split)
    if args.json:
        print_json(
            {
                "bundle": str(found.path),
                "monitor": found.monitor,
                "best": asdict(found.best),
                "trials": [asdict(trial) for trial in found.trials],
                **report.to_dict(),
            }
        )
        return 0
    print("\n".join(found.lines()))
    print()
    print(f"Trial {found.best.number} is the best; the validation part chose it.")
    print()
    for line in (*report.table_lines(), "", *report.verdict()):
        print(as_options(line))
    print()
    print(f"Saved: {found.path}")
    return 0
