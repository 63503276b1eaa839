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
from typing import Any, NoReturn

DATA_HELP = "CSV, TSV, JSON Lines or Parquet, plain or .gz; - is standard input"


class Parser(argparse.ArgumentParser):
    """Answer a wrong call on one line, not below the whole usage."""

    def parse_known_args(self, *args: Any, **more: Any) -> Any:
        """Refuse what is not known where it stands: the command's help has the rest."""
        found, unknown = super().parse_known_args(*args, **more)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

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
    parser.add_argument(
        "--quiet", action="store_true", help="no progress; only warnings and errors"
    )


def print_json(value: Any) -> None:
    """Print one JSON document to standard output."""
    sys.stdout.write(as_json(value, indent=1) + "\n")


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Write JSON, in characters that standard output can carry."""
    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    return json.dumps(value, indent=indent, ensure_ascii=plain)


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
