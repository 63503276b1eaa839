"""Which kind of vector file this is, and how its rows are streamed."""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

import numpy as np

from emoclf.errors import VectorsError

Rows = dict[str, np.ndarray]

BLOCK = 1 << 22
FASTTEXT_MAGIC = (793712314).to_bytes(4, "little")
HEADER = re.compile(rb"\s*(\d+)\s+(\d+)\s*")
KINDS = (
    "word2vec .bin or .txt, GloVe .txt, fastText .vec (each plain or .gz), fastText "
    ".bin, or a file that gensim saved"
)


class VectorFile(Protocol):
    """A file of vectors of one kind."""

    dim: int

    def read(self, wanted: frozenset[str] | None) -> Rows:
        """Return the rows of the wanted words, or of all."""

    def first_words(self, n: int) -> list[str]:
        """Return the first words of the file."""

    def compose(self, word: str) -> np.ndarray | None:
        """Make a vector from sub-words, where the file has any."""


def open_vectors(path: str | os.PathLike[str]) -> VectorFile:
    """Look at a file's first bytes, and return its reader.

    Raises
    ------
    VectorsError
        If the file cannot be read or is of no known kind.
    """
    path = Path(path)
    with reading(path) as stream:
        head = stream.read(BLOCK)
    if not head:
        raise VectorsError(f"{path} is empty. Known are {KINDS}.")
    if head[:4] == FASTTEXT_MAGIC:
        from emoclf.embeddings.fasttext_bin import FastTextFile

        return FastTextFile(path)
    if head[:1] == b"\x80":
        from emoclf.embeddings.gensim_files import GensimFile

        return GensimFile(path)
    first, newline, rest = head.partition(b"\n")
    header = HEADER.fullmatch(first)
    if header:
        count, dim = int(header[1]), int(header[2])
        if dim < 1 or not newline:
            raise VectorsError(
                f"{path}: the header {first!r} promises {count} vectors of {dim} "
                "numbers. The file is cut short, or no file of vectors."
            )
        if _is_text_row(rest.partition(b"\n")[0], dim):
            return TextFile(path, dim, count)
        return BinaryFile(path, dim, count)
    dim = len(first.rstrip().split(b" ")) - 1
    if newline and dim >= 2 and _is_text_row(first, dim):
        return TextFile(path, dim, None)
    raise VectorsError(
        f"{path} is not a file of word vectors: it begins with {head[:40]!r}. Known "
        f"are {KINDS}."
    )


@contextmanager
def reading(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, plain or gzip; what goes wrong on the way is a VectorsError."""
    try:
        with open(path, "rb") as plain:
            if plain.read(2) != b"\x1f\x8b":
                plain.seek(0)
                yield plain
                return
        with gzip.open(path, "rb") as packed:
            yield packed  # type: ignore[misc]
    except FileNotFoundError:
        near = sorted(p.name for p in path.parent.glob(f"{path.stem[:4]}*"))[:3]
        hint = f" Beside it: {', '.join(near)}." if near else ""
        raise VectorsError(f"There is no file {path}.{hint}") from None
    except (EOFError, zlib.error) as error:
        raise VectorsError(
            f"{path} is cut short or damaged ({error}). Get it anew."
        ) from error
    except OSError as error:
        raise VectorsError(f"Cannot read {path}: {error}.") from error


def decode(word: bytes) -> str:
    """Return a word; some files hold bytes that are no UTF-8."""
    return word.decode("utf-8", "replace")


def _is_text_row(line: bytes, dim: int) -> bool:
    parts = line.rstrip().rsplit(b" ", dim)
    try:
        return len(parts) == dim + 1 and all(map(_is_float, parts[1:]))
    except ValueError:
        return False


def _is_float(part: bytes) -> bool:
    float(part)
    return True


class _WithoutSubwords:
    def compose(self, word: str) -> np.ndarray | None:
        return None


class BinaryFile(_WithoutSubwords):
    """word2vec's binary form: ``word``, a space, and 4-byte floats."""

    def __init__(self, path: Path, dim: int, count: int) -> None:
        self.path, self.dim, self.count = path, dim, count

    def read(self, wanted: frozenset[str] | None) -> Rows:
        keys = None if wanted is None else {word.encode() for word in wanted}
        found: Rows = {}
        for word, row in self._rows(keys, self.count):
            found.setdefault(decode(word), row)
        return found

    def first_words(self, n: int) -> list[str]:
        return [decode(word) for word, _ in self._rows(None, min(n, self.count))]

    def _rows(
        self, keys: set[bytes] | None, count: int
    ) -> Iterator[tuple[bytes, np.ndarray]]:
        """Hop from word to word; nothing is made of the rows between."""
        size = 4 * self.dim
        with reading(self.path) as stream:
            stream.readline()
            data, place = stream.read(BLOCK), 0
            for number in range(count):
                space = data.find(b" ", place)
                while space < 0 or space + 1 + size > len(data):
                    more = stream.read(max(BLOCK, size))
                    if not more:
                        raise VectorsError(
                            f"{self.path} promises {self.count} vectors of {self.dim} "
                            f"numbers and ends in number {number + 1}. It is cut "
                            "short; get it anew."
                        )
                    data, place = data[place:] + more, 0
                    space = data.find(b" ")
                word = data[place:space]
                # Some writers put a newline behind each vector, some do not.
                if word[:1] == b"\n":
                    word = word[1:]
                if keys is None or word in keys:
                    row = np.frombuffer(data, "<f4", self.dim, space + 1)
                    yield word, row.astype(np.float32)
                place = space + 1 + size


class TextFile(_WithoutSubwords):
    """A word and its numbers on each line; ``count`` when there is a header."""

    def __init__(self, path: Path, dim: int, count: int | None) -> None:
        self.path, self.dim, self.count = path, dim, count

    def read(self, wanted: frozenset[str] | None) -> Rows:
        keys = None if wanted is None else {word.encode() for word in wanted}
        found: Rows = {}
        number = 0
        for number, line in self._lines():
            # GloVe has words with spaces in them; the last dim parts are the numbers.
            space = line.find(b" ")
            if keys is not None and line[:space] not in keys:
                continue
            word, row = self._parse(number, line)
            if keys is None or word in keys:
                found.setdefault(decode(word), row)
        if number:
            self._parse(number, line)
        rows = number - (self.count is not None)
        if self.count is not None and rows != self.count:
            raise VectorsError(
                f"{self.path} promises {self.count} vectors and holds {rows}. It is "
                "cut short or damaged; get it anew."
            )
        return found

    def first_words(self, n: int) -> list[str]:
        words: list[str] = []
        for number, line in self._lines():
            if len(words) == n:
                break
            words.append(decode(self._parse(number, line)[0]))
        return words

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with reading(self.path) as stream:
            for number, line in enumerate(stream, 1):
                if number == 1 and self.count is not None:
                    continue
                line = line.rstrip(b" \r\n")
                if line:
                    yield number, line

    def _parse(self, number: int, line: bytes) -> tuple[bytes, np.ndarray]:
        word, *numbers = line.rsplit(b" ", self.dim)
        try:
            if len(numbers) != self.dim:
                raise ValueError(f"{len(numbers)} numbers")
            return word, np.array(numbers, np.float32)
        except ValueError as error:
            raise VectorsError(
                f"{self.path}, line {number}: expected a word and {self.dim} numbers "
                f"({error}). Got {line[:40]!r}; the file is cut short or damaged."
            ) from None
