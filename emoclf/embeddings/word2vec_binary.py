"""word2vec's binary format: a header, then words, spaces and 4-byte floats.

Layout: Mikolov's ``word2vec.c``. Its own writer puts a newline after each vector,
other writers do not.
"""

from __future__ import annotations

import logging
import math
from typing import IO

import numpy as np

from emoclf.embeddings.vector_io import (
    FileStart,
    Rows,
    VectorSource,
    decode,
    encode_words,
    require_finite,
)
from emoclf.embeddings.vector_streams import BLOCK_BYTES, open_stream
from emoclf.errors import VectorsError

logger = logging.getLogger(__name__)

# Without a space within this many bytes, there is no word.
MAX_WORD_BYTES = 4096
# Number of first words that are checked for control characters, the sign of a wrong
# dimension.
N_CHECKED_WORDS = 100
CONTROL_BYTES = frozenset(range(32))


class BinaryFile(VectorSource):
    """A file of ``count`` vectors of ``dim`` numbers, plain or gzip."""

    count: int

    @staticmethod
    def recognises(start: FileStart) -> bool:
        """Return whether the file has a header and no numbers as text after it."""
        return start.header is not None and start.n_numbers == 0

    def __init__(self, start: FileStart) -> None:
        assert start.header is not None
        self.path = path = start.path
        self.count, self.dim = start.header
        # A vector, a space and a word of one byte; a header may count one too many.
        min_bytes = (self.count - 1) * (4 * self.dim + 2)
        if not start.compressed and (n_bytes := path.stat().st_size) < min_bytes:
            raise VectorsError(
                f"{path} promises {self.count} vectors of {self.dim} numbers, which "
                f"take at least {min_bytes} bytes, and has {n_bytes}. It is cut short, "
                "or its header is wrong; download it again."
            )

    def rows(self, wanted: frozenset[str] | None) -> Rows:
        """Yield each wanted word and its row, a view of the block that was read."""
        keys = encode_words(wanted)
        dim, size = self.dim, 4 * self.dim
        with open_stream(self.path) as stream:
            before = len(stream.readline())
            data, offset = stream.read(BLOCK_BYTES), 0
            for number in range(1, min(self.count, self.limit or self.count) + 1):
                space = data.find(b" ", offset, offset + MAX_WORD_BYTES)
                while space + 1 + size > len(data) or space < 0:
                    if space < 0 and len(data) - offset >= MAX_WORD_BYTES:
                        raise self._misplaced(number, before + offset)
                    more = stream.read(max(BLOCK_BYTES, size))
                    at_end = not more and not data[offset:].strip()
                    if at_end and number == self.count:
                        # A cut would hardly fall between two vectors.
                        logger.info(
                            "%s: the header promises %d vectors, one too many.",
                            self.path, self.count,
                        )  # fmt: skip
                        return
                    if not more:
                        raise VectorsError(
                            f"{self.path} promises {self.count} vectors of {dim} "
                            f"numbers and ends in vector {number}. It is cut short; "
                            "download it again."
                        )
                    before += offset
                    data, offset = data[offset:] + more, 0
                    space = data.find(b" ", 0, MAX_WORD_BYTES)
                word = data[offset:space].removeprefix(b"\n")
                if number <= N_CHECKED_WORDS and set(word) & CONTROL_BYTES:
                    raise self._misplaced(number, before + offset)
                row = np.frombuffer(data, "<f4", dim, space + 1)
                # One product checks all numbers, in half the time of np.isfinite.
                if not math.isfinite(row.dot(row)):
                    where = f"{self.path}, vector {number} (byte {before + offset})"
                    require_finite(row, decode(word), where)
                if keys is None or word in keys:
                    yield decode(word), row
                offset = space + 1 + size
            if self.limit is None:
                self._check_end(data[offset:], stream, before + offset)

    def _check_end(self, rest: bytes, stream: IO[bytes], offset: int) -> None:
        rest = (rest + stream.read(BLOCK_BYTES)).strip()
        if rest:
            raise VectorsError(
                f"{self.path}: after the {self.count} vectors of {self.dim} numbers "
                f"that the header promises, byte {offset} begins with {rest[:20]!r}. "
                "The header's count or dimension is wrong."
            )

    def _misplaced(self, number: int, offset: int) -> VectorsError:
        return VectorsError(
            f"{self.path}: there is no word at byte {offset}, where vector {number} "
            f"should begin. The header's dimension, {self.dim}, is wrong, or the file "
            "is damaged."
        )
