"""``emoclf aspects export``: write an aspect model in another format."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from emoclf.aspects.exports.aspect_export_formats import ASPECT_EXPORTS
from emoclf.cli.export import add_export_options, format_lines, print_export
from emoclf.cli.shared import new_command
from emoclf.runtime import load_tensorflow


def add_export_parser(commands: Any) -> None:
    """Add the command."""
    export = new_command(
        commands,
        "export",
        arguments="FOLDER",
        help="export a model to a format for deployment",
        details="Every export is loaded and checked against the model before it is "
        "kept; 'emoclf aspects predict' and 'emoclf aspects evaluate' take it.",
        example=(
            "emoclf aspects export laptops.aspects --to saved-model -o served/laptops\n"
            "  emoclf aspects export laptops.aspects --to onnx -o laptops.onnx\n"
            f"\nformats, and what they run on:\n{format_lines(ASPECT_EXPORTS)}"
        ),
    )
    text = "folder written by 'emoclf aspects train'"
    export.add_argument("model", metavar="FOLDER", help=text)
    add_export_options(export, ASPECT_EXPORTS)
    export.set_defaults(run=run_export)


def run_export(args: argparse.Namespace) -> int:
    """Export, and print the path and the result of the check."""
    load_tensorflow()
    from emoclf.aspects.exports.aspect_export import export_aspects

    options = {"to": args.to, "version": args.version, "overwrite": args.overwrite}
    path = export_aspects(args.model, args.output, **options)
    print_export(args, path, _parity_lines)
    return 0


def _parity_lines(parity: Mapping[str, Any]) -> list[str]:
    check = parity["float32"]
    return [
        f"Checked against the model on {check['n_texts']:,} texts: all of the "
        f"{check['n_terms']:,} terms are equal, confidences differ by at most "
        f"{check['largest_difference']:.2g}."
    ]
