"""What several commands need: parsers with an example, streams, a quiet TensorFlow."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from emoclf.errors import DataError


def new_command(
    subparsers: Any, name: str, *, help: str, example: str
) -> argparse.ArgumentParser:
    """Add a command whose help ends with an example."""
    return subparsers.add_parser(
        name,
        help=help,
        description=help[0].upper() + help[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how to answer."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress, only errors")


def print_json(value: Any) -> None:
    """Print one JSON document to standard output."""
    json.dump(value, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


@contextlib.contextmanager
def open_input(path: str) -> Iterator[TextIO]:
    """Open a UTF-8 text file, or standard input for ``-``."""
    if path == "-":
        # Bytes that are not UTF-8 must neither stop a stream of a million lines nor
        # be dropped in silence: they become U+FFFD, as in the graph of an export.
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
        yield sys.stdin
        return
    try:
        with open(path, encoding="utf-8", errors="replace", newline="\n") as stream:
            yield stream
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error


def load_tensorflow() -> None:
    """Import TensorFlow without the lines that it writes past Python's streams.

    It announces oneDNN and missing graphics cards on file descriptor 2 before it reads
    its own log level. What goes wrong in the import is still raised.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import tensorflow as tf

        # The announcements come with the first device, not with the import.
        tf.constant(0)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
