"""The data of commands that train: one file, or the user's own parts beside it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from emoclf.cli.shared import DATA_HELP, as_file
from emoclf.settings import RunSettings

if TYPE_CHECKING:
    from emoclf.datasets.dataset import Dataset
    from emoclf.datasets.split import Split


def add_parts(parser: argparse.ArgumentParser) -> None:
    """Add the file and the options of its parts."""
    parser.add_argument("data", help=DATA_HELP)
    parser.add_argument("--valid", metavar="FILE", help="your own validation part")
    parser.add_argument("--test", metavar="FILE", help="your own test part")


def parts_from(
    args: argparse.Namespace, settings: RunSettings
) -> tuple[Dataset, Split]:
    """Read and split what the options name."""
    from emoclf.datasets.split_files import read_split

    with as_file(args.data) as data:
        return read_split(
            data,
            settings.data,
            valid=args.valid,
            test=args.test,
            seed=settings.seed,
        )
