"""Parts that all readers of vector files share: rows, words, the first bytes."""

from __future__ import annotations

import io
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice, takewhile
from pathlib import Path

import numpy as np

from emoclf.embeddings.vector_streams import BLOCK_BYTES, open_stream
from emoclf.errors import VectorsError

HEADER = re.compile(rb"\s*(\d{1,18})\s+(\d{1,18})\s*")
MAX_DIM = 100_000
# Number of first lines from which the width of vectors without a header is taken: one
# word may be a phrase that ends in numbers.
N_FIRST_LINES = 100
#: Longest n-grams of characters of which a word's vector is composed.
MAX_NGRAM = 100
# Reserved memory that is never written costs nothing, so one array of up to a gigabyte
# is filled in place; a larger one grows.
MAX_RESERVED_BYTES = 1 << 30

Rows = Iterator[tuple[str, np.ndarray]]


class VectorRows:
    """Words and their vectors, in the order of the file.

    Parameters
    ----------
    dim : int
        Width of a vector.
    expected : int
        Largest number of rows, as far as it is known.
    """

    def __init__(self, dim: int, expected: int = 1024) -> None:
        self.numbers: dict[str, int] = {}
        n_reserved = max(1, min(expected, MAX_RESERVED_BYTES // (4 * dim)))
        self._matrix = np.empty((n_reserved, dim), np.float32)

    def __contains__(self, word: object) -> bool:
        return word in self.numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def matrix(self) -> np.ndarray:
        """The vectors, float32, shape (n_words, dim)."""
        return self._matrix[: len(self.numbers)]

    def add(self, word: str, row: np.ndarray) -> None:
        """Add a row; the first row of a repeated word counts."""
        number = len(self.numbers)
        if self.numbers.setdefault(word, number) != number:
            return
        if number == len(self._matrix):
            grown = np.empty((number + number // 2 + 1, row.size), np.float32)
            grown[:number] = self._matrix
            self._matrix = grown
        self._matrix[number] = row


class VectorSource(ABC):
    """A collection of word vectors, in a file or in memory."""

    dim: int
    #: Number of words, where it is known.
    count: int | None = None
    #: Number of first words that are read; None: all.
    limit: int | None = None
    #: Name of the file or object, for reports and errors.
    source: str = "vectors"

    @abstractmethod
    def rows(self, wanted: frozenset[str] | None) -> Rows:
        """Yield the wanted words, or all, with their vectors."""

    def compose(self, words: Sequence[str]) -> Rows:
        """Yield vectors of unknown words, composed of sub-words where there are any."""
        return iter(())

    def first_words(self, n: int) -> list[str]:
        """Return the first ``n`` words."""
        return [word for word, _ in islice(self.rows(None), n)]

    def read(self, wanted: frozenset[str] | None) -> VectorRows:
        """Return the rows of the wanted words, or of all."""
        expected = self.count or 1024 if wanted is None else len(wanted)
        expected = expected if self.limit is None else min(expected, self.limit)
        rows = VectorRows(self.dim, expected)
        for word, row in self.rows(wanted):
            rows.add(word, row)
        return rows


class FileStart:
    """The first bytes of a vector file, from which its format is recognised.

    Parameters
    ----------
    path : Path

    Raises
    ------
    VectorsError
        If the file cannot be read or is empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_stream(path) as stream:
            self.data = stream.read(BLOCK_BYTES)
            # Only a file as it is has a descriptor below its buffer.
            self.compressed = not isinstance(getattr(stream, "raw", None), io.FileIO)
        if not self.data:
            raise VectorsError(f"{path} is empty. Give a file of word vectors.")

    @cached_property
    def header(self) -> tuple[int, int] | None:
        """Number and width of the vectors, as the first line says; None without it.

        Raises
        ------
        VectorsError
            If no file of vectors can have this header.
        """
        first, newline, rest = self.data.partition(b"\n")
        match = HEADER.fullmatch(first)
        if not match:
            return None
        count, dim = int(match[1]), int(match[2])
        if not newline or not rest or count < 1 or not 1 <= dim <= MAX_DIM:
            raise VectorsError(
                f"{self.path}: the header {first[:40]!r} promises {count} vectors of "
                f"{dim} numbers, and {len(rest)} bytes follow. The file is cut short, "
                "or is not a file of vectors."
            )
        return count, dim

    @cached_property
    def n_numbers(self) -> int:
        """Number of numbers at the end of most of the first lines with a vector."""
        lines = self.data.split(b"\n", N_FIRST_LINES)
        first = 0 if self.header is None else 1
        if len(lines) == 1:
            return 0
        # The last one may be cut.
        counts = Counter(map(_n_numbers, lines[first : max(first + 1, len(lines) - 1)]))
        return counts.most_common(1)[0][0]


def decode(word: bytes) -> str:
    """Return a word; some files contain bytes that are not UTF-8."""
    return word.decode("utf-8", "replace")


def encode_words(words: Iterable[str] | None) -> set[bytes] | None:
    """Return words as a file contains them."""
    return (
        None if words is None else {word.encode("utf-8", "replace") for word in words}
    )


def _n_numbers(line: bytes) -> int:
    """Return the number of numbers at the end of a line, after a word."""
    return sum(1 for _ in takewhile(is_number, reversed(line.split()[1:])))


def is_number(part: bytes) -> bool:
    """Return whether these bytes are a number."""
    try:
        float(part)
    except ValueError:
        return False
    return True


def require_finite(row: np.ndarray, word: str, location: str) -> None:
    """Raise a VectorsError if a vector contains a NaN or an infinite number."""
    if not np.isfinite(row).all():
        bad = row[~np.isfinite(row)][0]
        raise VectorsError(
            f"{location}: the vector of {word!r} contains {bad}. The file is damaged; "
            "download it again, or remove the row."
        )
