"""``emoclf drift``: compare the texts of a file with those of a training."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from emoclf.cli.audit import BAD_DATA
from emoclf.cli.data_options import add_reading_options
from emoclf.cli.options import given_settings
from emoclf.cli.shared import (
    add_encoder_option,
    as_file,
    new_command,
    print_json_or_lines,
)
from emoclf.runtime import load_tensorflow
from emoclf.settings import DataSettings


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the command."""
    parser = new_command(
        subparsers,
        "drift",
        arguments="BUNDLE INPUT",
        help="check whether new texts look like the training texts",
        details="The exit code is 3 if they do not.",
        example="emoclf drift emotions.emoclf today.csv",
    )
    text = "CSV, TSV, JSON Lines, Parquet, or one text per line; -: stdin"
    parser.add_argument("input", metavar="INPUT", help=text)
    add_encoder_option(parser, model="BUNDLE")
    group = parser.add_argument_group("options for files")
    add_reading_options(group)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, compare, print, and return 3 if there is a drift."""
    load_tensorflow()
    from emoclf.audit.drift import check_drift
    from emoclf.bulk.entries import read_texts
    from emoclf.predictor import Predictor

    predictor = Predictor.load(args.bundle, encoder=args.encoder)
    settings = DataSettings(format=args.format, **given_settings(args))
    with as_file(args.input) as path, read_texts(path, settings) as texts:
        drift = check_drift(predictor, texts)
    print_json_or_lines(args, drift)
    return BAD_DATA if drift.has_drifted else 0
