"""``emoclf aspects export``: write an aspect model in another format."""

from __future__ import annotations

import argparse
from typing import Any

from emoclf.aspects.exports.aspect_export_formats import ASPECT_EXPORTS
from emoclf.bundle.described_folder import EXPORT
from emoclf.bundle.json_values import read_json
from emoclf.cli.export import format_lines
from emoclf.cli.shared import (
    add_option,
    add_overwrite_option,
    new_command,
    print_json,
    print_lines,
)
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
    add_option(
        export,
        "--to FORMAT",
        "export format, see below",
        choices=tuple(ASPECT_EXPORTS),
        required=True,
    )
    text = "folder to write the export to"
    add_option(export, "-o --output FOLDER", text, required=True)
    add_overwrite_option(export, "export")
    group = export.add_argument_group("options of --to saved-model")
    text = "version number, the name of a subfolder (default: 1)"
    add_option(group, "--version N", text, type=int)
    export.set_defaults(run=run_export)


def run_export(args: argparse.Namespace) -> int:
    """Export, and print the path and the result of the check."""
    load_tensorflow()
    from emoclf.aspects.exports.aspect_export import export_aspects

    options = {"to": args.to, "version": args.version, "overwrite": args.overwrite}
    path = export_aspects(args.model, args.output, **options)
    parity = dict(read_json(path / EXPORT.about)["parity"])
    size = parity.pop("bytes")
    if args.json:
        result = {"path": str(path), "format": args.to, "bytes": size}
        print_json({**result, "parity": parity})
        return 0
    check = parity["float32"]
    print_lines(
        f"Exported: {path} ({size / 1e6:.1f} MB)",
        f"Checked against the model on {check['n_texts']:,} texts: all of the "
        f"{check['n_terms']:,} terms are equal, confidences differ by at most "
        f"{check['largest_difference']:.2g}.",
    )
    return 0
