"""``emoclf teach``: make a teacher of a transformer encoder and labelled texts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from emoclf.cli.data_options import add_data, read_data
from emoclf.cli.options import add_section, given_settings
from emoclf.cli.shared import (
    add_option,
    add_overwrite_option,
    new_command,
    print_json,
    print_lines,
)
from emoclf.contextual.fine_tune_settings import FineTuneSettings
from emoclf.errors import SettingsError
from emoclf.runtime import load_tensorflow
from emoclf.settings import DataSettings, RunSettings


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the command."""
    parser = new_command(
        subparsers,
        "teach",
        arguments="DATA --encoder NAME --fine-tune",
        help="fine-tune a transformer encoder on a labelled file",
        details="A part of the training texts chooses the epoch, so that the "
        "validation and test texts, which are those of 'emoclf train', stay unseen. "
        "The folder is one of transformers; 'emoclf predict', 'emoclf evaluate' and "
        "'emoclf distil' take it.",
        example="emoclf teach sentences.csv --fine-tune "
        "--encoder sentence-transformers/all-MiniLM-L6-v2 -o teacher",
    )
    text = "folder to write the teacher to"
    add_option(parser, "-o --output FOLDER", text, required=True)
    text = "folder of an encoder, or its name in the hub of Hugging Face"
    add_option(parser, "--encoder NAME", text, required=True)
    add_option(parser, "--fine-tune", "train all weights of the encoder")
    add_data(parser)
    add_overwrite_option(parser, "teacher or interrupted run")
    add_option(parser, "--resume", "continue an interrupted run")
    add_option(
        parser,
        "--seed N",
        "random seed of split, head, batches and dropout",
        default=RunSettings().seed,
    )
    add_section(parser, "fine-tuning settings", FineTuneSettings)
    add_section(parser, "data settings", DataSettings)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fine-tune on a labelled file."""
    if not args.fine_tune:
        raise SettingsError("Say how to make the teacher: --fine-tune.")
    return run_fine_tuning(args)


def run_fine_tuning(args: argparse.Namespace) -> int:
    """Fine-tune, evaluate, save, print."""
    given = given_settings(args)
    names = FineTuneSettings.names()
    settings = FineTuneSettings.from_dict(
        {name: given.pop(name) for name in names if name in given}
    )
    run_settings = RunSettings.from_flat(seed=args.seed, **given)
    load_tensorflow()
    from rich.console import Console
    from rich.progress import Progress

    from emoclf.workflow.teaching_run import check_teaching, run_teaching

    check_teaching(args.output, overwrite=args.overwrite, resume=args.resume)
    _, split = read_data(args, run_settings)
    bar = Progress(console=Console(stderr=True), transient=True, disable=args.quiet)
    with bar:
        task = bar.add_task("fine-tuning", total=None)
        teaching = run_teaching(
            split,
            args.encoder,
            args.output,
            settings,
            data_settings=run_settings.data,
            seed=args.seed,
            overwrite=args.overwrite,
            resume=args.resume,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if args.json:
        print_json({"path": str(teaching.path), **teaching.metrics})
        return 0
    print_lines(*teaching.report.lines(), "", f"Saved: {teaching.path}")
    path = teaching.path.as_posix()
    print_lines(
        "Load it: from emoclf import TransformerClassifier; "
        f"model = TransformerClassifier.load({path!r})"
    )
    return 0
