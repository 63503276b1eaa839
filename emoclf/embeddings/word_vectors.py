"""Word vectors: reading any usual file, in whole or in part, and writing word2vec."""

from __future__ import annotations

import gzip
import os
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from emoclf.datasets.data_files import ending_of
from emoclf.embeddings.vector_files import open_vectors
from emoclf.embeddings.vector_io import Rows, VectorSource, require_finite
from emoclf.errors import VectorsError
from emoclf.files import new_file


@dataclass(frozen=True, eq=False, repr=False)
class WordVectors(VectorSource):
    """Words and their vectors.

    Parameters
    ----------
    words : tuple of str
        Words without repetition.
    matrix : array of float, shape (n_words, dim)
        Kept as float32.
    source : str
        Name of the file or method, for reports and errors.
    composed : frozenset of str
        Words that are not in the file; their vectors were composed of sub-words.

    Attributes
    ----------
    dim : int
        Width of a vector.
    """

    words: tuple[str, ...]
    matrix: Any
    source: str = "vectors"
    composed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        try:
            matrix = np.asarray(self.matrix, np.float32)
        except (TypeError, ValueError) as error:
            raise VectorsError(
                f"{self.source}: the vectors must be an array of numbers, one row for "
                f"each word ({error})."
            ) from None
        words = tuple(map(_as_word, self.words))
        if matrix.ndim != 2 or not matrix.shape[1] or len(words) != len(matrix):
            raise VectorsError(
                f"{self.source}: the matrix of {len(words)} words must have the shape "
                f"({len(words)}, dim). Got {matrix.shape} instead."
            )
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "matrix", matrix)
        if len(set(self.words)) != len(self.words):
            raise VectorsError(
                f"{self.source} contains a word twice. Keep the first vector of each."
            )
        object.__setattr__(self, "dim", int(self.matrix.shape[1]))

    @property
    def arrays(self) -> list[np.ndarray]:
        """The arrays that the vectors are made of."""
        return [self.matrix]

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        shape = " × ".join(f"{size:,}" for size in self.matrix.shape)
        return f"<WordVectors: source {self.source}, words × dimensions {shape}>"

    def __deepcopy__(self, memo: Any) -> Self:
        # scikit-learn copies the parameters of estimators, and nothing changes these.
        return self

    def rows(self, wanted: frozenset[str] | None) -> Rows:
        pairs = zip(self.words, self.matrix, strict=True)
        for word, row in islice(pairs, self.limit):
            if word not in self.composed and (wanted is None or word in wanted):
                yield word, row

    def compose(self, words: Sequence[str]) -> Rows:
        wanted = self.composed.intersection(words)
        pairs = zip(self.words, self.matrix, strict=True)
        return (pair for pair in pairs if pair[0] in wanted)


def read_vectors(
    path: str | os.PathLike[str],
    *,
    words: Collection[str] | None = None,
    compose: Iterable[str] = (),
    limit: int | None = None,
) -> WordVectors:
    """Read word vectors; the format of the file is recognised by its content.

    Formats are word2vec ``.bin`` and ``.txt``, GloVe ``.txt`` (no header) and fastText
    ``.vec``, each plain, ``.gz``, ``.bz2``, ``.xz`` or ``.zip``; files that gensim
    saved, of which nothing is run; and fastText ``.bin``.

    Parameters
    ----------
    path : path
        File of vectors. It is streamed: only the returned rows take memory. A file in
        a .zip archive of several is ``archive.zip/name``.
    words : collection of str, optional
        Words to read; default: all.
    compose : iterable of str
        Words whose vectors are composed of sub-words where the file does not contain
        them (Bojanowski et al., 2017). Only fastText's ``.bin``, and gensim's files of
        fastText vectors, have sub-words.
    limit : int >= 1, optional
        Number of words to read, the first ones of the file; default: all. Files are
        ordered by frequency.

    Returns
    -------
    vectors : WordVectors
        In the order of the file. The first vector of a repeated word counts.

    Raises
    ------
    VectorsError
        If the file is missing, has another format, is truncated, or contains a number
        that is not finite.
    """
    source = open_vectors(path, limit=limit)
    rows = source.read(None if words is None else frozenset(words))
    composed = dict(source.compose([word for word in compose if word not in rows]))
    for word, row in composed.items():
        rows.add(word, row)
    matrix = rows.matrix
    for word, number in rows.numbers.items():
        require_finite(matrix[number], word, f"{path}")
    return WordVectors(
        tuple(rows.numbers), matrix, os.fspath(path), frozenset(composed)
    )


def _as_word(word: object) -> str:
    if not isinstance(word, str):
        raise VectorsError(
            f"A word must be a str. Got {word!r} ({type(word).__name__})."
        )
    return str(word)


def save_vectors(vectors: WordVectors, path: str | os.PathLike[str]) -> Path:
    """Write vectors in word2vec's format, atomically.

    Parameters
    ----------
    vectors : WordVectors
    path : path
        File to write. ``.txt`` and ``.vec`` give text, any other ending the binary
        format; a further ``.gz`` compresses it.

    Raises
    ------
    VectorsError
        If the file cannot be written, or a word is empty or contains white space.
    """
    target = Path(path)
    for word in vectors.words:
        if word.split() != [word]:
            raise VectorsError(
                f"Cannot write {target}: word2vec's format does not allow the word "
                f"{word!r}. Leave out words that are empty or contain white space."
            )
    ending, compressed = ending_of(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with new_file(target) as plain, ExitStack() as stack:
            stream: IO[bytes] | gzip.GzipFile = plain
            if compressed:
                stream = stack.enter_context(gzip.GzipFile("", "wb", 6, plain, 0))
            _write(vectors, stream, text=ending in (".txt", ".vec"))
    except OSError as error:
        raise VectorsError(f"Cannot write {target}: {error}.") from error
    return target


def _write(
    vectors: WordVectors, stream: IO[bytes] | gzip.GzipFile, *, text: bool
) -> None:
    stream.write(f"{len(vectors)} {vectors.dim}\n".encode())
    for word, row in zip(vectors.words, vectors.matrix, strict=True):
        key = word.encode("utf-8", "replace")
        if text:
            # Nine digits restore every float32 exactly.
            numbers = " ".join(f"{value:.9g}" for value in row)
            stream.write(key + b" " + numbers.encode() + b"\n")
        else:
            stream.write(key + b" " + row.astype("<f4").tobytes() + b"\n")
