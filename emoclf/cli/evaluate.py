"""``emoclf evaluate``: figures of a saved classifier on a labelled file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from emoclf.cli.options import add_section, given_settings
from emoclf.cli.shared import (
    DATA_HELP,
    add_output_options,
    as_file,
    new_command,
    print_json,
)
from emoclf.runtime import load_tensorflow
from emoclf.settings import DataSettings, RunSettings, read_settings_file

HOW_TO_READ = (
    "text_column",
    "label_column",
    "label_separator",
    "label_names",
    "encoding",
    "skip_bad_rows",
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
    parser.add_argument("data", help=DATA_HELP)
    add_output_options(parser)
    parser.add_argument(
        "--config", metavar="FILE", help="settings file (TOML); options override it"
    )
    add_section(parser, "data", DataSettings, only=HOW_TO_READ)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, predict, judge, print."""
    load_tensorflow()
    from emoclf.datasets.readers import read_dataset
    from emoclf.evaluation.evaluate import evaluate_part
    from emoclf.evaluation.evaluation_report import evaluation_lines
    from emoclf.predictor import Predictor

    predictor = Predictor.load(args.bundle)
    trained_on = predictor.bundle.settings.data.to_dict()
    # As the training file was read, unless something else is said.
    known = {name: trained_on[name] for name in HOW_TO_READ if name in trained_on}
    known.pop("skip_bad_rows", None)
    if args.config:
        given = read_settings_file(args.config)
        RunSettings.from_dict(given)
        given = {**given, **given.get("data", {})}
        known |= {name: given[name] for name in HOW_TO_READ if name in given}
    settings = DataSettings.from_dict({**known, **given_settings(args)})
    with as_file(args.data) as data:
        dataset = read_dataset(data, settings, label_names=predictor.label_names)
    evaluation = evaluate_part(predictor, dataset, part=args.data)
    if args.json:
        print_json({**evaluation.to_dict(), "skipped": dataset.skipped})
    else:
        print("\n".join(evaluation_lines(evaluation)))
    return 0
