"""What several commands need: parsers with an example, streams, a quiet TensorFlow."""

from __future__ import annotations

import argparse
import codecs
import contextlib
import gzip
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

from emoclf.errors import DataError

DATA_HELP = "CSV, TSV, JSON Lines or Parquet, plain or .gz; - is standard input"

# About two thousand sentences.
PIECE = 1 << 18


class Parser(argparse.ArgumentParser):
    """Answer a wrong call on one line, not below the whole usage."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end with exit code 2."""
        self.exit(2, f"{self.prog}: {message}\nSee: {self.prog} --help\n")


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
    sys.stdout.write(as_json(value, indent=1) + "\n")


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Write JSON, in characters that standard output can carry."""
    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    return json.dumps(value, indent=indent, ensure_ascii=plain)


@contextlib.contextmanager
def open_input(path: str) -> Iterator[BinaryIO]:
    """Open a file, or standard input for ``-``."""
    if path == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = open(path, "rb")  # noqa: SIM115 - errors of reading alone are caught
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    with stream:
        yield stream


@contextlib.contextmanager
def as_file(path: str, *, ending: str = "") -> Iterator[str]:
    """Give a data file that can be read more than once, also for ``-``.

    Standard input is kept in a temporary file; without ``ending`` its first bytes say
    whether it is gzip, Parquet, JSON Lines or CSV.
    """
    if path != "-":
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, "standard-input")
        with open(place, "wb") as stream:
            shutil.copyfileobj(sys.stdin.buffer, stream)
        with open(place, "rb") as stream:
            head = stream.read(64).removeprefix(codecs.BOM_UTF8).lstrip()
        packed = ".gz" if head.startswith(b"\x1f\x8b") else ""
        if packed:
            with contextlib.suppress(OSError, EOFError), gzip.open(place) as unpacked:
                head = unpacked.read(64).lstrip()
        if not ending:
            marks = {b"PAR1": ".parquet", b"{": ".jsonl"}
            ending = next(
                (found for mark, found in marks.items() if head.startswith(mark)),
                ".csv",
            )
        named = place + ending + packed
        os.replace(place, named)
        yield named


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
    # 3 also hides "oneDNN supports DT_BOOL only on …", an error that is none.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
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
