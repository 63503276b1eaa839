"""``emoclf train``: train, evaluate and save a classifier."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emoclf.bundle.summary import without_hashes
from emoclf.cli import report_option
from emoclf.cli.bulk_runs import continued_with_resume
from emoclf.cli.data_options import add_data, read_data
from emoclf.cli.options import add_settings, settings_from
from emoclf.cli.shared import (
    add_option,
    add_overwrite_option,
    new_command,
    print_json,
    print_lines,
)
from emoclf.errors import SettingsError
from emoclf.runtime import load_tensorflow
from emoclf.settings import RunSettings

if TYPE_CHECKING:
    from emoclf.workflow.training_run import TrainingRun


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the command."""
    parser = new_command(
        subparsers,
        "train",
        arguments="DATA",
        help="train, evaluate and save a classifier from a labelled file",
        example="emoclf train sentences.csv --vectors vectors.bin -o emotions.emoclf",
    )
    add_options(parser, argv)
    parser.set_defaults(run=run)


def add_options(
    parser: argparse.ArgumentParser, argv: Sequence[str], **options: Any
) -> None:
    """Add the options of :func:`run`; ``options`` are those of the settings."""
    text = "folder to write the classifier to"
    add_option(parser, "-o --output FOLDER", text, required=True)
    report_option.add(parser, has_overwrite=True)
    add_data(parser)
    add_training_options(parser, "classifier, report or interrupted run")
    add_settings(parser, argv=argv, **options)
    add_option(
        parser,
        "--refit",
        "fit the classifier again on all labelled texts before it is saved, for the "
        "epochs that the validation set chose; the metrics are those of the first fit",
    )


def add_training_options(
    parser: argparse.ArgumentParser, replaced: str = "classifier or interrupted run"
) -> None:
    """Add the options of commands that train, except for the settings."""
    add_overwrite_option(parser, replaced)
    add_option(parser, "--resume", "continue an interrupted run")
    add_option(parser, "--tensorboard FOLDER", "folder for TensorBoard logs")


def run(args: argparse.Namespace) -> int:
    """Train on a labelled file."""
    settings = settings_from(args)
    report_option.check(args)
    load_tensorflow()
    from emoclf.training.checkpoint import CheckpointFolder
    from emoclf.workflow.training_run import check_start, run_training

    checkpoint = check_start(args.output, overwrite=args.overwrite, resume=args.resume)
    dataset, split = read_data(args, settings)
    with continued_with_resume(args, CheckpointFolder(checkpoint, {}).exists):
        training = run_training(
            dataset,
            split,
            settings,
            output=args.output,
            overwrite=args.overwrite,
            resume=args.resume,
            callbacks=callbacks_for(args, settings),
            refit=args.refit,
        )
    print_run(training, as_json=args.json)
    report_option.write(args, training, saved=training.path)
    return 0


def callbacks_for(args: argparse.Namespace, settings: RunSettings) -> list[Any]:
    """Return the callbacks that the options ask for."""
    from emoclf.training.progress import TrainingProgress

    callbacks: list[Any] = []
    if not args.quiet:
        callbacks.append(TrainingProgress(settings.training.epochs))
    return [*callbacks, *tensorboard_callbacks(args)]


def tensorboard_callbacks(args: argparse.Namespace) -> list[Any]:
    """Return the callback that ``--tensorboard`` asks for, if it does."""
    import keras

    folder = tensorboard_folder(args)
    return [keras.callbacks.TensorBoard(folder)] if folder else []


def tensorboard_folder(args: argparse.Namespace) -> str | None:
    """Return the folder of ``--tensorboard``, if it was given; refuse a file."""
    folder: str | None = getattr(args, "tensorboard", None)
    if folder and Path(folder).is_file():
        raise SettingsError(f"--tensorboard takes a folder. Got the file {folder}.")
    return folder


def print_run(training: TrainingRun, *, as_json: bool) -> None:
    """Print findings, metrics, the verdict and the path of the bundle."""
    from emoclf.evaluation.temperature import calibration_sentence
    from emoclf.evaluation.text_tables import wrapped

    if as_json:
        metrics = without_hashes(training.trained.bundle.metrics)
        print_json({"bundle": str(training.path), **metrics})
        return
    result = training.trained.result
    sentence = (
        f"Epoch {result.best_epoch} of {result.epochs} was the best on the validation "
        f"set (ended: {result.ended}; {result.seconds:.0f} s of training)."
    )
    scaling = calibration_sentence(training.trained.bundle.metrics)
    print_lines(*wrapped(sentence), *wrapped(scaling))
    for finding in result.findings:
        print_lines(*finding.lines())
    print_lines()
    print_lines(*training.report.lines())
    print_lines()
    print_lines(f"Saved: {training.path}")
    path = Path(str(training.path)).as_posix()
    print_lines(
        f"Load it: from emoclf import Predictor; model = Predictor.load({path!r})"
    )
