"""``emoclf demo``: train and try a classifier on the bundled corpus."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from emoclf.cli.options import add_settings, settings_from
from emoclf.cli.shared import add_option, new_command, print_lines
from emoclf.cli.train import add_training_options, callbacks_for, print_run
from emoclf.runtime import load_tensorflow

OUTPUT = "demo.emoclf"
CORPUS = "the bundled corpus"
DEMO_TEXTS = (
    "They had kept a seat for me, with balloons on it.",
    "He read my diary aloud to the whole class.",
    "Something was breathing behind the cellar door.",
    "I told her I was ill and went to the match instead.",
    "There was a hair in the soup, and it was not mine.",
    "Grandfather's chair has been empty since March.",
    "The landlord kept our deposit and laughed about it.",
)


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the command."""
    parser = new_command(
        subparsers,
        "demo",
        help="train and try a classifier on the bundled corpus (a minute)",
        example="emoclf demo --output demo.emoclf",
    )
    text = "folder to write the classifier to"
    add_option(parser, "-o --output FOLDER", text, default=OUTPUT)
    add_training_options(parser)
    add_settings(parser, argv=argv, only=("text", "embedding", "model", "training"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train on the bundled corpus, and predict a few other sentences."""
    settings = settings_from(args)
    load_tensorflow()
    from emoclf.datasets.sample import load_sample
    from emoclf.datasets.split import split_dataset
    from emoclf.workflow.train import checkpoint_folder
    from emoclf.workflow.training_run import run_training

    dataset = replace(load_sample(), source=CORPUS)
    # An earlier demo may be replaced or continued unasked, other folders may not.
    overwrite = args.overwrite or _is_demo(args.output)
    interrupted = not overwrite and checkpoint_folder(args.output).exists()
    training = run_training(
        dataset,
        split_dataset(dataset, settings.data, seed=settings.seed),
        settings,
        output=args.output,
        overwrite=overwrite,
        resume=args.resume or (interrupted and args.output == OUTPUT),
        callbacks=callbacks_for(args, settings),
    )
    if not args.json:
        print_lines("Predictions for sentences outside the corpus:")
        predictions = training.trained.predictor.predict_stream(DEMO_TEXTS)
        for text, prediction in zip(DEMO_TEXTS, predictions, strict=True):
            ranked = sorted(prediction.probabilities.items(), key=lambda item: -item[1])
            labels = "  ".join(f"{name} {p:.2f}" for name, p in ranked[:3])
            print_lines(f"  {text:<58} {labels}")
        print_lines()
    print_run(training, as_json=args.json)
    return 0


def _is_demo(path: str) -> bool:
    """Return whether a path is a bundle that the demo wrote."""
    try:
        metrics = json.loads((Path(path) / "figures.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(metrics, dict) and metrics.get("source") == CORPUS
