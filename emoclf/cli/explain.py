"""``emoclf explain``: show what each word of a text adds to its prediction."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from emoclf.bulk.output_formats import ON_ERROR
from emoclf.cli.bulk_runs import progress_bar
from emoclf.cli.data_options import add_reading_options
from emoclf.cli.options import given_settings
from emoclf.cli.shared import (
    add_encoder_option,
    add_option,
    add_overwrite_option,
    encoder_options,
    new_command,
    print_json,
    print_lines,
)
from emoclf.datasets.data_files import check_file
from emoclf.errors import SettingsError, setting
from emoclf.files import check_new_file, write_atomically
from emoclf.runtime import load_tensorflow
from emoclf.settings import DataSettings

#: As in ``emoclf.explain``, whose modules load NumPy.
METHODS = ("auto", "exact", "integrated-gradients", "occlusion")


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the command."""
    parser = new_command(
        subparsers,
        "explain",
        arguments="MODEL [TEXT…]",
        help="show what each word of a text adds to its prediction",
        details="Texts are arguments, or lines of standard input. With --corpus, show "
        "the phrases that drive each label over a file.",
        example=(
            'emoclf explain emotions-en "I can\'t believe she left"\n'
            "  emoclf explain emotions.emoclf --corpus sentences.csv"
        ),
    )
    parser.add_argument(
        "texts",
        nargs="*",
        metavar="TEXT",
        help="texts to explain (default: the lines of standard input)",
    )
    add_option(
        parser,
        "--text TEXT",
        "text to explain; can be repeated",
        action="append",
        default=[],
    )
    add_option(
        parser, "--label LABEL", "label to explain (default: the predicted ones)"
    )
    add_option(
        parser,
        "--method",
        "method of explanation: exact (networks that are sums over n-grams), "
        "integrated-gradients (bundles of networks that take words), or occlusion "
        "(predictions without each word); auto: the first that MODEL supports",
        choices=METHODS,
        default="auto",
    )
    add_encoder_option(parser)
    add_option(parser, "--html FILE", "page of HTML to write instead")
    add_overwrite_option(parser, "page")
    group = parser.add_argument_group("options for a corpus")
    text = "file of texts over which the contributions of phrases are summed; -: stdin"
    add_option(group, "--corpus FILE", text)
    add_option(group, "--top N", "number of phrases for each label", default=20)
    text = "minimum number of texts that contain a phrase"
    add_option(group, "--min-count N", text, default=2)
    add_reading_options(group)
    add_option(
        group,
        "--on-error",
        "reaction to a bad line: stop, or skip it",
        choices=ON_ERROR[:2],
        default="stop",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Explain texts, or a corpus."""
    from emoclf.bulk.predict_chunks import load_classifier, needs_tensorflow

    _check(args)
    if needs_tensorflow(args.model):
        load_tensorflow()
    classifier = load_classifier(args.model, **encoder_options(args))
    if args.corpus:
        return _explain_corpus(classifier, args)
    from emoclf.explain.explanation_html import html_page
    from emoclf.explain.text_explainer import explain_text

    explanations = (
        explain_text(classifier, text, label=args.label, method=args.method)
        for text in _texts(args)
    )
    if args.html:
        write_atomically(
            Path(args.html), html_page(explanations).encode("utf-8", "replace")
        )
        return 0
    for number, explanation in enumerate(explanations):
        if args.json:
            print(json.dumps(explanation.to_dict()))
        else:
            # Lines may have escapes for colours; controls of the text are escaped.
            print("\n".join(["", *explanation.lines()][number == 0 :]))
        # The reader may be waiting for each text.
        sys.stdout.flush()
    return 0


def _check(args: argparse.Namespace) -> None:
    """Refuse options that do not go together."""
    texts = [*args.texts, *args.text]
    if args.corpus:
        for name, value in (("text", texts[:1]), ("html", args.html)):
            if value:
                raise SettingsError(
                    f"{setting('corpus', args.corpus)} explains the texts of a file. "
                    f"Leave out {setting(name)} and texts as arguments, or --corpus."
                )
        return
    if args.html:
        if args.json:
            raise SettingsError("Give --html or --json, not both.")
        check_new_file(Path(args.html), overwrite=args.overwrite)
    given = {"format": args.format, **given_settings(args)}
    for name, value in given.items():
        if value is not None:
            raise SettingsError(
                f"{setting(name, value)} is for files. Name one with --corpus."
            )
    if len(texts) == 1 and os.path.isfile(texts[0]):
        raise SettingsError(
            f"{texts[0]} is a file. Explain its texts with --corpus {texts[0]}, or its "
            f"lines one by one: emoclf explain MODEL < {texts[0]}"
        )


def _explain_corpus(classifier: Any, args: argparse.Namespace) -> int:
    from emoclf.explain.corpus_explainer import explain_corpus
    from emoclf.explain.explanation import check_label

    if args.label is not None:
        check_label(args.label, classifier.label_names)
    if args.corpus != "-":
        check_file(args.corpus)
    with progress_bar(args, args.corpus) as bar:
        explanation = explain_corpus(
            classifier,
            _read(args.corpus, args, bar and bar.show),
            top=args.top,
            min_count=args.min_count,
            method=args.method,
        )
    if args.json:
        print_json(explanation.to_dict())
    else:
        print_lines(*explanation.lines(label=args.label))
    return 0


def _texts(args: argparse.Namespace) -> Iterator[str]:
    """Yield the texts of the command line, or those of standard input as they come."""
    texts = [*args.texts, *args.text]
    return iter(texts) if texts else _read("-", args)


def _read(
    path: str, args: argparse.Namespace, show: Callable[[Any], object] | None = None
) -> Iterator[str]:
    """Yield the texts of a file as ``emoclf predict`` reads them, and show progress."""
    from emoclf.bulk.entries import Entries
    from emoclf.bulk.file_prediction import Progress
    from emoclf.bulk.predict_chunks import texts_of
    from emoclf.datasets.source import Source

    settings = DataSettings(**given_settings(args), format=args.format)
    n_texts, read = 0, 0
    with Source(path, settings) as source:
        entries = Entries(
            source, settings.text_column, on_error=args.on_error, at_once=True
        )
        for chunk in entries.chunks():
            texts = texts_of(chunk)
            before, read = read, source.position
            for number, text in enumerate(texts):
                if show is not None:
                    # A chunk takes long: its texts share its part of the file.
                    done = before + (read - before) * number // len(texts)
                    total = source.size
                    if entries.table.n_records is not None:
                        done, total = n_texts, entries.table.n_records
                    show(Progress(n_texts, done, total))
                yield text
                n_texts += 1
