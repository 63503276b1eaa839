"""``emoclf export``: a saved classifier in another form."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emoclf.bundle.described_folder import EXPORT
from emoclf.cli.shared import add_output_options, new_command, print_json
from emoclf.errors import ExportError
from emoclf.export.formats import FORMATS


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Describe the command."""
    parser = new_command(
        subparsers,
        "export",
        help="write a saved classifier in a form that answers without training",
        example=(
            "emoclf export emotions.emoclf --to saved-model -o served/emotions\n"
            "  emoclf export emotions.emoclf --to folded -o emotions.folded"
        ),
    )
    parser.add_argument("bundle", help="folder that 'emoclf train' wrote")
    parser.add_argument(
        "--to",
        required=True,
        choices=tuple(FORMATS),
        help="form to write; folded needs NumPy alone to answer",
    )
    parser.add_argument("-o", "--output", required=True, help="folder to write")
    parser.add_argument(
        "--force",
        "--overwrite",
        dest="overwrite",
        action="store_true",
        help="replace an older export",
    )
    group = parser.add_argument_group("of a SavedModel")
    group.add_argument(
        "--version", type=int, metavar="N", help="number of the version's folder (1)"
    )
    group.add_argument(
        "--top", type=int, metavar="K", help="labels that predict_top names (3)"
    )
    group.add_argument(
        "--tokens",
        action="store_const",
        const=True,
        help="take token ids instead of texts, as jieba's tokenizer needs",
    )
    add_output_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Export, and say where it went."""
    options = _options(args)
    _check_target(args)
    from emoclf.runtime import load_tensorflow

    load_tensorflow()
    from emoclf.export import export_classifier
    from emoclf.predictor import Predictor

    path = export_classifier(
        Predictor.load(args.bundle),
        args.output,
        to=args.to,
        overwrite=args.overwrite,
        **options,
    )
    about = json.loads((Path(path) / EXPORT.about).read_text("utf-8"))
    parity = dict(about["parity"])
    size = parity.pop("bytes")
    if args.json:
        answer = {"path": str(path), "format": args.to, "bytes": size}
        print_json({**answer, "parity": parity})
        return 0
    print(f"Exported: {path} ({size / 1e6:.1f} MB)")
    for precision, found in parity.items():
        if "refused" in found:
            print(f"There is no {precision} form: {found['refused']}")
            continue
        print(
            f"Compared with the bundle on {found['n_texts']:,} texts, {precision}: "
            f"{found['equal_labels']:.2%} of the labels are equal, probabilities "
            f"differ by {found['largest_difference']:.2g} at most."
        )
    return 0


def _check_target(args: argparse.Namespace) -> None:
    """Say what stands in the way before TensorFlow is loaded, which takes seconds."""
    target = Path(args.output)
    if args.to == "saved-model":
        version = 1 if args.version is None else args.version
        if version < 1:
            # No folder has this name; the export says so.
            return
        target /= str(version)
    EXPORT.check_target(target, overwrite=args.overwrite)


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options that were given, where the form has them."""
    names = ("version", "top", "tokens")
    given = {name: getattr(args, name) for name in names}
    given = {name: value for name, value in given.items() if value is not None}
    if given and args.to != "saved-model":
        first = next(iter(given))
        raise ExportError(f"--{first} is of a SavedModel. Use it with --to saved-model")
    return given
