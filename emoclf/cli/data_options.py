"""Options of data: files of a training, and files of texts without labels."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from emoclf.bulk.output_formats import ON_ERROR
from emoclf.cli.options import add_setting
from emoclf.cli.shared import add_option, add_overwrite_option, as_file
from emoclf.datasets.input_formats import READERS
from emoclf.settings import DataSettings, RunSettings

if TYPE_CHECKING:
    from emoclf.datasets.dataset import Dataset
    from emoclf.datasets.split import Split

#: Settings of the data that also say how to read texts without labels.
READING_SETTINGS = (
    "text_column",
    "header",
    "separator",
    "quoting",
    "encoding",
    "encoding_errors",
    "max_line_bytes",
)


def add_input(parser: argparse.ArgumentParser) -> None:
    """Add the file of texts to predict, which may be standard input."""
    parser.add_argument(
        "input",
        nargs="?",
        metavar="INPUT",
        help="CSV, TSV, JSON Lines, Parquet, or one text per line; plain or .gz "
        "(default: standard input)",
    )


def add_reading_options(group: Any) -> None:
    """Add the options for a file of texts, which need not have labels."""
    add_option(
        group,
        "--format",
        "file format of the input (default: by its ending, else lines)",
        choices=tuple(READERS),
    )
    for field in fields(DataSettings):
        if field.name in READING_SETTINGS:
            add_setting(group, DataSettings, field)


def add_file_options(parser: Any, kept: str, target: str, **overwrite: Any) -> None:
    """Add the group of options for predicting the texts of a file.

    Parameters
    ----------
    parser : ArgumentParser
    kept : str
        What a bad line that is kept lacks.
    target, **overwrite
        Arguments of :func:`add_overwrite_option`.
    """
    group = parser.add_argument_group("options for files")
    add_reading_options(group)
    add_option(
        group,
        "--on-error",
        f"reaction to a bad line: stop; skip it; or keep it without {kept}",
        choices=ON_ERROR,
        default="stop",
    )
    add_option(
        group,
        "--prefix TEXT",
        "prefix of the new columns' names (default: predicted_ if the input has such "
        "columns, or labels, as a labelled file does)",
    )
    add_overwrite_option(group, target, **overwrite)


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the options for validation and test files."""
    add_option(parser, "--valid FILE", "validation set, instead of a share of DATA")
    add_option(parser, "--test FILE", "test set, instead of a share of DATA")
    text = "CSV file of 'emoclf audit -o' with corrected labels"
    add_option(parser, "--corrections FILE", text)


def read_data(args: argparse.Namespace, settings: RunSettings) -> tuple[Dataset, Split]:
    """Read and split the files that the options name."""
    from emoclf.datasets.split_files import read_split

    with as_file(args.data) as data:
        return read_split(
            data,
            settings.data,
            valid=args.valid,
            test=args.test,
            corrections=args.corrections,
            seed=settings.seed,
        )
