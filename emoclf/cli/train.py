"""``emoclf train``: from a labelled file to a saved classifier and its figures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emoclf.cli.data_options import add_parts, parts_from
from emoclf.cli.options import add_settings, settings_from
from emoclf.cli.shared import add_output_options, new_command, print_json
from emoclf.runtime import load_tensorflow
from emoclf.settings import RunSettings

if TYPE_CHECKING:
    from emoclf.workflow.training_run import TrainingRun


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Describe the command."""
    parser = new_command(
        subparsers,
        "train",
        help="train, judge and save a classifier from a labelled file",
        example="emoclf train sentences.csv --vectors vectors.bin -o emotions.emoclf",
    )
    add_parts(parser)
    parser.add_argument("-o", "--output", required=True, help="bundle to write")
    add_training_options(parser)
    add_settings(parser, argv=argv)
    parser.set_defaults(run=run)


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Add what training commands share beside the settings."""
    parser.add_argument(
        "--overwrite", action="store_true", help="replace an older bundle or run"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with an interrupted run"
    )
    parser.add_argument(
        "--tensorboard", metavar="DIR", help="write logs for TensorBoard"
    )
    add_output_options(parser)


def run(args: argparse.Namespace) -> int:
    """Train on the user's own file."""
    settings = settings_from(args)
    load_tensorflow()
    from emoclf.workflow.training_run import check_start, run_training

    check_start(args.output, overwrite=args.overwrite, resume=args.resume)
    dataset, split = parts_from(args, settings)
    job = run_training(
        dataset,
        split,
        settings,
        output=args.output,
        overwrite=args.overwrite,
        resume=args.resume,
        callbacks=callbacks_for(args, settings),
    )
    print_job(job, as_json=args.json)
    return 0


def callbacks_for(args: argparse.Namespace, settings: RunSettings) -> list[Any]:
    """Return the callbacks that the options ask for."""
    import keras

    from emoclf.training.progress import TrainingProgress

    found: list[Any] = []
    if not args.quiet:
        found.append(TrainingProgress(settings.training.epochs))
    if args.tensorboard:
        found.append(keras.callbacks.TensorBoard(args.tensorboard))
    return found


def print_job(job: TrainingRun, *, as_json: bool) -> None:
    """Print figures, verdict, and where the bundle is."""
    if as_json:
        metrics = job.trained.bundle.metrics
        print_json({"bundle": str(job.path), **metrics})
        return
    result = job.trained.result
    print(
        f"Epoch {result.best_epoch} of {result.epochs} was the best on the validation "
        f"part (ended: {result.ended}; {result.seconds:.0f} s of training)."
    )
    for finding in result.findings:
        print("\n".join(finding.lines()))
    print()
    print("\n".join(job.report.lines()))
    print()
    print(f"Saved: {job.path}")
    path = Path(str(job.path)).as_posix()
    print(f"Load it: from emoclf import Predictor; model = Predictor.load({path!r})")
