"""Command line: parse, call one function, print.

Results go to standard output, progress and messages to standard error. Exit codes: 0
success, 1 an error that the user can correct, 2 a wrong call, 3 errors in the data
(``audit``) or a drift (``drift``).
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from emoclf._version import __version__
from emoclf.cli.shared import HELP_ALL, Parser
from emoclf.display import printable
from emoclf.errors import NAMES_AS_OPTIONS, EmoclfError
from emoclf.optional import require
from emoclf.runtime import open_closed_streams

INTERRUPTED = 130
# Variable that argcomplete sets when the shell asks for the words that may follow.
COMPLETION = "_ARGCOMPLETE"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    open_closed_streams()
    if COMPLETION in os.environ:
        return _complete()
    if not argv or argv[0] == "help":
        argv = [*argv[1:], "--help"]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Characters that the terminal's encoding lacks are shown as \u2026.
            stream.reconfigure(errors="backslashreplace")
    try:
        os.environ[NAMES_AS_OPTIONS] = "1"
        args = build_parser(argv).parse_args(argv)
        with _logging(quiet=getattr(args, "quiet", False)):
            code = args.run(args)
        sys.stdout.flush()
        return code or 0
    except EmoclfError as error:
        print(f"emoclf: {printable(error)}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader has gone, as in `emoclf predict … | head`, which is no error.
        _drop_output()
        return 0
    except OSError as error:
        # Such as a full disk: a trouble of this machine, not a bug.
        print(f"emoclf: {printable(error)}", file=sys.stderr)
        _drop_output()
        return 1
    except KeyboardInterrupt:
        print("emoclf: interrupted.", file=sys.stderr)
        return INTERRUPTED
    finally:
        # A caller from Python gets the names of Python.
        os.environ.pop(NAMES_AS_OPTIONS, None)


def build_parser(argv: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Build the parser of all commands.

    Parameters
    ----------
    argv : sequence of str
        Command line that will be parsed: some options depend on others, such as those
        of an architecture on ``--architecture``.
    """
    from emoclf.cli import commands

    parser = Parser(
        prog="emoclf",
        usage="emoclf COMMAND [OPTIONS]",
        description="Train, evaluate and export small text classifiers.",
        epilog="'emoclf help COMMAND' shows the options of a command and an example.",
    )
    parser.add_argument("--version", action="version", version=f"emoclf {__version__}")
    subparsers = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, prog="emoclf"
    )
    for command in commands.COMMANDS:
        command.add_parser(subparsers, argv)
    return parser


def _complete() -> int:
    """Print the words that may follow on a command line, for the shell."""
    # Without the program, and without the word that is being written.
    words = f"{os.environ.get('COMP_LINE')}…".split()[1:-1]
    try:
        argcomplete = require("argcomplete", extra="completion", needed_by="completion")
        try:
            parser = build_parser([*words, HELP_ALL])
        except EmoclfError:
            # An architecture or a settings file that does not exist.
            parser = build_parser([*words[:1], HELP_ALL])
        argcomplete.autocomplete(parser)
    except EmoclfError:
        pass  # The shell shows no messages here.
    return 1


def _drop_output() -> None:
    """Keep the interpreter from flushing into a closed pipe or a full disk at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _StderrHandler(logging.Handler):
    """Writes to ``sys.stderr`` of the moment, which progress bars replace."""

    def emit(self, record: logging.LogRecord) -> None:
        # A reader that has gone must not end a training.
        with suppress(OSError, ValueError):
            text = printable(self.format(record), lines=True)
            print(text, file=sys.stderr, flush=True)


@contextmanager
def _logging(*, quiet: bool) -> Iterator[None]:
    """Show the library's log on standard error; restore the logger afterwards."""
    logger = logging.getLogger("emoclf")
    before = logger.handlers, logger.propagate, logger.level
    logger.handlers, logger.propagate = [_StderrHandler()], False
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    try:
        yield
    finally:
        logger.handlers, logger.propagate = before[:2]
        logger.setLevel(before[2])
