"""word2vec's binary form: a header, then words, spaces and 4-byte floats.

Layout: Mikolov's ``word2vec.c``. Its own writer puts a newline behind each vector,
other writers do not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from emoclf.embeddings.kept_rows import Rows, require_finite
from emoclf.embeddings.vector_files import BLOCK, decode, encoded, reading
from emoclf.errors import VectorsError

# Bytes; where no space comes within so many, no word begins.
LONGEST_WORD = 4096
# Words that are looked at for control characters, the sign of a wrong dimension.
LOOKED_AT = 100
CONTROL = bytes(range(32))


class BinaryFile:
    """A file of ``count`` vectors of ``dim`` numbers, plain or packed."""

    def __init__(
        self, path: Path, dim: int, count: int, *, packed: bool = False
    ) -> None:
        self.path, self.dim, self.count = path, dim, count
        # A vector, a space and a word of one byte.
        least = count * (4 * dim + 2)
        if not packed and path.stat().st_size < least:
            raise VectorsError(
                f"{path} promises {count} vectors of {dim} numbers, which take {least} "
                f"bytes or more, and has {path.stat().st_size}. It is cut short, or "
                "its header is wrong; get it anew."
            )

    def read(self, wanted: frozenset[str] | None) -> Rows:
        keys = encoded(wanted)
        rows = Rows(self.dim, self.count if keys is None else len(keys))
        for word, row in self._rows(self.count):
            if keys is None or word in keys:
                rows.add(decode(word), row)
        return rows

    def first_words(self, n: int) -> list[str]:
        return [decode(word) for word, _ in self._rows(min(n, self.count))]

    def compose(self, words: Sequence[str]) -> Rows:
        return Rows(self.dim)

    def _rows(self, count: int) -> Iterator[tuple[bytes, np.ndarray]]:
        """Hop from word to word; a row is a view of the block that was read."""
        dim, size = self.dim, 4 * self.dim
        with reading(self.path) as stream:
            before = len(stream.readline())
            data, place = stream.read(BLOCK), 0
            for number in range(1, count + 1):
                space = data.find(b" ", place, place + LONGEST_WORD)
                while space + 1 + size > len(data) or space < 0:
                    if space < 0 and len(data) - place >= LONGEST_WORD:
                        raise self._misplaced(number, before + place)
                    more = stream.read(max(BLOCK, size))
                    if not more:
                        raise self._cut_short(number)
                    before += place
                    data, place = data[place:] + more, 0
                    space = data.find(b" ", 0, LONGEST_WORD)
                word = data[place:space]
                if word[:1] == b"\n":
                    word = word[1:]
                if number <= LOOKED_AT and word.translate(None, CONTROL) != word:
                    raise self._misplaced(number, before + place)
                row = np.frombuffer(data, "<f4", dim, space + 1)
                # One product tells what a look at each number would, in half the time.
                if not math.isfinite(row.dot(row)):
                    where = f"{self.path}, vector {number} (byte {before + place})"
                    require_finite(row, decode(word), where)
                yield word, row
                place = space + 1 + size
            if count == self.count:
                self._check_end(data[place:], stream, before + place)

    def _check_end(self, rest: bytes, stream: IO[bytes], place: int) -> None:
        rest = (rest + stream.read(BLOCK)).strip()
        if rest:
            raise VectorsError(
                f"{self.path}: behind the {self.count} vectors of {self.dim} numbers "
                f"that the header promises, at byte {place}, stands {rest[:20]!r}. The "
                "header's count or dimension is wrong."
            )

    def _cut_short(self, number: int) -> VectorsError:
        return VectorsError(
            f"{self.path} promises {self.count} vectors of {self.dim} numbers and ends "
            f"in number {number}. It is cut short; get it anew."
        )

    def _misplaced(self, number: int, place: int) -> VectorsError:
        return VectorsError(
            f"{self.path}: no word stands at byte {place}, where vector {number} "
            f"should begin. The header's dimension, {self.dim}, is wrong, or the file "
            "is damaged."
        )
