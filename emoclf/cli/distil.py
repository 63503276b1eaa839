"""``emoclf distil``: train a small classifier on the predictions of a larger one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emoclf.cli import report_option
from emoclf.cli.bulk_runs import continued_with_resume
from emoclf.cli.data_options import add_data, read_data
from emoclf.cli.options import (
    add_section,
    add_settings,
    errors_name_options,
    given_settings,
    pop_settings,
)
from emoclf.cli.shared import add_option, new_command
from emoclf.cli.train import add_training_options, print_run, tensorboard_callbacks
from emoclf.errors import SettingsError
from emoclf.runtime import load_tensorflow
from emoclf.settings import RunSettings, read_settings_file

#: Table of a settings file with the settings of the distillation.
TABLE = "distillation"


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the command."""
    from emoclf.distillation.distillation_settings import DistillationSettings

    parser = new_command(
        subparsers,
        "distil",
        arguments="DATA",
        help="train a small, fast classifier (student) on the predictions of teachers",
        details="The student learns the teachers' probabilities for unlabelled texts, "
        "and then the true labels. It is an ordinary classifier, which can be exported "
        "and explained.",
        example="emoclf distil sentences.csv --teacher teacher.emoclf\n"
        "    --unlabelled more.txt -o student.emoclf",
    )
    text = "folder to write the student to"
    add_option(parser, "-o --output FOLDER", text, required=True)
    text = (
        "classifier with the same labels, as a teacher: a folder written by emoclf; "
        "the probabilities of several teachers are averaged"
    )
    add_option(parser, "--teacher MODEL,…", text)
    text = (
        "file of texts with a column of probabilities for each label, or a column of "
        "labels, as a teacher; can be repeated"
    )
    add_option(parser, "--teacher-labels FILE", text, action="append", default=[])
    text = "transformer encoder of the teachers, if it is not where it was in training"
    add_option(parser, "--teacher-encoder FOLDER", text)
    text = (
        "file of texts of the same kind, without labels; can be repeated (default: "
        "texts made from the training texts, which often help less)"
    )
    add_option(parser, "--unlabelled FILE", text, action="append", default=[])
    text = (
        "file of 'emoclf crossval --out-of-fold' with probabilities of the training "
        "texts; used instead of the teachers' predictions, which are overconfident on "
        "texts that they were trained on"
    )
    add_option(parser, "--out-of-fold FILE", text)
    text = (
        "folder that keeps the teachers' predictions for other students (default: "
        "beside the output, until the student is saved)"
    )
    add_option(parser, "--predictions FOLDER", text)
    report_option.add(parser, has_overwrite=True)
    add_data(parser)
    add_training_options(parser, "classifier, report or interrupted run")
    add_section(parser, "distillation settings", DistillationSettings)
    add_settings(parser, argv=argv)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Distil a student from a labelled file, teachers and unlabelled texts."""
    settings, distillation = _settings(args)
    report_option.check(args)
    load_tensorflow()
    from emoclf.distillation.distillation_folder import DistillationFolder
    from emoclf.distillation.distillation_run import (
        check_distillation,
        run_distillation,
    )
    from emoclf.workflow.train import checkpoint_folder

    check_distillation(args.output, overwrite=args.overwrite, resume=args.resume)
    dataset, split = read_data(args, settings)
    folder = DistillationFolder(checkpoint_folder(args.output))
    with continued_with_resume(args, folder.exists):
        training = run_distillation(
            dataset,
            split,
            settings,
            teacher=args.teacher,
            teacher_labels=[Path(name) for name in args.teacher_labels],
            teacher_encoder=args.teacher_encoder,
            unlabelled=[Path(name) for name in args.unlabelled] or None,
            out_of_fold=args.out_of_fold,
            distillation=distillation,
            predictions=args.predictions,
            output=args.output,
            overwrite=args.overwrite,
            resume=args.resume,
            callbacks=tensorboard_callbacks(args),
            verbose=not args.quiet,
        )
    print_run(training, as_json=args.json)
    report_option.write(args, training, saved=training.path)
    return 0


def _settings(args: argparse.Namespace) -> tuple[RunSettings, Any]:
    """Return the settings of the student, and those of the distillation."""
    from emoclf.distillation.distillation_settings import DistillationSettings

    values = read_settings_file(args.config) if args.config else {}
    given = given_settings(args)
    own = pop_settings(DistillationSettings, given)
    table = values.pop(TABLE, {})
    if not isinstance(table, dict):
        raise SettingsError(
            f"'{TABLE}' is a section and must be a table of settings, for instance "
            f"{TABLE}.true_share. Got {table!r}."
        )
    with errors_name_options(args):
        distillation = DistillationSettings.of(table | own)
        return RunSettings.from_dict(values, given), distillation
