"""``emoclf vectors``: train word vectors, or measure their coverage."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emoclf.cli.options import add_section, add_settings, given_settings, settings_from
from emoclf.cli.shared import (
    add_option,
    add_overwrite_option,
    as_file,
    new_command,
    print_json,
    print_lines,
)
from emoclf.settings import TextSettings


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the commands."""
    from emoclf.embeddings.word2vec_settings import Word2VecSettings

    parser = subparsers.add_parser(
        "vectors",
        help="train word vectors, or measure their coverage of a file",
        usage="%(prog)s COMMAND [OPTIONS]",
        description="Train word vectors, or measure their coverage of a file.",
    )
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, prog="emoclf vectors"
    )
    train = new_command(
        commands,
        "train",
        arguments="TEXTS…",
        help="train word2vec on text files with one text per line",
        example="emoclf vectors train reviews.txt.gz -o reviews.bin --dim 100",
    )
    train.add_argument(
        "texts",
        nargs="+",
        metavar="TEXTS",
        help="text files in UTF-8, plain or .gz; -: stdin",
    )
    text = "file to write: .bin, or .txt for plain text"
    add_option(train, "-o --output FILE", text, required=True)
    add_overwrite_option(train, "file")
    add_section(train, "word2vec settings", Word2VecSettings)
    add_section(train, "text settings", TextSettings, only=("tokenizer", "lowercase"))
    train.set_defaults(run=run_train)
    coverage = new_command(
        commands,
        "coverage",
        arguments="DATA --vectors FILE",
        help="measure the share of a labelled file's words that have vectors",
        example="emoclf vectors coverage sentences.csv --vectors vectors.bin",
    )
    add_settings(coverage, argv=argv, only=("data", "text", "embedding"))
    coverage.set_defaults(run=run_coverage)


def run_train(args: argparse.Namespace) -> int:
    """Train vectors and save them."""
    from rich.console import Console
    from rich.progress import Progress

    from emoclf.embeddings.word2vec import TextFiles, train_word2vec
    from emoclf.embeddings.word2vec_settings import Word2VecSettings
    from emoclf.embeddings.word_vectors import save_vectors
    from emoclf.errors import VectorsError
    from emoclf.files import check_new_file
    from emoclf.text.encoder import new_tokenizer

    given = given_settings(args)
    names = Word2VecSettings.names()
    settings = Word2VecSettings.from_dict(
        {name: given.pop(name) for name in names if name in given}
    )
    text = TextSettings.from_dict(given)
    check_new_file(Path(args.output), overwrite=args.overwrite, error=VectorsError)
    bar = Progress(console=Console(stderr=True), transient=True, disable=args.quiet)
    with contextlib.ExitStack() as stack:
        texts = [stack.enter_context(as_file(x, ending=".txt")) for x in args.texts]
        stack.enter_context(bar)
        task = bar.add_task("word2vec, epochs", total=None)
        vectors = train_word2vec(
            TextFiles(texts, new_tokenizer(text)),
            settings,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    path = save_vectors(vectors, args.output)
    if args.json:
        print_json({"path": str(path), "words": len(vectors), "dim": vectors.dim})
    else:
        print_lines(f"Saved: {path} ({len(vectors)} words, {vectors.dim} dimensions)")
    return 0


def run_coverage(args: argparse.Namespace) -> int:
    """Read a file as training does, and report the coverage of the vectors."""
    from emoclf.datasets.readers import read_dataset
    from emoclf.embeddings.matrix import embedding_matrix
    from emoclf.errors import SettingsError
    from emoclf.text.encoder import fit_encoder, new_tokenizer

    settings = settings_from(args)
    if not settings.embedding.vectors:
        raise SettingsError("Name the file of word vectors: --vectors FILE.")
    with as_file(args.data) as data:
        dataset = read_dataset(data, settings.data)
    tokens = new_tokenizer(settings.text).batch(dataset.texts)
    encoder = fit_encoder(tokens, settings.text)
    _, coverage = embedding_matrix(
        settings.embedding.vectors,
        encoder.vocabulary,
        counts=encoder.count_tokens(tokens),
        limit=settings.embedding.vectors_limit,
    )
    if args.json:
        print_json(coverage.to_dict())
    else:
        print_lines(*coverage.lines())
    return 0
