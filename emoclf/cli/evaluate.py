"""``emoclf evaluate``: evaluate a saved classifier on a labelled file."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from emoclf.cli import report_option
from emoclf.cli.data_options import READING_SETTINGS
from emoclf.cli.options import add_config_option, add_section, given_settings
from emoclf.cli.shared import (
    add_encoder_option,
    add_option,
    as_file,
    encoder_options,
    model_argument,
    new_command,
    print_json,
    print_lines,
)
from emoclf.errors import DataError
from emoclf.runtime import load_tensorflow
from emoclf.settings import DataSettings, RunSettings, read_settings_file

if TYPE_CHECKING:
    from emoclf.classifier import Classifier
    from emoclf.evaluation.evaluation_report import EvaluationReport
    from emoclf.evaluation.metrics import Evaluation
    from emoclf.evaluation.paired_comparison import Comparison

#: Settings that say how to read texts with labels.
LABELLED_SETTINGS = (
    *READING_SETTINGS,
    *("label_column", "label_columns", "label_separator", "label_names"),
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
    add_option(
        parser,
        "--by COLUMN",
        "column of DATA; show the accuracy for each of its values; can be repeated",
        action="append",
        default=[],
    )
    add_option(
        parser,
        "--against MODEL",
        "second classifier, compared on the same texts by a paired bootstrap",
        type=model_argument,
    )
    add_encoder_option(parser)
    report_option.add(parser)
    add_config_option(parser)
    add_section(
        parser, "data settings", DataSettings, only=LABELLED_SETTINGS + FILE_SETTINGS
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, predict, evaluate, print."""
    report_option.check(args)
    load_tensorflow()
    from emoclf.bulk.predict_chunks import load_classifier
    from emoclf.datasets.readers import read_column, read_dataset
    from emoclf.evaluation.evaluate import evaluate_part
    from emoclf.evaluation.paired_comparison import compare
    from emoclf.evaluation.segments import segment_lines, segments, text_columns
    from emoclf.evaluation.text_tables import detail_lines, metric_lines, wrapped
    from emoclf.evaluation.training_overlap import training_overlap, warn_of_overlap

    classifier = load_classifier(args.model, **encoder_options(args))
    settings = _reading_settings(args, classifier)
    with as_file(args.data) as data:
        dataset = read_dataset(data, settings, label_names=classifier.label_names)
        cells = {name: read_column(data, name, settings) for name in args.by}
    evaluation = evaluate_part(classifier, dataset, part=args.data)
    overlap = training_overlap(classifier, dataset)
    remarks = warn_of_overlap(overlap, dataset, _base_name(args.model))
    columns: dict[str, Any] = text_columns(classifier, dataset.texts)
    if overlap is not None and overlap.any():
        columns["training text"] = ["yes" if one else "no" for one in overlap]
    for name, by_line in cells.items():
        assert dataset.lines is not None
        shown = f"{name} (column)" if name in columns else name
        columns[shown] = [by_line[line] for line in dataset.lines]
    assert evaluation.predictions is not None
    groups = segments(evaluation.predictions, columns)
    evaluations = [evaluation]
    comparisons: tuple[Comparison, ...] = ()
    if args.against:
        rival = load_classifier(args.against)
        _check_same_labels(classifier, rival)
        name = _base_name(args.against)
        other_overlap = training_overlap(rival, dataset)
        remarks += warn_of_overlap(other_overlap, dataset, name)
        other = evaluate_part(rival, dataset, part=args.data)
        # Two networks of one architecture have one name.
        evaluation = replace(evaluation, name=args.model)
        other = replace(other, name=args.against)
        evaluations = [evaluation, other]
        comparisons = compare(evaluation, other, dataset.label_ids)
    if args.json:
        print_json(
            {
                **evaluation.to_dict(),
                "skipped": dataset.skipped,
                "training_texts": None if overlap is None else int(overlap.sum()),
                "segments": [segment.to_dict() for segment in groups],
                "others": [other.to_dict() for other in evaluations[1:]],
                "comparisons": [comparison.to_dict() for comparison in comparisons],
            }
        )
    else:
        print_lines(*metric_lines(evaluations), "")
        for comparison in comparisons:
            sentence = f"{args.model} against {args.against}: {comparison.points}."
            print_lines(*wrapped(sentence))
        print_lines(*[""] * bool(comparisons), *detail_lines(evaluation), "")
        print_lines(*segment_lines(groups))
    if args.report:
        report_option.write(
            args,
            _page_report(evaluations, comparisons, remarks),
            model=args.model,
            segments=groups,
            classifier=classifier,
        )
    return 0


def _base_name(path: str) -> str:
    return os.path.basename(os.path.normpath(path))


def _page_report(
    evaluations: Sequence[Evaluation],
    comparisons: Sequence[Comparison],
    remarks: Sequence[str],
) -> EvaluationReport:
    """Return what a page shows, without the folders of the models and of the data."""
    from emoclf.evaluation.evaluation_report import EvaluationReport

    names = [_base_name(one.name) for one in evaluations]
    if len(set(names)) < len(names):
        names = [one.name for one in evaluations]
    shown = [
        replace(one, name=name, part=os.path.basename(one.part))
        for one, name in zip(evaluations, names, strict=True)
    ]
    compared = [
        replace(one, baseline=names[-1], part=shown[-1].part) for one in comparisons
    ]
    return EvaluationReport(
        tuple(shown),
        tuple(compared),
        against=bool(compared),
        remarks=tuple(remarks),
    )


def _reading_settings(args: argparse.Namespace, classifier: Classifier) -> DataSettings:
    """Return the settings that read the file."""
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
    names = LABELLED_SETTINGS + FILE_SETTINGS
    return DataSettings(**{x: values[x] for x in names if x in values})


def _check_same_labels(first: Classifier, second: Classifier) -> None:
    """Check that two classifiers can be compared."""
    if first.label_names == second.label_names:
        return
    first_names, second_names = set(first.label_names), set(second.label_names)
    if first_names == second_names:
        problem = "in the same order"
    else:
        unshared = [
            sorted(first_names - second_names),
            sorted(second_names - first_names),
        ]
        problem = "; ".join(
            f"the {which} alone has {', '.join(labels)}"
            for which, labels in zip(("first", "second"), unshared, strict=True)
            if labels
        )
    raise DataError(
        f"Both classifiers must have the same labels: {problem}. Evaluate each on its "
        "own file."
    )
