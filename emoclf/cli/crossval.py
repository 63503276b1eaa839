"""``emoclf crossval``: cross-validate a network and baselines."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emoclf.cli.bulk_runs import continued_by_the_same_command
from emoclf.cli.options import add_settings, settings_from
from emoclf.cli.shared import (
    add_option,
    add_overwrite_option,
    as_file,
    new_command,
    print_json_or_lines,
)
from emoclf.cli.train import callbacks_for
from emoclf.files import check_new_file, write_atomically
from emoclf.runtime import load_tensorflow


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the command."""
    parser = new_command(
        subparsers,
        "crossval",
        arguments="DATA",
        help="cross-validate a network and baselines",
        details="Each text is predicted by a network that was not trained on it. With "
        "few texts this is more reliable than one test set.",
        example="emoclf crossval sentences.csv --folds 5 -o folds",
    )
    text = "folder for finished folds; the same command continues after them"
    add_option(parser, "-o --output FOLDER", text)
    add_option(parser, "--folds N", "number of folds", default=5)
    text = (
        "fit each network again on its validation texts too, as 'emoclf train --refit' "
        "does; the baselines are trained on the same texts"
    )
    add_option(parser, "--refit", text)
    text = (
        "CSV file to write: each text with the probabilities of the network that was "
        "not trained on it, for 'emoclf distil --out-of-fold FILE'"
    )
    add_option(parser, "--out-of-fold FILE", text)
    add_overwrite_option(parser, "file")
    add_settings(parser, argv=argv)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, cross-validate, print."""
    settings = settings_from(args)
    if args.out_of_fold:
        check_new_file(Path(args.out_of_fold), overwrite=args.overwrite)
    load_tensorflow()
    from emoclf.datasets.readers import read_dataset
    from emoclf.workflow.cross_validation import cross_validate

    with as_file(args.data) as data:
        dataset = read_dataset(data, settings.data)
    with continued_by_the_same_command("cross-validation", args.output):
        result = cross_validate(
            dataset,
            settings,
            folds=args.folds,
            refit=args.refit,
            folder=args.output,
            callbacks=lambda settings: callbacks_for(args, settings),
        )
    if args.out_of_fold:
        assert result.pooled.predictions is not None
        table = result.pooled.predictions.to_frame().to_csv(index=False)
        write_atomically(Path(args.out_of_fold), table.encode("utf-8"))
    print_json_or_lines(args, result)
    return 0
