"""Word vectors, read from any usual file; only the words that are needed are kept."""

from __future__ import annotations

import gzip
import os
from collections.abc import Collection, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from emoclf.embeddings.vector_files import open_vectors
from emoclf.errors import VectorsError
from emoclf.files import new_file


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Words and their vectors.

    Parameters
    ----------
    words : tuple of str
        Each once.
    matrix : ndarray of float32, shape (n_words, dim)
    source : str
        Where they come from, for reports and errors.
    composed : frozenset of str
        Words that the file did not know and made from sub-words.
    """

    words: tuple[str, ...]
    matrix: np.ndarray
    source: str = "vectors"
    composed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.matrix.ndim != 2 or len(self.words) != len(self.matrix):
            raise VectorsError(
                f"{self.source}: the matrix of {len(self.words)} words must have the "
                f"shape ({len(self.words)}, dim). Got {self.matrix.shape} instead."
            )
        if len(set(self.words)) != len(self.words):
            raise VectorsError(
                f"{self.source}: a word stands there twice. Keep the first of each."
            )

    @property
    def dim(self) -> int:
        """Width of a vector."""
        return int(self.matrix.shape[1])

    def __len__(self) -> int:
        return len(self.words)


def read_vectors(
    path: str | os.PathLike[str],
    *,
    words: Collection[str] | None = None,
    compose: Iterable[str] = (),
) -> WordVectors:
    """Read word vectors; the kind of the file is told by its content.

    Known are word2vec ``.bin`` and ``.txt``, GloVe ``.txt`` (no header) and fastText
    ``.vec``, each plain or ``.gz``; files that gensim saved (which are pickles: load
    only what you trust); and fastText ``.bin``.

    Parameters
    ----------
    path : path
        The file is streamed: memory is needed for the rows that are kept.
    words : collection of str, optional
        Keep only these; without it, all.
    compose : iterable of str
        Words for which fastText's ``.bin`` makes a vector from sub-words when it does
        not know them (Bojanowski et al., 2017); other files have none.

    Returns
    -------
    vectors : WordVectors
        In the order of the file. Of a word that stands there twice, the first counts.

    Raises
    ------
    VectorsError
        If the file is missing, of another kind, truncated, or holds a number that is
        not finite.
    """
    source = open_vectors(path)
    rows = source.read(None if words is None else frozenset(words))
    made = source.compose([word for word in compose if word not in rows])
    for word, number in made.numbers.items():
        rows.add(word, made.matrix[number])
    rows.check_finite(path)
    return WordVectors(
        tuple(rows.numbers), rows.matrix, os.fspath(path), frozenset(made.numbers)
    )


def frequent_words(path: str | os.PathLike[str], n: int) -> list[str]:
    """Return the first words of a file; files are ordered by frequency."""
    return open_vectors(path).first_words(n)


def vector_dim(path: str | os.PathLike[str]) -> int:
    """Return the width of a file's vectors; only its beginning is read."""
    return open_vectors(path).dim


def save_vectors(vectors: WordVectors, path: str | os.PathLike[str]) -> Path:
    """Write vectors in word2vec's format, whole or not at all.

    Parameters
    ----------
    vectors : WordVectors
    path : path
        ``.txt`` and ``.vec`` are text; any other ending is the binary form. A further
        ``.gz`` packs it.

    Raises
    ------
    VectorsError
        If the file cannot be written, or a word is empty or has white space in it.
    """
    target = Path(path)
    for word in vectors.words:
        if word.split() != [word]:
            raise VectorsError(
                f"Cannot write {target}: word2vec's format has no place for the word "
                f"{word!r}. Leave out what is empty or has white space in it."
            )
    packed = target.suffix == ".gz"
    kind = Path(target.stem).suffix if packed else target.suffix
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with new_file(target) as plain, ExitStack() as stack:
            stream: IO[bytes] | gzip.GzipFile = plain
            if packed:
                stream = stack.enter_context(gzip.GzipFile("", "wb", 6, plain, 0))
            _write(vectors, stream, text=kind in (".txt", ".vec"))
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
            # Nine digits give every float32 back exactly.
            numbers = " ".join(f"{value:.9g}" for value in row)
            stream.write(key + b" " + numbers.encode() + b"\n")
        else:
            stream.write(key + b" " + row.astype("<f4").tobytes() + b"\n")
