"""``emoclf export``: write a saved classifier in another format."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emoclf.bundle.described_folder import EXPORT
from emoclf.bundle.json_values import read_json
from emoclf.cli.shared import (
    add_option,
    add_overwrite_option,
    new_command,
    print_json,
    print_lines,
)
from emoclf.errors import ExportError
from emoclf.export.formats import FORMATS, ExportFormat


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the command."""
    parser = new_command(
        subparsers,
        "export",
        arguments="BUNDLE",
        help="export a saved classifier to a format for deployment",
        details="Every export is loaded and checked against the bundle before it is "
        "kept.",
        example=(
            "emoclf export emotions.emoclf --to saved-model -o served/emotions\n"
            "  emoclf export emotions.emoclf --to folded -o emotions.folded\n"
            f"\nformats, and what they run on:\n{format_lines(FORMATS)}"
        ),
    )
    group = add_export_options(parser, FORMATS, old_name="--force")
    text = "number of labels that predict_top returns (default: 3)"
    add_option(group, "--top K", text, type=int)
    group.add_argument(
        "--tokens",
        action="store_const",
        const=True,
        help="take token ids instead of texts; needed with the tokenizer jieba",
    )
    parser.set_defaults(run=run)


def add_export_options(parser: Any, formats: Iterable[str], **overwrite: Any) -> Any:
    """Add the options of an export, and return the group of those of a SavedModel."""
    text = "export format, see below"
    add_option(parser, "--to FORMAT", text, choices=tuple(formats), required=True)
    text = "folder to write the export to"
    add_option(parser, "-o --output FOLDER", text, required=True)
    add_overwrite_option(parser, "export", **overwrite)
    group = parser.add_argument_group("options of --to saved-model")
    text = "version number, the name of a subfolder (default: 1)"
    add_option(group, "--version N", text, type=int)
    return group


def format_lines(formats: Mapping[str, ExportFormat]) -> str:
    """Return the formats and what they run on, for a help text."""
    return "\n".join(
        textwrap.fill(
            f"{name:<13}{format.runs_on.replace('`', '')}",
            79,
            initial_indent="  ",
            subsequent_indent=" " * 15,
        )
        for name, format in formats.items()
    )


def run(args: argparse.Namespace) -> int:
    """Export, and print the path and the result of the check."""
    options = _options(args)
    _check_target(args)
    from emoclf.runtime import load_tensorflow

    load_tensorflow()
    from emoclf.bundle.summary import parity_lines
    from emoclf.export import export_classifier
    from emoclf.predictor import Predictor

    path = export_classifier(
        Predictor.load(args.bundle),
        args.output,
        to=args.to,
        overwrite=args.overwrite,
        **options,
    )
    print_export(args, path, parity_lines)
    return 0


def print_export(
    args: argparse.Namespace, path: Path, lines_of: Callable[[Any], Iterable[str]]
) -> None:
    """Print path, size and the result of the check, which ``lines_of`` describes."""
    parity = dict(read_json(path / EXPORT.about)["parity"])
    size = parity.pop("bytes")
    if args.json:
        result = {"path": str(path), "format": args.to, "bytes": size}
        print_json({**result, "parity": parity})
    else:
        print_lines(f"Exported: {path} ({size / 1e6:.1f} MB)", *lines_of(parity))


def _check_target(args: argparse.Namespace) -> None:
    """Check the target before TensorFlow is loaded, which takes seconds."""
    target = Path(args.output)
    if args.to == "saved-model":
        version = 1 if args.version is None else args.version
        if version < 1:
            # export_classifier reports it.
            return
        target /= str(version)
    EXPORT.check_target(target, overwrite=args.overwrite)


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the given options of a SavedModel."""
    options = {"version": args.version, "top": args.top, "tokens": args.tokens}
    given = {name: value for name, value in options.items() if value is not None}
    if given and args.to != "saved-model":
        name = next(iter(given))
        raise ExportError(f"--{name} is an option of --to saved-model. Got {args.to}.")
    return given
