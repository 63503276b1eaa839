"""``emoclf predict``: predict label and probabilities of each text of a file."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from emoclf.cli.bulk_runs import progress_bar, terminated_cleanly
from emoclf.cli.data_options import add_file_options, add_input
from emoclf.cli.options import given_settings
from emoclf.cli.shared import (
    add_encoder_option,
    add_option,
    encoder_options,
    new_command,
)
from emoclf.datasets.data_files import check_file
from emoclf.display import count_of
from emoclf.errors import DataError, SettingsError, setting
from emoclf.export.formats import ENGINES, PRECISIONS
from emoclf.runtime import load_tensorflow

logger = logging.getLogger(__name__)


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the command."""
    parser = new_command(
        subparsers,
        "predict",
        arguments="MODEL [INPUT]",
        help="predict the label of each text of a file or of standard input",
        example=(
            "emoclf predict emotions.emoclf --text 'They all came!'\n"
            "  echo 'They all came!' | emoclf predict emotions.emoclf\n"
            "  emoclf predict emotions.emoclf reviews.csv.gz -o predicted.parquet"
        ),
        has_result=False,
    )
    add_input(parser)
    add_option(
        parser,
        "--text TEXT",
        "text to predict, instead of INPUT; can be repeated",
        action="append",
    )
    add_option(
        parser,
        "-o --output FILE",
        "file to write, with all columns of the input: .jsonl, .csv, .tsv or .parquet; "
        "default: labels on standard output",
    )
    add_option(parser, "--json", "print one JSON object per text on standard output")
    add_option(parser, "--all", "print the probabilities of all labels")
    add_option(
        parser,
        "--abstain-below P",
        "withhold labels with a lower probability, and labels of texts without any "
        "known word: they are empty or null, and the column withheld has the reason, "
        "unsure or no known word",
        type=float,
    )
    add_option(parser, "--quiet", "print no progress and no summary")
    add_encoder_option(parser)
    add_file_options(parser, "a label", "output file", old_name="--force")
    group = parser.add_argument_group("options for speed")
    add_option(group, "--workers N", "number of processes", default=1)
    add_option(
        group,
        "--precision",
        "number format of a folded export's tables (default: float32)",
        choices=PRECISIONS,
    )
    add_option(
        group,
        "--engine",
        "computation of a folded export; numba is faster for many texts, but takes "
        "some seconds to compile at first use (default: numpy)",
        choices=ENGINES,
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Predict texts as they arrive, in constant memory."""
    from emoclf.bulk.file_prediction import predict_file
    from emoclf.bulk.predict_chunks import needs_tensorflow

    if args.output and (args.json or args.all):
        raise SettingsError(
            "--json and --all are for standard output. With --output the file's ending "
            "sets the format, and the file contains all probabilities."
        )
    stream_format = "jsonl" if args.json else "labels"
    if args.all and not args.json:
        stream_format = "probabilities"
    options = {"precision": args.precision, "engine": args.engine}
    options |= encoder_options(args)
    arguments = ("format", "prefix", "on_error", "abstain_below", "overwrite")
    if args.workers == 1 and needs_tensorflow(args.model):
        load_tensorflow()
    progress = progress_bar(args, args.input, shows_output=not args.output)
    with _source(args) as source, terminated_cleanly(), progress as bar:
        summary = predict_file(
            args.model,
            source,
            args.output or sys.stdout,
            output_format=stream_format,
            workers=args.workers,
            options={name: value for name, value in options.items() if value},
            report=bar and bar.show,
            **{name: getattr(args, name) for name in arguments},
            **given_settings(args),
        )
    if args.output or summary.bad or summary.withheld:
        logger.info("%s", _summary_line(summary, args))
    return 0


@contextmanager
def _source(args: argparse.Namespace) -> Iterator[str]:
    """Yield the path of the input; texts of the command line are written to a file."""
    if args.text is None:
        if args.input not in (None, "-") and not os.path.exists(args.input):
            try:
                check_file(args.input)
            except DataError as error:
                raise DataError(f"{error} To predict a text, use --text.") from None
        yield args.input or "-"
        return
    given = {"input": args.input, "format": args.format, **given_settings(args)}
    for name, value in given.items():
        if value is not None:
            other = value if name == "input" else setting(name, value)
            raise SettingsError(f"Give --text or a file, not both. Got {other} too.")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "texts.jsonl")
        with open(path, "w", encoding="ascii") as stream:
            stream.writelines(json.dumps({"text": text}) + "\n" for text in args.text)
        yield path


def _summary_line(summary: Any, args: argparse.Namespace) -> str:
    line = f"Predicted {count_of('text', summary.predicted)}"
    if args.output:
        line += f": {args.output}"
    if summary.bad:
        reaction = "left out" if args.on_error == "skip" else "kept without a label"
        line += f"; {count_of('bad line', summary.bad)} {reaction}"
    if summary.withheld:
        line += f"; {count_of('label', summary.withheld)} withheld"
    return f"{line}."
