"""``emoclf export``: a saved classifier in another form."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from emoclf.cli.shared import (
    add_output_options,
    load_tensorflow,
    new_command,
    print_json,
)

FORMATS = ("saved-model",)


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Describe the command."""
    parser = new_command(
        subparsers,
        "export",
        help="write a saved classifier as a SavedModel that takes raw strings",
        example="emoclf export emotions.emoclf --to saved-model -o served/emotions",
    )
    parser.add_argument("bundle", help="folder that 'emoclf train' wrote")
    parser.add_argument("--to", required=True, choices=FORMATS, help="form to write")
    parser.add_argument("-o", "--output", required=True, help="folder to write")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace an older export"
    )
    add_output_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Export, and say where it went."""
    load_tensorflow()
    from emoclf.export.saved_model import export_saved_model
    from emoclf.predictor import Predictor

    path = export_saved_model(
        Predictor.load(args.bundle), args.output, overwrite=args.overwrite
    )
    if args.json:
        print_json({"path": str(path), "format": args.to})
    else:
        print(f"Exported: {path}")
    return 0
