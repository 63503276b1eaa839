"""``emoclf compare``: compare networks and baselines on one split."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from emoclf.cli import report_option
from emoclf.cli.bulk_runs import continued_by_the_same_command
from emoclf.cli.data_options import add_data, read_data
from emoclf.cli.options import add_settings, parse_value, settings_from
from emoclf.cli.shared import add_option, new_command, print_json, print_lines
from emoclf.cli.train import callbacks_for
from emoclf.errors import SettingsError
from emoclf.runtime import load_tensorflow
from emoclf.settings import RunSettings
from emoclf.settings.run_settings import section_classes, section_of

PLOT = "accuracy-against-time.png"


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the command."""
    parser = new_command(
        subparsers,
        "compare",
        arguments="DATA",
        help="compare networks or settings on one split of the data",
        details="Each network is trained with several seeds; the baselines are trained "
        "on the same texts.",
        example=(
            "emoclf compare sentences.csv --architectures text_cnn,bilstm -o compared\n"
            "  emoclf compare sentences.csv --vary optimizer=adam,sgd -o optimizers"
        ),
    )
    text = "folder for table and plot; the same command continues it"
    add_option(parser, "-o --output FOLDER", text, required=True)
    add_option(parser, "--architectures A,B,…", "networks to compare, or all")
    add_option(
        parser,
        "--vary SETTING=A,B,…",
        "values of a setting to compare, separated by ; if they contain commas; can be "
        "repeated",
        action="append",
        default=[],
    )
    add_option(parser, "--seeds N", "number of seeds per network", default=3)
    report_option.add(parser)
    add_data(parser)
    add_settings(parser, argv=argv)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, evaluate, print and plot."""
    networks = rows_from(args)
    report_option.check(args)
    load_tensorflow()
    from emoclf.plots import plot_accuracy_against_time, save_plot
    from emoclf.workflow.compare import compare_networks

    _, split = read_data(args, next(iter(networks.values())))

    with continued_by_the_same_command("comparison", args.output):
        comparison = compare_networks(
            split,
            networks,
            seeds=args.seeds,
            folder=args.output,
            callbacks=lambda settings: callbacks_for(args, settings),
        )
    plotted = find_spec("matplotlib") is not None
    if plotted:
        save_plot(plot_accuracy_against_time(comparison), Path(args.output) / PLOT)
    if args.json:
        print_json(comparison.to_dict())
    else:
        print_lines(*comparison.lines(), "", f"Saved: {args.output}")
        if not plotted:
            print_lines(
                "No plot: run pip install 'emoclf[plots]', then this command again."
            )
    report_option.write(args, comparison, saved=args.output)
    return 0


def rows_from(args: argparse.Namespace) -> dict[str, RunSettings]:
    """Return the settings of each row, by its name."""
    base = settings_from(args)
    architectures = _architectures(args.architectures, base.architecture)
    choices = [_choices(text, architectures) for text in args.vary]
    rows: dict[str, RunSettings] = {}
    for architecture in architectures:
        plain = base.override(architecture=architecture)
        for combination in itertools.product(*choices):
            values = {name: value for name, _, value in combination}
            title = [f"{name}={text}" for name, text, _ in combination]
            if len(architectures) > 1 or not title:
                title.insert(0, architecture)
            rows[" ".join(title)] = plain.override(**values)
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
    if not names:
        raise SettingsError(
            "--architectures must be a list of names, or all. Got "
            f"{text!r}. Choose from {', '.join(ARCHITECTURES)}."
        )
    return list(dict.fromkeys(names))


def _choices(text: str, architectures: Sequence[str]) -> list[tuple[str, str, Any]]:
    """Parse ``setting=a,b`` into (setting, text of the value, value)."""
    name, _, values = text.partition("=")
    name = name.strip().replace("-", "_")
    texts = [part.strip() for part in values.split(";" if ";" in values else ",")]
    if not any(texts):
        raise SettingsError(f"--vary must be SETTING=A,B,… Got {text!r} instead.")
    options = {"seed": "--seeds N", "architecture": "--architectures A,B"}
    if name in options:
        raise SettingsError(f"--vary does not take {name!r}. Use {options[name]}.")
    sections = section_classes(architectures[0])
    section_name = section_of(name, sections)
    if section_name == "data":
        raise SettingsError(
            f"--vary does not take {name!r}: all rows are compared on one split. Give "
            f"it as an option."
        )
    section = sections[section_name]
    return [(name, text, parse_value(section, name, text)) for text in texts if text]
