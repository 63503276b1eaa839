"""``emoclf predict``: a label and probabilities for each text of a file."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from emoclf.bulk.record_chunks import ON_ERROR
from emoclf.cli.shared import new_command
from emoclf.datasets.input_formats import READERS
from emoclf.errors import SettingsError
from emoclf.export.formats import ENGINES, PRECISIONS
from emoclf.runtime import load_tensorflow

logger = logging.getLogger(__name__)

# What a shell says of a process that SIGTERM ended.
TERMINATED = 128 + signal.SIGTERM


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Describe the command."""
    parser = new_command(
        subparsers,
        "predict",
        help="answer each text of a file or of standard input",
        example=(
            "echo 'They all came!' | emoclf predict emotions.emoclf\n"
            "  emoclf predict emotions.emoclf reviews.csv.gz -o answered.parquet"
        ),
    )
    parser.add_argument("model", help="a bundle, or any folder of 'emoclf export'")
    parser.add_argument(
        "input",
        nargs="?",
        default="-",
        help="CSV, TSV, JSON Lines, Parquet, or one text a line; plain or .gz; - is "
        "standard input (-)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write .jsonl, .csv, .tsv or .parquet, with all that stands beside a text",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="one JSON object a line on standard output, with the text",
    )
    parser.add_argument(
        "--all", action="store_true", help="the probability of every label"
    )
    _add_reading(parser.add_argument_group("reading and writing"))
    group = parser.add_argument_group("running")
    group.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that answer (1)"
    )
    group.add_argument(
        "--precision", choices=PRECISIONS, help="of a folded export: of its tables"
    )
    group.add_argument(
        "--engine",
        choices=ENGINES,
        help="of a folded export: what computes; numba, for many texts, is compiled "
        "in some seconds at its first use",
    )
    group.add_argument(
        "--quiet", action="store_true", help="no progress, no summary, only errors"
    )
    parser.set_defaults(run=run)


def _add_reading(group: Any) -> None:
    group.add_argument(
        "--format",
        choices=tuple(READERS),
        help="what the input holds, where its ending does not say it (lines)",
    )
    group.add_argument(
        "--text-column",
        metavar="NAME",
        help="column or key of the texts; found by its name",
    )
    group.add_argument("--encoding", default="utf-8", help="of the input (utf-8)")
    group.add_argument(
        "--on-error",
        choices=ON_ERROR,
        default="stop",
        help="at a bad line: stop; skip it; or keep it with an empty label (stop)",
    )
    group.add_argument(
        "--prefix",
        default="",
        help="set before the names of new columns, where the input has them already",
    )
    group.add_argument(
        "--force", action="store_true", help="replace an output file that is there"
    )


def run(args: argparse.Namespace) -> int:
    """Answer texts as they come, in constant memory."""
    from emoclf.bulk.file_prediction import predict_file
    from emoclf.bulk.predict_chunks import needs_tensorflow

    if args.output and (args.json or args.all):
        raise SettingsError(
            "--json and --all are for standard output. With --output the file's ending "
            "says the format, and all probabilities are in it."
        )
    options = {
        name: getattr(args, name)
        for name in ("precision", "engine")
        if getattr(args, name) is not None
    }
    if args.workers == 1 and needs_tensorflow(args.model):
        load_tensorflow()
    with _terminated_cleanly(), _progress(args) as bar:
        summary = predict_file(
            args.model,
            args.input,
            args.output or sys.stdout,
            format=args.format,
            output_format=_stream_format(args),
            text_column=args.text_column,
            encoding=args.encoding,
            prefix=args.prefix,
            on_error=args.on_error,
            overwrite=args.force,
            workers=args.workers,
            options=options,
            report=bar.update if bar is not None else None,
        )
    if args.output or summary.bad:
        logger.info("%s", _said(summary, args))
    return 0


def _stream_format(args: argparse.Namespace) -> str:
    if args.json:
        return "jsonl"
    return "probabilities" if args.all else "labels"


def _progress(args: argparse.Namespace) -> Any:
    # Beside answers or questions on the same terminal a bar would only be in the way.
    shared = not args.output and sys.stdout.isatty()
    asked = args.input == "-" and sys.stdin.isatty()
    if args.quiet or shared or asked or not sys.stderr.isatty():
        return nullcontext()
    # An export answers with NumPy alone, and then without a bar.
    if importlib.util.find_spec("rich") is None:
        return nullcontext()
    from emoclf.bulk.progress_bar import Bar

    return Bar()


def _said(summary: Any, args: argparse.Namespace) -> str:
    texts = f"{summary.predicted:,} text{'' if summary.predicted == 1 else 's'}"
    said = f"Answered {texts}"
    if args.output:
        said += f": {args.output}"
    if summary.bad:
        what = "left out" if args.on_error == "skip" else "kept without an answer"
        lines = f"{summary.bad:,} bad line{'' if summary.bad == 1 else 's'}"
        said += f"; {lines} {what}"
    return said + "."


@contextmanager
def _terminated_cleanly() -> Iterator[None]:
    """Leave nothing half-written behind when a supervisor ends this process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        sys.exit(TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
