"""``emoclf evaluate``: evaluate a saved classifier on a labelled file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from emoclf.cli.options import add_config_option, add_section, given_settings
from emoclf.cli.report_option import (
    add_report_option,
    check_report_option,
    write_report_option,
)
from emoclf.cli.shared import as_file, new_command, print_json, print_lines
from emoclf.runtime import load_tensorflow
from emoclf.settings import DataSettings, RunSettings, read_settings_file

READING_SETTINGS = (
    "text_column",
    "label_column",
    "label_columns",
    "label_separator",
    "label_names",
    "header",
    "separator",
    "quoting",
    "encoding",
    "encoding_errors",
    "max_line_bytes",
    "skip_bad_rows",
)
#: Settings that belong to one file, not to all that a classifier may be evaluated on.
FILE_SETTINGS = ("format", "labels_file")


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the command."""
    parser = new_command(
        subparsers,
        "evaluate",
        arguments="MODEL DATA",
        help="evaluate a saved classifier on another labelled file",
        details="The file is read with the settings of the training file, unless "
        "options differ.",
        example="emoclf evaluate emotions.emoclf test.csv",
    )
    add_report_option(parser)
    add_config_option(parser)
    add_section(
        parser, "data settings", DataSettings, only=READING_SETTINGS + FILE_SETTINGS
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, predict, evaluate, print."""
    check_report_option(args)
    load_tensorflow()
    from emoclf.bulk.predict_chunks import load_classifier
    from emoclf.datasets.readers import read_dataset
    from emoclf.evaluation.evaluate import evaluate_part
    from emoclf.evaluation.evaluation_report import evaluation_lines

    classifier = load_classifier(args.model)
    # The defaults are the settings with which the training file was read.
    values = classifier.data_settings | {"skip_bad_rows": False}
    for name in FILE_SETTINGS:
        values.pop(name, None)
    if args.config:
        document = read_settings_file(args.config)
        RunSettings.from_dict(document)
        values |= document | document.get("data", {})
    given = given_settings(args)
    if given.keys() & {"label_column", "label_columns"}:
        # The other file may have another form of labels.
        values = {x: values[x] for x in values if not x.startswith("label_column")}
    values |= given
    names = READING_SETTINGS + FILE_SETTINGS
    settings = DataSettings(**{x: values[x] for x in names if x in values})
    with as_file(args.data) as data:
        dataset = read_dataset(data, settings, label_names=classifier.label_names)
    evaluation = evaluate_part(classifier, dataset, part=args.data)
    if args.json:
        print_json({**evaluation.to_dict(), "skipped": dataset.skipped})
    else:
        print_lines(*evaluation_lines(evaluation))
    report = write_report_option(args, evaluation, model=args.model)
    if report and not args.json:
        print_lines(f"Report: {report}")
    return 0
