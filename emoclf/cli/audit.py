"""``emoclf audit``: find what is wrong with labelled files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emoclf.cli import report_option
from emoclf.cli.options import add_settings, settings_from
from emoclf.cli.shared import (
    add_option,
    add_overwrite_option,
    as_file,
    new_command,
    print_json_or_lines,
)
from emoclf.files import check_new_file

#: Exit code where data are read without an error, and have one of their own.
BAD_DATA = 3


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the command."""
    parser = new_command(
        subparsers,
        "audit",
        arguments="DATA",
        help="find duplicates, leaks, odd texts and wrong labels in labelled files",
        details="The exit code is 3 if a finding is an error. Rows that cannot be used "
        "are findings too.",
        example="emoclf audit train.csv --test test.csv --wrong-labels -o review.csv",
    )
    add_option(parser, "--valid FILE", "validation set")
    add_option(parser, "--test FILE", "test set")
    text = "search for labels that are probably wrong (extra: audit)"
    add_option(parser, "--wrong-labels", text)
    text = "CSV file for corrections of the wrong labels, to fill in"
    add_option(parser, "-o --output FILE", text)
    add_overwrite_option(parser, "file")
    report_option.add(parser, has_overwrite=True)
    add_settings(parser, argv=argv, only=("data", "text", "embedding"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, audit, print, and return 3 if there is an error in the data."""
    from emoclf.audit.corrections_file import write_corrections
    from emoclf.audit.dataset_audit import audit_dataset
    from emoclf.datasets.split_files import read_parts

    settings = settings_from(args)
    report_option.check(args)
    if args.output:
        check_new_file(Path(args.output), overwrite=args.overwrite)
    data_settings = settings.override(skip_bad_rows=True).data
    with as_file(args.data) as data:
        parts = read_parts(data, data_settings, valid=args.valid, test=args.test)
    audit = audit_dataset(
        **parts, settings=settings, wrong_labels=args.wrong_labels or bool(args.output)
    )
    if args.output and audit.wrong_labels is not None:
        write_corrections(audit.wrong_labels, args.output, overwrite=args.overwrite)
    print_json_or_lines(args, audit)
    report_option.write(args, audit)
    return BAD_DATA if audit.has_errors else 0
