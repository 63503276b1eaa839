"""``emoclf compare``: several networks and seeds on one split, beside the floors."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from emoclf.cli.data_options import add_parts, parts_from
from emoclf.cli.options import add_settings, read_value, settings_from
from emoclf.cli.shared import add_output_options, new_command, print_json
from emoclf.errors import SettingsError
from emoclf.runtime import load_tensorflow
from emoclf.settings import RunSettings
from emoclf.settings.run_settings import section_classes, section_of

PLOT = "accuracy-against-time.png"


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Describe the command."""
    parser = new_command(
        subparsers,
        "compare",
        help="train several networks with several seeds on one split",
        example=(
            "emoclf compare sentences.csv --architectures text_cnn,bilstm -o compared\n"
            "  emoclf compare sentences.csv --vary optimizer=adam,sgd -o optimizers"
        ),
    )
    add_parts(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        help="folder for the table and the plot; the same command goes on with it",
    )
    parser.add_argument(
        "--architectures", metavar="A,B,…", help="networks to compare, or 'all'"
    )
    parser.add_argument(
        "--vary",
        metavar="SETTING=A,B,…",
        action="append",
        default=[],
        help="a row for each value; values that hold commas are parted by ;",
    )
    parser.add_argument(
        "--seeds", type=int, default=3, metavar="N", help="seeds for each row (3)"
    )
    add_output_options(parser)
    add_settings(parser, argv=argv)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, judge, print and draw."""
    networks = rows_from(args)
    load_tensorflow()
    from emoclf.evaluation.network_plots import plot_accuracy_against_time, save_plot
    from emoclf.training.progress import TrainingProgress
    from emoclf.workflow.compare import compare_networks

    _, split = parts_from(args, next(iter(networks.values())))

    def callbacks(settings: RunSettings) -> list[Any]:
        epochs = settings.training.epochs
        return [] if args.quiet else [TrainingProgress(epochs)]

    comparison = compare_networks(
        split, networks, seeds=args.seeds, folder=args.output, callbacks=callbacks
    )
    place = Path(args.output) / PLOT
    plotted = _has_matplotlib()
    if plotted:
        save_plot(plot_accuracy_against_time(comparison), place)
    if args.json:
        print_json(comparison.to_dict())
        return 0
    print("\n".join(comparison.lines()))
    print()
    print(f"Saved: {args.output}")
    if not plotted:
        print("There is no plot: run pip install 'emoclf[plots]', and this again.")
    return 0


def rows_from(args: argparse.Namespace) -> dict[str, RunSettings]:
    """Return the settings of each row, by its name."""
    base = settings_from(args)
    architectures = _architectures(args.architectures, base.architecture)
    varied = [_varied(text, architectures) for text in args.vary]
    rows: dict[str, RunSettings] = {}
    for architecture in architectures:
        plain = base.override(architecture=architecture)
        for chosen in itertools.product(*varied):
            values = {name: value for name, _, value in chosen}
            said = [f"{name}={text}" for name, text, _ in chosen]
            title = [architecture] if len(architectures) > 1 or not said else []
            rows[" ".join([*title, *said])] = plain.override(**values)
    return rows


def _architectures(text: str | None, default: str) -> list[str]:
    from emoclf.models.registry import ARCHITECTURES

    if text is None:
        return [default]
    if text == "all":
        return list(ARCHITECTURES)
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        section_classes(name)
    return list(dict.fromkeys(names))


def _varied(text: str, architectures: Sequence[str]) -> list[tuple[str, str, Any]]:
    """Read ``setting=a,b`` into (setting, text of the value, value)."""
    name, equals, values = text.partition("=")
    name = name.strip().replace("-", "_")
    if not equals or not values:
        raise SettingsError(f"--vary must be SETTING=A,B,… Got {text!r} instead.")
    own = {"seed": "--seeds N", "architecture": "--architectures A,B"}
    if name in own:
        raise SettingsError(f"--vary does not take {name!r}. Use {own[name]}.")
    sections = section_classes(architectures[0])
    found = section_of(name, sections)
    if found == "data":
        raise SettingsError(
            f"--vary does not take {name!r}: all rows are compared on one split. Give "
            f"it as an option."
        )
    section = sections[found]
    (field,) = (one for one in fields(section) if one.name == name)
    parts = [one.strip() for one in values.split(";" if ";" in values else ",")]
    return [(name, one, read_value(section, field, one)) for one in parts if one]


def _has_matplotlib() -> bool:
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None
