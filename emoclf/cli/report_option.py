"""``--report``: the result of a command as one HTML page."""

from __future__ import annotations

import argparse
from typing import Any

from emoclf.cli.shared import add_option, add_overwrite_option, print_lines
from emoclf.errors import EmoclfError


def add(parser: Any, *, has_overwrite: bool = False) -> None:
    """Add ``--report``, and ``--overwrite`` where a command has none of its own."""
    text = "write one HTML page with scores, plots, mistakes and texts"
    add_option(parser, "--report FILE", text)
    if not has_overwrite:
        add_overwrite_option(parser, "report")


def check(args: argparse.Namespace) -> None:
    """Raise an error before any work if the report could not be written after it."""
    if args.report:
        from emoclf.report.html_report import check_report

        check_report(args.report, overwrite=args.overwrite)


def write(
    args: argparse.Namespace, result: Any, *, saved: Any = None, **options: Any
) -> None:
    """Write the report that the option asks for, and print its path.

    Parameters
    ----------
    args : Namespace
    result : object
        Result, as :func:`emoclf.write_report` takes it.
    saved : path, optional
        What the command has saved before, so that an error can say that it is safe.
    **options : object
        Options of :func:`emoclf.write_report`.
    """
    if not args.report:
        return
    from emoclf.report.html_report import write_report

    try:
        path = write_report(result, args.report, overwrite=args.overwrite, **options)
    except (EmoclfError, OSError) as error:
        if saved is None:
            raise
        reason = str(error).rstrip(".")
        raise EmoclfError(
            f"The report {args.report} was not written: {reason}. {saved} is complete."
        ) from error
    if not args.json:
        print_lines(f"Report: {path}")
