"""Train word2vec with gensim, on the user's own texts."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from emoclf.datasets.data_files import check_file, ending_of, reading
from emoclf.embeddings.word2vec_settings import Word2VecSettings
from emoclf.embeddings.word_vectors import WordVectors
from emoclf.errors import DataError, setting, wrong_kind
from emoclf.settings.sections import MAX_LINE_BYTES
from emoclf.text.tokenizer import Tokenizer
from emoclf.text.validation import check_list

# gensim ignores the tokens of a list after this many.
MAX_SENTENCE_TOKENS = 10_000

Progress = Callable[[int, int], None]


def train_word2vec(
    token_lists: Iterable[Sequence[str]],
    settings: Word2VecSettings | None = None,
    *,
    progress: Progress | None = None,
) -> WordVectors:
    """Train word vectors.

    Parameters
    ----------
    token_lists : iterable of token lists
        Texts, iterated once for counting and once per epoch: a list, or
        :class:`TextFiles` for texts that do not fit into memory.
    settings : Word2VecSettings, optional
    progress : callable, optional
        Function that is called after each epoch with its number, from 1, and the
        number of epochs.

    Returns
    -------
    vectors : WordVectors
        Vectors, the most frequent words first. With one worker, equal settings and
        texts give equal vectors.

    Raises
    ------
    DataError
        If fewer than two words reach ``min_count``.
    """
    from gensim.models import Word2Vec

    check_list(token_lists, "token_lists")
    is_list = isinstance(token_lists, list | tuple) and token_lists
    if is_list and isinstance(token_lists[0], str):  # type: ignore[index]
        cure = "give a list of tokens for each text, as text.split() returns it"
        raise DataError(wrong_kind("A text", "a list of tokens", token_lists[0], cure))  # type: ignore[index]
    settings = Word2VecSettings.of(settings)
    model = Word2Vec(
        vector_size=settings.dim,
        window=settings.window,
        min_count=settings.min_count,
        sg=int(settings.algorithm == "skip-gram"),
        negative=settings.negative,
        sample=settings.sample,
        alpha=settings.learning_rate,
        epochs=settings.epochs,
        # gensim keeps its generator's state in 32 bits.
        seed=settings.seed % 2**32,
        workers=settings.workers,
        hashfxn=_stable_hash,
    )
    model.build_vocab(token_lists)
    if len(model.wv) < 2:
        raise DataError(
            f"The texts contain {model.corpus_total_words} words, of which "
            f"{len(model.wv)} occur at least {settings.min_count} times; word2vec "
            f"needs at least two such words. Give more texts, or lower "
            f"{setting('min_count')}."
        )
    model.train(
        token_lists,
        total_examples=model.corpus_count,
        epochs=settings.epochs,
        callbacks=[_epoch_counter(settings.epochs, progress)] if progress else [],
    )
    words = tuple(model.wv.index_to_key)
    return WordVectors(words, np.array(model.wv.vectors, np.float32), "word2vec")


class TextFiles:
    """The token lists of text files, line by line; they can be iterated repeatedly.

    Parameters
    ----------
    paths : sequence of path
        Files, plain or ``.gz``, UTF-8, one text per line.
    tokenizer : Tokenizer, optional
        Tokenizer of the classifier that will use the vectors.
    """

    def __init__(
        self,
        paths: Sequence[str | os.PathLike[str]],
        tokenizer: Tokenizer | None = None,
    ) -> None:
        self.paths = list(paths)
        self.tokenizer = tokenizer or Tokenizer()

    def __iter__(self) -> Iterator[list[str]]:
        for path in self.paths:
            for line in _lines(path):
                tokens = self.tokenizer.tokens(line)
                for start in range(0, len(tokens), MAX_SENTENCE_TOKENS):
                    yield tokens[start : start + MAX_SENTENCE_TOKENS]


def _lines(path: str | os.PathLike[str]) -> Iterator[str]:
    path = check_file(path)
    _, compressed = ending_of(path)
    number = 0
    with (
        reading(path),
        gzip.open(path, "rb") if compressed else open(path, "rb") as stream,
    ):
        while line := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > MAX_LINE_BYTES:
                raise DataError(
                    f"{path}, line {number}: the line has more than "
                    f"{MAX_LINE_BYTES:,} bytes. Write one text on each line."
                )
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{path}, line {number}: byte {error.start} is not UTF-8. Convert "
                    "the file to UTF-8."
                ) from None


def _stable_hash(text: str) -> int:
    """Return the same hash in every process; Python's own hash is salted."""
    return zlib.crc32(text.encode("utf-8", "replace"))


def _epoch_counter(epochs: int, progress: Progress) -> Any:
    """Return a gensim callback that reports each epoch."""
    from gensim.models.callbacks import CallbackAny2Vec

    class EpochCounter(CallbackAny2Vec):
        n_done = 0

        def on_epoch_end(self, model: Any) -> None:
            self.n_done += 1
            progress(self.n_done, epochs)

    return EpochCounter()
