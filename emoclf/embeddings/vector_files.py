"""Which kind of vector file this is; the readers are in files of their own."""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from emoclf.embeddings.kept_rows import Rows
from emoclf.errors import VectorsError, did_you_mean

BLOCK = 1 << 22
GZIP = b"\x1f\x8b"
PICKLE = b"\x80"
FASTTEXT_MAGIC = (793712314).to_bytes(4, "little")
HEADER = re.compile(rb"\s*(\d+)\s+(\d+)\s*")
WIDEST = 100_000
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

    def compose(self, words: Sequence[str]) -> Rows:
        """Make vectors of unknown words from sub-words, where the file has any."""


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
        packed = isinstance(stream, gzip.GzipFile)
    if not head:
        raise VectorsError(f"{path} is empty. Known are {KINDS}.")
    if head[:4] == FASTTEXT_MAGIC or head[:1] == PICKLE:
        return _open_unpacked(path, head, packed)
    first, newline, rest = head.partition(b"\n")
    header = HEADER.fullmatch(first)
    if not header:
        return _open_without_header(path, head)
    count, dim = int(header[1]), int(header[2])
    if not newline or not rest or count < 1 or not 1 <= dim <= WIDEST:
        raise VectorsError(
            f"{path}: the header {first[:40]!r} promises {count} vectors of {dim} "
            f"numbers, and {len(rest)} bytes follow. The file is cut short, or no file "
            "of vectors."
        )
    numbers = _numbers_of(rest.partition(b"\n")[0])
    if numbers not in (0, dim):
        raise VectorsError(
            f"{path}, line 2: the header promises {dim} numbers a word; found "
            f"{numbers}. The header is wrong, or the file is damaged."
        )
    if numbers:
        from emoclf.embeddings.text_format import TextFile

        return TextFile(path, dim, count)
    from emoclf.embeddings.word2vec_binary import BinaryFile

    return BinaryFile(path, dim, count, packed=packed)


def _open_unpacked(path: Path, head: bytes, packed: bool) -> VectorFile:
    if packed:
        raise VectorsError(
            f"{path} is a packed fastText .bin or gensim file, which is not read in "
            "order. Unpack it first: gunzip."
        )
    if head[:4] == FASTTEXT_MAGIC:
        from emoclf.embeddings.fasttext_binary import FastTextFile

        return FastTextFile(path)
    from emoclf.embeddings.gensim_files import GensimFile

    return GensimFile(path)


def _open_without_header(path: Path, head: bytes) -> VectorFile:
    from emoclf.embeddings.text_format import TextFile

    line, newline, _ = head.partition(b"\n")
    dim = _numbers_of(line)
    if newline and dim >= 2:
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
            if plain.read(2) != GZIP:
                plain.seek(0)
                yield plain
                return
        with gzip.open(path, "rb") as packed:
            yield packed  # type: ignore[misc]
    except FileNotFoundError:
        folder = path.parent
        beside = os.listdir(folder) if folder.is_dir() else []
        raise VectorsError(
            f"There is no file {path}.{did_you_mean(path.name, beside)}"
        ) from None
    except (EOFError, zlib.error) as error:
        raise VectorsError(
            f"{path} is cut short or damaged ({error}). Get it anew."
        ) from error
    except OSError as error:
        raise VectorsError(f"Cannot read {path}: {error}.") from error


def decode(word: bytes) -> str:
    """Return a word; some files hold bytes that are no UTF-8."""
    return word.decode("utf-8", "replace")


def encoded(words: frozenset[str] | None) -> set[bytes] | None:
    """Return the words as they stand in a file."""
    return (
        None if words is None else {word.encode("utf-8", "replace") for word in words}
    )


def is_number(part: bytes) -> bool:
    """Say whether these bytes are a number."""
    try:
        float(part)
    except ValueError:
        return False
    return True


def _numbers_of(line: bytes) -> int:
    """Count the numbers at the end of a row; its first part is the word."""
    count = 0
    for part in reversed(line.rstrip().split(b" ")[1:]):
        if not is_number(part):
            break
        count += 1
    return count
