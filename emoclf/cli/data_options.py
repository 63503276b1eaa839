"""Data of commands that train: one file, or also validation and test files."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from emoclf.cli.shared import add_option, as_file
from emoclf.settings import RunSettings

if TYPE_CHECKING:
    from emoclf.datasets.dataset import Dataset
    from emoclf.datasets.split import Split


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
