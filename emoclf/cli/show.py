"""``emoclf show``: show what a bundle, an export or a search contains."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from emoclf.cli.shared import new_command, print_json, print_lines


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the command."""
    parser = new_command(
        subparsers,
        "show",
        arguments="MODEL",
        help="show labels, settings and metrics of a classifier or a search",
        details="Versions and size are shown too, and the files are checked. "
        "TensorFlow is not needed.",
        example="emoclf show emotions.emoclf\n  emoclf show sentences.search --json",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read the description, and print it."""
    from emoclf.bundle.summary import read_summary, summary_lines

    summary = read_summary(args.model)
    if args.json:
        print_json(summary)
    else:
        print_lines(*summary_lines(summary))
    return 0
