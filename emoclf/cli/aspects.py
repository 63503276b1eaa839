"""``emoclf aspects``: what reviews speak of, and what they say of each term."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from typing import Any

from emoclf.cli import report_option
from emoclf.cli.aspects_export import add_export_parser
from emoclf.cli.aspects_train import (
    DATA_HELP,
    add_terms_options,
    add_train,
    read_terms,
)
from emoclf.cli.bulk_runs import progress_bar, terminated_cleanly
from emoclf.cli.data_options import add_file_options, add_input
from emoclf.cli.options import given_settings
from emoclf.cli.shared import (
    add_encoder_option,
    add_option,
    encoder_options,
    new_command,
    new_group,
    print_json,
    print_json_or_lines,
    print_lines,
)
from emoclf.display import count_of

logger = logging.getLogger(__name__)

MODEL_HELP = "folder written by 'emoclf aspects train' or 'emoclf aspects export'"


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the commands."""
    text = "find aspect terms in reviews, and the polarity of each"
    commands = new_group(subparsers, "aspects", text)
    add_train(commands, argv)
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
    add_terms_options(evaluate)
    report_option.add(evaluate)
    evaluate.set_defaults(run=run_evaluate)
    add_export_parser(commands)


def _add_predict(commands: Any) -> None:
    predict = new_command(
        commands,
        "predict",
        arguments="FOLDER [INPUT]",
        help="find the terms of each text of a file or of standard input",
        example="emoclf aspects predict laptops.aspects reviews.csv -o terms.csv\n"
        "  emoclf aspects predict laptops.aspects reviews.csv --summary\n"
        "  emoclf aspects predict laptops.aspects reviews.csv --summary-plot t.svg",
        has_result=False,
    )
    predict.add_argument("model", metavar="FOLDER", help=MODEL_HELP)
    add_encoder_option(predict, "FOLDER")
    add_input(predict)
    add_option(
        predict,
        "-o --output FILE",
        "file to write, with all columns of the input: .jsonl, or .csv, .tsv or "
        ".parquet with a row for each term; default: terms on standard output",
    )
    add_option(predict, "--json", "print one JSON object per text on standard output")
    text = "print the most frequent terms instead, with the share of each polarity"
    add_option(predict, "--summary", text)
    text = "write a plot of the summary: .svg, .png or .pdf"
    add_option(predict, "--summary-plot FILE", text)
    add_option(predict, "--top N", "number of terms of the summary", default=20)
    text = "leave out terms of lower confidence"
    add_option(predict, "--min-confidence P", text, default=0.0)
    add_option(predict, "--quiet", "print no progress and no summary")
    add_file_options(predict, "terms", "output file or plot")
    predict.set_defaults(run=run_predict)


def run_evaluate(args: argparse.Namespace) -> int:
    """Score predictions on a labelled file."""
    report_option.check(args)
    from emoclf.aspects.exports.exported_aspects import load_aspect_predictor

    model = load_aspect_predictor(args.model, **encoder_options(args))
    evaluation = model.evaluate(read_terms(args, args.data))
    print_json_or_lines(args, evaluation)
    report_option.write(args, evaluation, model=args.model)
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
    if args.summary_plot:
        from emoclf.plots.plot_style import check_plot_file

        check_plot_file(args.summary_plot, overwrite=args.overwrite)
    from emoclf.aspects.aspect_prediction import predict_aspects
    from emoclf.aspects.exports.exported_aspects import load_aspect_predictor
    from emoclf.aspects.term_summary import TermSummary

    model = load_aspect_predictor(args.model, **encoder_options(args))
    summary = TermSummary()
    counts_terms = bool(args.summary or args.summary_plot)
    arguments = ("format", "prefix", "on_error", "min_confidence", "overwrite")
    progress = progress_bar(args, args.input, shows_output=not args.output)
    with terminated_cleanly(), progress as bar:
        counts = predict_aspects(
            model,
            "-" if args.input is None else args.input,
            None if args.summary else args.output or sys.stdout,
            output_format="jsonl" if args.json else "lines",
            summary=summary if counts_terms else None,
            report=bar and bar.show,
            **{name: getattr(args, name) for name in arguments},
            **given_settings(args),
        )
    if args.summary and args.json:
        print_json({"texts": summary.n_texts, "terms": summary.rows()[: args.top]})
    elif args.summary:
        print_lines(*summary.lines(args.top))
    if args.summary_plot:
        _write_plot(args, summary)
    if (args.output or counts.bad) and not args.quiet:
        bad = f"; {count_of('bad line', counts.bad)}" if counts.bad else ""
        destination = f": {args.output}" if args.output else ""
        logger.info(
            "Found %s in %s%s%s.",
            count_of("term", counts.terms),
            count_of("text", counts.texts),
            destination,
            bad,
        )
    return 0


def _write_plot(args: argparse.Namespace, summary: Any) -> None:
    from emoclf.errors import EmoclfError
    from emoclf.plots import save_plot

    try:
        if not summary.rows():
            texts = count_of("text", summary.n_texts)
            raise EmoclfError(f"no terms were found in {texts}.")
        plot = summary.plot(shown=args.top)
        save_plot(plot, args.summary_plot, overwrite=args.overwrite)
    except (EmoclfError, OSError) as error:
        reason = str(error).rstrip(".")
        done = f" {args.output} is complete." if args.output else ""
        raise EmoclfError(
            f"The plot {args.summary_plot} was not written: {reason}.{done}"
        ) from error
    if not args.quiet:
        logger.info("Plot: %s", args.summary_plot)
