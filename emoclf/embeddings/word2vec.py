"""Train word2vec with gensim, on the user's own texts."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from emoclf.embeddings.word2vec_settings import Word2VecSettings
from emoclf.embeddings.word_vectors import WordVectors
from emoclf.errors import DataError, setting
from emoclf.text.tokenizer import Tokenizer

# gensim counts words in lists of at most so many tokens.
LONGEST_SENTENCE = 10_000

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
        Iterated once for counting and once for each epoch: a list, or
        :class:`TextFiles` for what does not fit into memory.
    settings : Word2VecSettings, optional
    progress : callable, optional
        Called after each epoch with its number, from 1, and the number of epochs.

    Returns
    -------
    vectors : WordVectors
        The most frequent words first. With one worker, equal settings and texts give
        equal vectors.

    Raises
    ------
    DataError
        If too few words are left.
    """
    from gensim.models import Word2Vec

    settings = settings or Word2VecSettings()
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
            f"The texts hold {model.corpus_total_words} words, and {len(model.wv)} of "
            f"them stand there {settings.min_count} times or more; word2vec needs at "
            f"least two. Give more texts, or lower {setting('min_count')}."
        )
    model.train(
        token_lists,
        total_examples=model.corpus_count,
        epochs=settings.epochs,
        callbacks=[_EpochCounter(settings.epochs, progress)] if progress else [],
    )
    words = tuple(model.wv.index_to_key)
    return WordVectors(words, np.array(model.wv.vectors, np.float32), "word2vec")


class TextFiles:
    """The tokens of text files, line by line, as often as they are asked for.

    Parameters
    ----------
    paths : sequence of path
        Plain or ``.gz``, UTF-8, one text a line.
    tokenizer : Tokenizer, optional
        Use the tokenizer of the classifier that the vectors are for.
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
                for start in range(0, len(tokens), LONGEST_SENTENCE):
                    yield tokens[start : start + LONGEST_SENTENCE]


def _lines(path: str | os.PathLike[str]) -> Iterator[str]:
    number = 0
    try:
        packed = str(path).endswith(".gz")
        with gzip.open(path, "rb") if packed else open(path, "rb") as stream:
            for line in stream:
                number += 1
                yield line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}, line {number}: byte {error.start} is not UTF-8. Convert the file "
            "to UTF-8."
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"Cannot read {path}: {error}.") from error


def _stable_hash(text: str) -> int:
    """Hash a word the same way in every process; Python's own hash is salted."""
    return zlib.crc32(text.encode("utf-8", "replace"))


class _EpochCounter:
    """gensim's callback, without importing gensim for its base class."""

    def __init__(self, epochs: int, progress: Progress) -> None:
        self.epochs, self.progress, self.done = epochs, progress, 0

    def on_epoch_end(self, model: Any) -> None:
        self.done += 1
        self.progress(self.done, self.epochs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("on_"):
            return lambda model: None
        raise AttributeError(name)
