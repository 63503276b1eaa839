"""``emoclf aspects train``: fit a tagger and a polarity classifier."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from typing import Any

from emoclf.cli import report_option
from emoclf.cli.bulk_runs import continued_with_resume
from emoclf.cli.options import add_section, given_settings
from emoclf.cli.shared import (
    HELP_ALL,
    add_option,
    add_overwrite_option,
    as_file,
    new_command,
    print_json,
    print_lines,
)
from emoclf.runtime import load_tensorflow

logger = logging.getLogger(__name__)

DATA_HELP = (
    "sentences with terms: XML of SemEval-2014 to 2016, CoNLL columns, JSON Lines with "
    "spans, or CSV with a row for each term; plain or .gz"
)
MAX_TEST_FRACTION = 0.9
#: Settings of the tagger that --help shows.
SHOWN = (
    "vectors network scheme typed members units epochs batch_size learning_rate "
    "patience valid_fraction seed"
).split()


def add_train(commands: Any, argv: Sequence[str]) -> None:
    """Add the command."""
    from emoclf.aspects.terms.aspect_settings import AspectSettings

    train = new_command(
        commands,
        "train",
        arguments="TERMS",
        help="train a tagger of terms and a classifier of their polarity",
        details="The sentences are split into a training set, a validation set that "
        "selects the epochs, and a test set, on which both are evaluated once.",
        example="emoclf aspects train Laptop_Train_v2.xml -o laptops.aspects",
    )
    train.add_argument("data", metavar="TERMS", help=DATA_HELP)
    text = "folder to write the model to"
    add_option(train, "-o --output FOLDER", text, required=True)
    report_option.add(train, has_overwrite=True)
    add_overwrite_option(train, "model, report or interrupted run")
    add_option(train, "--resume", "continue an interrupted run")
    add_option(train, "--valid FILE", "validation set, instead of a share of TERMS")
    add_option(train, "--test FILE", "test set, instead of a share of TERMS")
    add_option(
        train,
        "--test-fraction X",
        "share of the sentences in the test set; 0: none",
        default=0.15,
    )
    text = "transformer encoder for the polarity classifier (folder, or name on the "
    text += "Hugging Face Hub); needs the extra 'transformers'"
    add_option(train, "--encoder NAME", text)
    train.add_argument(
        "--learn-polarity",
        action=argparse.BooleanOptionalAction,
        help="learn the labels as polarities (default: if they are positive, "
        "negative, neutral or conflict)",
    )
    add_terms_options(train)
    text = "show all options; --help shows the common ones"
    train.add_argument(HELP_ALL, action="help", help=text)
    shown = None if HELP_ALL in argv else SHOWN
    title = "settings of the tagger (the polarity classifier shares some of them)"
    add_section(train, title, AspectSettings, shown=shown)
    train.set_defaults(run=run_train)


def add_terms_options(parser: Any) -> None:
    """Add the options of a file with sentences and terms."""
    from emoclf.aspects.data.aspect_formats import ASPECT_FORMATS

    add_option(
        parser,
        "--format",
        "file format of the terms (default: by the ending)",
        choices=tuple(ASPECT_FORMATS),
    )
    add_option(parser, "--encoding NAME", "encoding of CoNLL, JSON Lines and CSV")
    add_option(parser, "--text-column NAME", "column or key of the texts")


def read_terms(args: argparse.Namespace, path: str) -> Any:
    """Return the sentences of a file, read with the options of a command."""
    from emoclf.aspects.data.aspect_formats import read_aspects

    with as_file(path, ending=".jsonl") as file:
        return read_aspects(
            file,
            format=args.format,
            encoding=args.encoding or "utf-8",
            text_column=args.text_column,
        )


def run_train(args: argparse.Namespace) -> int:
    """Train, evaluate and save."""
    from emoclf.aspects.terms.aspect_settings import AspectSettings
    from emoclf.errors import SettingsError, setting

    given = given_settings(args)
    settings = AspectSettings.from_dict(given)
    if not 0 <= args.test_fraction <= MAX_TEST_FRACTION:
        raise SettingsError(
            f"{setting('test_fraction')} must be from 0 to {MAX_TEST_FRACTION}. Got "
            f"{args.test_fraction}."
        )
    if args.report and not (args.test or args.test_fraction):
        raise SettingsError(
            "--report shows the scores on a test set. Give --test, or a share of the "
            f"sentences: {setting('test_fraction')}."
        )
    report_option.check(args)
    load_tensorflow()
    from emoclf.aspects.aspect_checkpoints import AspectCheckpoints
    from emoclf.aspects.aspect_evaluation import plain_scores
    from emoclf.aspects.aspect_folder import ASPECTS
    from emoclf.aspects.aspect_model import AspectModel
    from emoclf.aspects.data.aspect_split import divide
    from emoclf.aspects.polarities.polarity_network import PolaritySettings
    from emoclf.workflow.train import checkpoint_folder
    from emoclf.workflow.training_run import check_start

    folder = checkpoint_folder(ASPECTS.place(args.output))
    checkpoints = AspectCheckpoints(folder, args.resume)
    check_start(
        args.output,
        overwrite=args.overwrite,
        resume=args.resume,
        interrupted=checkpoints.exist(),
        kind=ASPECTS,
    )
    data = read_terms(args, args.data)
    valid = read_terms(args, args.valid) if args.valid else None
    test = read_terms(args, args.test) if args.test else None
    for other in (valid, test):
        if other is not None:
            _warn_of_overlap(data, other)
    if test is None and args.test_fraction:
        shares = (1 - args.test_fraction, args.test_fraction)
        near = settings.near_duplicates
        parts = divide(data, shares, seed=settings.seed, near_duplicates=near)
        data, test = map(data.take, parts)
    polarity = {x: y for x, y in given.items() if x in PolaritySettings.names()}
    if args.encoder is not None:
        polarity["encoder"] = args.encoder
    with continued_with_resume(args, checkpoints.exist):
        model = AspectModel.train(
            data,
            valid=valid,
            tagger=settings,
            polarity=polarity,
            learn_polarity=args.learn_polarity,
            seed=settings.seed,
            verbose=not args.quiet,
            checkpoints=checkpoints,
        )
    path = model.save(args.output, overwrite=args.overwrite)
    evaluation = None
    if test is not None:
        evaluation = model.evaluate(test, train=data)
        model.tagger.parts_.metrics["test"] = {
            "model": evaluation.to_dict(),
            "baselines": plain_scores(evaluation.baseline_scores),
        }
        path = model.save(args.output, overwrite=True)
    checkpoints.remove()
    _print_training(args, model, evaluation, path)
    if evaluation is not None:
        report_option.write(args, evaluation, saved=path)
    return 0


def _print_training(
    args: argparse.Namespace, model: Any, evaluation: Any, path: Any
) -> None:
    from emoclf.aspects.aspect_evaluation import plain_scores

    validation: dict[str, Any] = {"terms": model.tagger.validation_}
    if model.polarity is not None:
        validation["polarity"] = model.polarity.validation_
    if args.json:
        baselines = evaluation.baseline_scores if evaluation else {}
        print_json(
            {
                "model": str(path),
                "validation": validation,
                "test": evaluation.to_dict() if evaluation else {},
                "test_baselines": plain_scores(baselines),
            }
        )
        return
    print_lines("Validation set, which also chose the epochs:")
    for name, metrics in model.tagger.validation_.items():
        print_lines(f"  terms, {name}: F1 {metrics['f1']:.3f}")
    for name, metrics in validation.get("polarity", {}).items():
        scores = "accuracy {accuracy:.3f}, macro-F1 {macro_f1:.3f}"
        print_lines(f"  polarity, {name}: {scores.format_map(metrics)}")
    if evaluation:
        print_lines("", "Test set:", *evaluation.lines())
    print_lines("", f"Saved: {path}")


def _warn_of_overlap(train: Any, other: Any) -> None:
    texts = {*train.texts}
    shared = sum(text in texts for text in other.texts)
    if shared:
        logger.warning(
            "%d of %d sentences of %s are in %s too; scores on them are too "
            "optimistic. Leave them out of one of the files.",
            shared,
            len(other),
            other.source,
            train.source,
        )
