"""``emoclf evaluate``: figures of a saved classifier on a labelled file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from emoclf.cli.options import add_settings, settings_from
from emoclf.cli.shared import (
    add_output_options,
    load_tensorflow,
    new_command,
    print_json,
)


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Describe the command."""
    parser = new_command(
        subparsers,
        "evaluate",
        help="judge a saved classifier on a labelled file that it has not seen",
        example="emoclf evaluate emotions.emoclf test.csv",
    )
    parser.add_argument("bundle", help="folder that 'emoclf train' wrote")
    parser.add_argument("data", help="CSV, TSV, JSON Lines or Parquet, plain or .gz")
    add_output_options(parser)
    add_settings(parser, argv=argv, only=("data",))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, predict, judge, print."""
    settings = settings_from(args)
    load_tensorflow()
    from emoclf.datasets.tables import read_dataset
    from emoclf.evaluation.judge import judge_part
    from emoclf.evaluation.report import evaluation_lines
    from emoclf.predictor import Predictor

    predictor = Predictor.load(args.bundle)
    dataset = read_dataset(args.data, settings.data, label_names=predictor.label_names)
    evaluation = judge_part(predictor, dataset, part=args.data)
    if args.json:
        print_json(evaluation.to_dict())
    else:
        print("\n".join(evaluation_lines(evaluation)))
    return 0
