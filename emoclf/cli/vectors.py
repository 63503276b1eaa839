"""``emoclf vectors``: train or distil word vectors, or measure their coverage."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emoclf.cli.bulk_runs import continued_by_the_same_command, step_bars
from emoclf.cli.options import (
    add_section,
    add_settings,
    given_settings,
    pop_settings,
    settings_from,
)
from emoclf.cli.shared import (
    add_option,
    add_overwrite_option,
    as_file,
    new_command,
    new_group,
    print_json,
    print_json_or_lines,
    print_lines,
)
from emoclf.settings import TextSettings

if TYPE_CHECKING:
    from emoclf.embeddings.word_vectors import WordVectors
    from emoclf.text.tokenizer import Tokenizer


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Add the commands."""
    from emoclf.embeddings.word2vec_settings import Word2VecSettings

    text = "train or distil word vectors, or measure their coverage"
    commands = new_group(subparsers, "vectors", text)
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
    _add_distil(commands)
    coverage = new_command(
        commands,
        "coverage",
        arguments="DATA --vectors FILE",
        help="measure the share of a labelled file's words that have vectors",
        example="emoclf vectors coverage sentences.csv --vectors vectors.bin",
    )
    add_settings(coverage, argv=argv, only=("data", "text", "embedding"))
    coverage.set_defaults(run=run_coverage)


def _add_distil(commands: Any) -> None:
    from emoclf.contextual.vector_distillation_settings import (
        VectorDistillationSettings,
    )

    distil = new_command(
        commands,
        "distil",
        arguments="--encoder NAME (--words FILE | --vocabulary-of FILE)",
        help="make word vectors from a transformer encoder",
        details="A command that was killed continues where it was.",
        example="emoclf vectors distil --encoder sentence-transformers/"
        "all-MiniLM-L6-v2 --vocabulary-of reviews.csv -o vectors.bin",
    )
    text = "folder of an encoder, or its name on the Hugging Face Hub"
    add_option(distil, "--encoder NAME", text, required=True)
    words = distil.add_mutually_exclusive_group(required=True)
    add_option(words, "--words FILE", "file with one word per line")
    add_option(words, "--vocabulary-of FILE", "file of texts; each token gets a vector")
    add_option(
        distil,
        "--sentences FILE",
        "file of texts; a word's vector is averaged over the texts that contain it",
    )
    text = "file to write: .bin, or .txt for plain text"
    add_option(distil, "-o --output FILE", text, required=True)
    add_overwrite_option(distil, "file")
    add_section(distil, "distillation settings", VectorDistillationSettings)
    names = ("tokenizer", "lowercase", "min_count")
    add_section(distil, "text settings", TextSettings, only=names)
    distil.set_defaults(run=run_distil)


def run_distil(args: argparse.Namespace) -> int:
    """Distil vectors and save them."""
    from emoclf.contextual.vector_distillation import distil_vectors
    from emoclf.contextual.vector_distillation_settings import (
        VectorDistillationSettings,
    )
    from emoclf.errors import VectorsError
    from emoclf.files import check_new_file
    from emoclf.text.encoder import new_tokenizer

    given = given_settings(args)
    settings = VectorDistillationSettings.from_dict(
        pop_settings(VectorDistillationSettings, given)
    )
    text = TextSettings.from_dict(given)
    tokenizer = new_tokenizer(text)
    output = Path(args.output)
    check_new_file(output, overwrite=args.overwrite, error=VectorsError)
    if args.words:
        counts = None
        words = [word for text in _texts(args.words) for word in text.split()]
    else:
        counts = _token_counts(args.vocabulary_of, tokenizer, text.min_count)
        words = list(counts)
    sentences = list(_texts(args.sentences)) if args.sentences else []
    with (
        continued_by_the_same_command("distillation", output),
        step_bars(args, "words", "sentences") as show,
    ):
        vectors = distil_vectors(
            args.encoder,
            words,
            settings,
            sentences=sentences,
            counts=counts,
            tokenizer=tokenizer,
            output=output,
            progress=show,
        )
    return _report(output, vectors, args)


def _texts(path: str) -> Iterator[str]:
    """Yield the texts of a file of any format: lines, or a column."""
    from emoclf.bulk.entries import Entries
    from emoclf.datasets.source import Source
    from emoclf.settings import DataSettings

    with Source(path, DataSettings()) as source:
        for chunk in Entries(source).chunks():
            yield from (entry.text for entry in chunk)


def _token_counts(path: str, tokenizer: Tokenizer, min_count: int) -> dict[str, int]:
    """Return the frequent tokens of a file, the most frequent first."""
    from collections import Counter

    counts: Counter[str] = Counter()
    for text in _texts(path):
        counts.update(tokenizer.tokens(text))
    pairs = counts.most_common()
    return {token: count for token, count in pairs if count >= min_count}


def run_train(args: argparse.Namespace) -> int:
    """Train vectors and save them."""
    from emoclf.embeddings.word2vec import TextFiles, train_word2vec
    from emoclf.embeddings.word2vec_settings import Word2VecSettings
    from emoclf.embeddings.word_vectors import save_vectors
    from emoclf.errors import VectorsError
    from emoclf.files import check_new_file
    from emoclf.text.encoder import new_tokenizer

    given = given_settings(args)
    settings = Word2VecSettings.from_dict(pop_settings(Word2VecSettings, given))
    text = TextSettings.from_dict(given)
    check_new_file(Path(args.output), overwrite=args.overwrite, error=VectorsError)
    with contextlib.ExitStack() as stack:
        texts = [stack.enter_context(as_file(x, ending=".txt")) for x in args.texts]
        show = stack.enter_context(step_bars(args, "word2vec, epochs"))
        vectors = train_word2vec(
            TextFiles(texts, new_tokenizer(text)),
            settings,
            progress=partial(show, "word2vec, epochs"),
        )
    return _report(save_vectors(vectors, args.output), vectors, args)


def _report(path: Path, vectors: WordVectors, args: argparse.Namespace) -> int:
    if args.json:
        print_json({"path": str(path), "words": len(vectors), "dim": vectors.dim})
    else:
        print_lines(f"Saved: {path} ({len(vectors)} words, {vectors.dim} dimensions)")
    return 0


def run_coverage(args: argparse.Namespace) -> int:
    """Read a file as training does, and report the coverage of the vectors."""
    from emoclf.datasets.readers import read_dataset
    from emoclf.embeddings.matrix import embedding_matrix
    from emoclf.embeddings.starter import STARTER
    from emoclf.errors import SettingsError
    from emoclf.settings.sections import AUTO
    from emoclf.text.encoder import fit_encoder, new_tokenizer

    settings = settings_from(args)
    vectors = settings.embedding.vectors
    if settings.embedding.encoder is not None:
        raise SettingsError(
            "--encoder is for a transformer encoder, which splits unknown words into "
            "known pieces and has no coverage to measure. Leave it out."
        )
    if vectors is None:
        raise SettingsError("Word vectors are missing. Give --vectors FILE.")
    with as_file(args.data) as data:
        dataset = read_dataset(data, settings.data)
    tokens = new_tokenizer(settings.text).batch(dataset.texts)
    encoder = fit_encoder(tokens, settings.text)
    _, coverage = embedding_matrix(
        STARTER if vectors == AUTO else vectors,
        encoder.vocabulary,
        counts=encoder.count_tokens(tokens),
        limit=settings.embedding.vectors_limit,
    )
    print_json_or_lines(args, coverage)
    return 0
