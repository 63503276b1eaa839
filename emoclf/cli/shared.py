"""What several commands need: parsers with an example, streams, a quiet TensorFlow."""

from __future__ import annotations

import argparse
import codecs
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from emoclf.errors import DataError

# About two thousand sentences.
PIECE = 1 << 18


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
def open_input(path: str) -> Iterator[BinaryIO]:
    """Open a file, or standard input for ``-``."""
    if path == "-":
        yield sys.stdin.buffer
        return
    try:
        with open(path, "rb") as stream:
            yield stream
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error


def lines_as_they_come(stream: BinaryIO) -> Iterator[list[str]]:
    """Read lines in groups: at once what has arrived, however little it is.

    Somebody at a terminal, or a program that writes now and then, gets each answer
    before the next question; a file or a fast pipe is read in large pieces.

    Parameters
    ----------
    stream : binary stream with ``read1``
        UTF-8. Bytes that are not must neither stop a stream of a million lines nor be
        dropped in silence: they become U+FFFD, as in the graph of an export.

    Yields
    ------
    lines : list of str, without their ends
    """
    begun: list[bytes] = []
    mark = codecs.BOM_UTF8
    while piece := stream.read1(PIECE):  # type: ignore[attr-defined]
        begun.append(piece)
        if b"\n" in piece:
            *lines, rest = b"".join(begun).removeprefix(mark).split(b"\n")
            begun, mark = [rest], b""
            yield [_text(line) for line in lines]
    if last := b"".join(begun).removeprefix(mark):
        yield [_text(last)]


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").removesuffix("\r")


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
