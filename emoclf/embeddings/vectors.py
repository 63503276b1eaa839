"""Word vectors, read from any usual file; only the words that are needed are kept."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.embeddings.formats import Rows, open_vectors
from emoclf.errors import VectorsError
from emoclf.files import write_atomically


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
    wanted = None if words is None else frozenset(words)
    found = source.read(wanted)
    composed = {
        word: vector
        for word in compose
        if word not in found and (vector := source.compose(word)) is not None
    }
    rows: Rows = {**found, **composed}
    _check_finite(rows, path)
    matrix = np.array(list(rows.values()), np.float32).reshape(len(rows), source.dim)
    return WordVectors(tuple(rows), matrix, os.fspath(path), frozenset(composed))


def frequent_words(path: str | os.PathLike[str], n: int) -> list[str]:
    """Return the first words of a file; files are ordered by frequency."""
    return open_vectors(path).first_words(n)


def save_vectors(vectors: WordVectors, path: str | os.PathLike[str]) -> Path:
    """Write vectors in word2vec's format, whole or not at all.

    Parameters
    ----------
    vectors : WordVectors
    path : path
        ``.txt`` and ``.vec`` are text; any other ending is the binary form.
    """
    target = Path(path)
    text = target.suffix in (".txt", ".vec")
    lines: list[bytes] = [f"{len(vectors)} {vectors.dim}\n".encode()]
    for word, row in zip(vectors.words, vectors.matrix, strict=True):
        if text:
            numbers = " ".join(f"{value:.9g}" for value in row)
            lines.append(f"{word} {numbers}\n".encode())
        else:
            data = np.ascontiguousarray(row, "<f4").tobytes()
            lines.append(word.encode() + b" " + data + b"\n")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, b"".join(lines))
    except OSError as error:
        raise VectorsError(f"Cannot write {target}: {error}.") from error
    return target


def _check_finite(rows: Rows, path: Any) -> None:
    for number, (word, row) in enumerate(rows.items()):
        if not np.isfinite(row).all():
            bad = row[~np.isfinite(row)][0]
            raise VectorsError(
                f"{path}: the vector of {word!r} (kept row {number}) holds {bad}. The "
                "file is damaged; get it anew, or remove the row."
            )


def as_vectors(
    vectors: WordVectors | str | os.PathLike[str],
    words: Collection[str],
    compose: Sequence[str] = (),
) -> WordVectors:
    """Return the vectors that were given, or read the needed rows of a file."""
    if isinstance(vectors, WordVectors):
        return vectors
    return read_vectors(vectors, words=words, compose=compose)
