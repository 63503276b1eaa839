"""``emoclf teach``: make a teacher of a transformer encoder and labelled texts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from typing import Any

from emoclf.cli import train
from emoclf.cli.bulk_runs import continued_with_resume, step_bars
from emoclf.cli.data_options import add_data, read_data
from emoclf.cli.options import PREFIX, add_section, given_settings, pop_settings
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
from emoclf.settings import DataSettings, RunSettings, read_settings_file

#: Network of a teacher whose encoder stays as it is.
HEAD = "sentence_head"
FINE_TUNE = "--fine-tune"


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the command; ``--fine-tune`` decides the other options."""
    parser = new_command(
        subparsers,
        "teach",
        arguments="DATA --encoder NAME",
        help="train a teacher for 'emoclf distil': a transformer encoder on labels",
        details="By default the encoder is frozen, and a linear layer on its sentence "
        "vectors is trained within minutes, as by 'emoclf train --architecture "
        f"{HEAD} --encoder NAME'; the validation set selects the epoch and the "
        "temperature. With --fine-tune all weights are trained; a held-out part of the "
        "training texts selects the epoch, so that validation and test texts stay "
        "unseen. The transformers library can load the result. Options: 'emoclf teach "
        "--fine-tune --help'.",
        example="emoclf teach data.csv --encoder all-mpnet-base-v2 -o teacher.emoclf\n"
        "  emoclf teach data.csv --encoder all-MiniLM-L6-v2 --fine-tune -o teacher",
    )
    text = "train all weights of the encoder; see --fine-tune --help for its settings"
    add_option(parser, FINE_TUNE, text)
    if FINE_TUNE in argv:
        _add_fine_tuning(parser)
        parser.set_defaults(run=run_fine_tuning)
    else:
        train.add_options(parser, argv, architecture=HEAD)
        parser.set_defaults(run=run_head)


def _add_fine_tuning(parser: argparse.ArgumentParser) -> None:
    text = "folder to write the teacher to"
    add_option(parser, "-o --output FOLDER", text, required=True)
    text = "folder of an encoder, or its name on the Hugging Face Hub"
    add_option(parser, "--encoder NAME", text, required=True)
    add_data(parser)
    add_overwrite_option(parser, "teacher or interrupted run")
    add_option(parser, "--resume", "continue an interrupted run")
    seed = RunSettings().seed
    text = "random seed of split, head, batches and dropout"
    add_option(parser, "--seed N", text, default=seed)
    add_section(parser, "fine-tuning settings", FineTuneSettings)
    add_section(parser, "data settings", DataSettings)


def run_head(args: argparse.Namespace) -> int:
    """Train a head on the vectors of an encoder that stays as it is."""
    given = read_settings_file(args.config) if args.config else {}
    given = given | given.get("embedding", {}) | given_settings(args)
    if given.get("encoder") is None:
        raise SettingsError(
            "A teacher needs an encoder. Give its folder, or its name on the Hugging "
            "Face Hub: --encoder NAME."
        )
    if "architecture" not in given:
        setattr(args, f"{PREFIX}architecture", HEAD)
    return train.run(args)


def run_fine_tuning(args: argparse.Namespace) -> int:
    """Fine-tune, evaluate, save, print."""
    given = given_settings(args)
    settings = FineTuneSettings.from_dict(pop_settings(FineTuneSettings, given))
    run_settings = RunSettings.from_flat(seed=args.seed, **given)
    load_tensorflow()
    from emoclf.bundle.summary import without_hashes
    from emoclf.contextual.fine_tune import has_checkpoint
    from emoclf.workflow.teaching_run import check_teaching, run_teaching

    checkpoint = check_teaching(
        args.output, overwrite=args.overwrite, resume=args.resume
    )
    _, split = read_data(args, run_settings)
    with (
        continued_with_resume(args, partial(has_checkpoint, checkpoint)),
        step_bars(args, "fine-tuning") as show,
    ):
        teaching = run_teaching(
            split,
            args.encoder,
            args.output,
            settings,
            data_settings=run_settings.data,
            seed=args.seed,
            overwrite=args.overwrite,
            resume=args.resume,
            progress=partial(show, "fine-tuning"),
        )
    if args.json:
        print_json({"path": str(teaching.path), **without_hashes(teaching.metrics)})
        return 0
    print_lines(*teaching.report.lines(), "", f"Saved: {teaching.path}")
    path = teaching.path.as_posix()
    print_lines(
        "Load it: from emoclf import TransformerClassifier; "
        f"model = TransformerClassifier.load({path!r})"
    )
    return 0
