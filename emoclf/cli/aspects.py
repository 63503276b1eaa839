"""``emoclf aspects``: what reviews speak of, and what they say of each term."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from typing import Any

from emoclf.bulk.output_formats import ON_ERROR
from emoclf.cli.bulk_runs import progress_bar, terminated_cleanly
from emoclf.cli.data_options import add_reading_options
from emoclf.cli.options import add_section, given_settings
from emoclf.cli.shared import (
    HELP_ALL,
    add_encoder_option,
    add_option,
    add_overwrite_option,
    as_file,
    encoder_options,
    new_command,
    print_json,
    print_lines,
)
from emoclf.display import align
from emoclf.runtime import load_tensorflow

logger = logging.getLogger(__name__)

DATA_HELP = (
    "sentences with terms: XML of SemEval-2014 to 2016, CoNLL columns, JSON Lines with "
    "spans, or CSV with a row for each term; plain or .gz"
)
MODEL_HELP = "folder written by 'emoclf aspects train'"
MAX_TEST_FRACTION = 0.9
#: Settings of the tagger that --help shows.
SHOWN = (
    "vectors network scheme typed members units epochs batch_size learning_rate "
    "patience valid_fraction seed"
).split()


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the commands."""
    parser = subparsers.add_parser(
        "aspects",
        help="find the terms that reviews speak of, and what they say of each",
        usage="%(prog)s COMMAND [OPTIONS]",
        description="Find the terms that reviews speak of, and what they say of each.",
    )
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, prog="emoclf aspects"
    )
    _add_train(commands, argv)
    _add_predict(commands)
    evaluate = new_command(
        commands,
        "evaluate",
        arguments="FOLDER TERMS",
        help="score the terms and polarities of a labelled file",
        example="emoclf aspects evaluate laptops.aspects test.xml",
    )
    evaluate.add_argument("model", metavar="FOLDER", help=MODEL_HELP)
    evaluate.add_argument("data", metavar="TERMS", help=DATA_HELP)
    add_encoder_option(evaluate, "FOLDER")
    _add_data_options(evaluate)
    evaluate.set_defaults(run=run_evaluate)


def _add_data_options(parser: Any) -> None:
    from emoclf.aspects.aspect_formats import ASPECT_FORMATS

    add_option(
        parser,
        "--format",
        "file format of the terms (default: by the ending)",
        choices=tuple(ASPECT_FORMATS),
    )
    add_option(parser, "--encoding NAME", "encoding of CoNLL, JSON Lines and CSV")
    add_option(parser, "--text-column NAME", "column or key of the texts")


def _add_train(commands: Any, argv: Sequence[str]) -> None:
    from emoclf.aspects.aspect_settings import AspectSettings

    train = new_command(
        commands,
        "train",
        arguments="TERMS",
        help="train a tagger of terms and a classifier of their polarity",
        details="A share of the sentences chooses the epochs, another one is the test "
        "set, on which both are evaluated once.",
        example="emoclf aspects train Laptop_Train_v2.xml -o laptops.aspects",
    )
    train.add_argument("data", metavar="TERMS", help=DATA_HELP)
    text = "folder to write the model to"
    add_option(train, "-o --output FOLDER", text, required=True)
    add_overwrite_option(train, "model")
    add_option(train, "--valid FILE", "validation set, instead of a share of TERMS")
    add_option(train, "--test FILE", "test set, instead of a share of TERMS")
    add_option(
        train,
        "--test-fraction X",
        "share of the sentences in the test set; 0: none",
        default=0.15,
    )
    text = "transformer encoder (folder, or name in the hub of Hugging Face) whose "
    text += "vectors help to tell polarities; needs the extra 'contextual'"
    add_option(train, "--encoder NAME", text)
    train.add_argument(
        "--learn-polarity",
        action=argparse.BooleanOptionalAction,
        help="train a polarity classifier of the labels (default: if they are "
        "positive, negative, neutral or conflict)",
    )
    _add_data_options(train)
    text = "show all options; --help shows the common ones"
    train.add_argument(HELP_ALL, action="help", help=text)
    shown = None if HELP_ALL in argv else SHOWN
    title = "settings of the tagger, and of the polarity classifier where it has them"
    add_section(train, title, AspectSettings, shown=shown)
    train.set_defaults(run=run_train)


def _add_predict(commands: Any) -> None:
    predict = new_command(
        commands,
        "predict",
        arguments="FOLDER [INPUT]",
        help="find the terms of each text of a file or of standard input",
        example="emoclf aspects predict laptops.aspects reviews.csv -o terms.csv\n"
        "  emoclf aspects predict laptops.aspects reviews.csv --summary",
        has_result=False,
    )
    predict.add_argument("model", metavar="FOLDER", help=MODEL_HELP)
    add_encoder_option(predict, "FOLDER")
    predict.add_argument(
        "input",
        nargs="?",
        default="-",
        metavar="INPUT",
        help="CSV, TSV, JSON Lines, Parquet, or one text per line; plain or .gz "
        "(default: standard input)",
    )
    add_option(
        predict,
        "-o --output FILE",
        "file to write, with all columns of the input: .jsonl, or .csv, .tsv or "
        ".parquet with a row for each term; default: terms on standard output",
    )
    add_option(predict, "--json", "print one JSON object per text on standard output")
    text = "print the terms most spoken of instead, with the share of each polarity"
    add_option(predict, "--summary", text)
    add_option(predict, "--top N", "number of terms of the summary", default=20)
    text = "leave out terms of lower confidence"
    add_option(predict, "--min-confidence P", text, default=0.0)
    add_option(predict, "--quiet", "print no progress and no summary")
    group = predict.add_argument_group("options for files")
    add_reading_options(group)
    add_option(
        group,
        "--on-error",
        "reaction to a bad line: stop; skip it; or keep it without terms",
        choices=ON_ERROR,
        default="stop",
    )
    add_option(
        group,
        "--prefix TEXT",
        "prefix of the new columns' names (default: predicted_ if the input has such "
        "columns, as a labelled file does)",
    )
    add_overwrite_option(group, "output file")
    predict.set_defaults(run=run_predict)


def _read(args: argparse.Namespace, path: str) -> Any:
    from emoclf.aspects.aspect_formats import read_aspects

    with as_file(path, ending=".jsonl") as file:
        return read_aspects(
            file,
            format=args.format,
            encoding=args.encoding or "utf-8",
            text_column=args.text_column,
        )


def run_train(args: argparse.Namespace) -> int:
    """Train, evaluate and save."""
    from emoclf.aspects.aspect_settings import AspectSettings
    from emoclf.errors import SettingsError, setting

    given = given_settings(args)
    settings = AspectSettings.from_dict(given)
    if not 0 <= args.test_fraction <= MAX_TEST_FRACTION:
        raise SettingsError(
            f"{setting('test_fraction')} must be from 0 to {MAX_TEST_FRACTION}. Got "
            f"{args.test_fraction}."
        )
    load_tensorflow()
    from emoclf.aspects.aspect_folder import ASPECTS
    from emoclf.aspects.aspect_model import AspectModel
    from emoclf.aspects.aspect_split import divide
    from emoclf.aspects.polarity_network import PolaritySettings

    ASPECTS.check_target(args.output, overwrite=args.overwrite)
    data = _read(args, args.data)
    valid = _read(args, args.valid) if args.valid else None
    test = None
    if args.test:
        test = _read(args, args.test)
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
    model = AspectModel.train(
        data,
        valid=valid,
        tagger=settings,
        polarity=polarity,
        learn_polarity=args.learn_polarity,
        seed=settings.seed,
        verbose=not args.quiet,
    )
    path = model.save(args.output, overwrite=args.overwrite)
    scores: dict[str, Any] = {}
    baselines: dict[str, Any] = {}
    if test is not None:
        scores, baselines = model.evaluate(test), model.baselines(data, test)
        figures = {"model": _plain(scores), "baselines": _plain(baselines)}
        model.tagger.parts_.metrics["test"] = figures
        path = model.save(args.output, overwrite=True)
    validation: dict[str, Any] = {"terms": model.tagger.validation_}
    if model.polarity is not None:
        validation["polarity"] = model.polarity.validation_
    if args.json:
        print_json(
            {
                "model": str(path),
                "validation": validation,
                "test": _plain(scores),
                "test_baselines": _plain(baselines),
            }
        )
        return 0
    print_lines("Validation set, which also chose the epochs:")
    for name, found in model.tagger.validation_.items():
        print_lines(f"  terms, {name}: F1 {found['f1']:.3f}")
    _print_polarities(validation.get("polarity", {}), indent="  ")
    if scores:
        print_lines("", "Test set:")
        _print_scores(scores)
        words = "terms, dictionary of the training terms"
        print_lines(f"{words}: F1 {baselines['terms'].f1:.3f}")
        _print_polarities(baselines.get("polarity", {}))
    print_lines("", f"Saved: {path}")
    return 0


def run_evaluate(args: argparse.Namespace) -> int:
    """Score predictions on a labelled file."""
    load_tensorflow()
    from emoclf.aspects.aspect_model import AspectModel

    model = AspectModel.load(args.model, **encoder_options(args))
    scores = model.evaluate(_read(args, args.data))
    if args.json:
        print_json(_plain(scores))
    else:
        _print_scores(scores)
    return 0


def run_predict(args: argparse.Namespace) -> int:
    """Find the terms of texts as they arrive, in constant memory."""
    from emoclf.errors import SettingsError, setting

    if args.top < 1:
        raise SettingsError(f"{setting('top')} must be at least 1. Got {args.top}.")
    if args.output and (args.json or args.summary):
        raise SettingsError(
            "--json and --summary are for standard output. With --output the file's "
            "ending sets the format."
        )
    load_tensorflow()
    from emoclf.aspects.aspect_model import AspectModel
    from emoclf.aspects.aspect_prediction import predict_aspects
    from emoclf.aspects.term_summary import TermSummary

    model = AspectModel.load(args.model, **encoder_options(args))
    summary = TermSummary() if args.summary else None
    arguments = ("format", "prefix", "on_error", "min_confidence", "overwrite")
    with terminated_cleanly(), progress_bar(args) as bar:
        counts = predict_aspects(
            model,
            args.input,
            None if args.summary else args.output or sys.stdout,
            output_format="jsonl" if args.json else "lines",
            summary=summary,
            report=bar and bar.show,
            **{name: getattr(args, name) for name in arguments},
            **given_settings(args),
        )
    if summary is not None and args.json:
        print_json({"texts": summary.n_texts, "terms": summary.rows()[: args.top]})
    elif summary is not None:
        print_lines(*summary.lines(args.top))
    if (args.output or counts.bad) and not args.quiet:
        bad = f"; {counts.bad:,} bad lines" if counts.bad else ""
        place = f": {args.output}" if args.output else ""
        logger.info(
            "Found %s terms in %s texts%s%s.",
            f"{counts.terms:,}",
            f"{counts.texts:,}",
            place,
            bad,
        )
    return 0


def _print_scores(scores: dict[str, Any]) -> None:
    print_lines(*scores["terms"].lines())
    if not (found := scores.get("polarity")):
        return
    both = scores["both"]
    print_lines(
        f"terms with the right polarity: precision {both.precision:.3f}, recall "
        f"{both.recall:.3f}, F1 {both.f1:.3f}",
        f"polarity of {found['n']:,} true terms: accuracy {found['accuracy']:.3f}, "
        f"macro-F1 {found['macro_f1']:.3f}",
    )
    names = list(found["classes"])
    rows = [["polarity", "precision", "recall", "F1", "terms"]]
    rows[0] += [f"as {name}" for name in names]
    for name, row in found["classes"].items():
        shares = [f"{row[x]:.3f}" for x in ("precision", "recall", "f1")]
        counts = [f"{found['confusion'][name][other]:,}" for other in names]
        rows.append([name, *shares, f"{row['n']:,}", *counts])
    print_lines(*align(rows))


def _print_polarities(scores: dict[str, Any], indent: str = "") -> None:
    for name, found in scores.items():
        line = f"accuracy {found['accuracy']:.3f}, macro-F1 {found['macro_f1']:.3f}"
        print_lines(f"{indent}polarity, {name}: {line}")


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


def _plain(scores: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.to_dict() if hasattr(value, "to_dict") else value
        for name, value in scores.items()
    }
