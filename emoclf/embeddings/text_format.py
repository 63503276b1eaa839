"""Vectors as text: word2vec ``.txt`` and fastText ``.vec``, and GloVe without a header.

Every line is counted and searched for numbers that are not finite; only the numbers
of wanted words are parsed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from emoclf.embeddings.vector_io import (
    FileStart,
    Rows,
    VectorSource,
    decode,
    encode_words,
    is_number,
    open_stream,
    require_finite,
)
from emoclf.errors import VectorsError


class TextFile(VectorSource):
    """A file with a word and its numbers on each line, with a header or without."""

    @staticmethod
    def recognises(start: FileStart) -> bool:
        """Return whether the first line with a vector ends in numbers."""
        return start.n_numbers >= (2 if start.header is None else 1)

    def __init__(self, start: FileStart) -> None:
        self.path = start.path
        self.count, self.dim = start.header or (None, start.n_numbers)
        if start.n_numbers != self.dim:
            raise VectorsError(
                f"{self.path}, line 2: the header promises {self.dim} numbers per "
                f"word; the line has {start.n_numbers}. The header is wrong, or the "
                "file is damaged."
            )

    def rows(self, wanted: frozenset[str] | None) -> Rows:
        keys = encode_words(wanted)
        n_lines = 0
        for number, line in self._lines():
            n_lines += 1
            space = line.find(b" ")
            usual = (
                line.count(b" ") == self.dim
                # Of all that float() reads only nan and inf contain an n.
                and line.find(b"n", space) < 0
                and line.find(b"N", space) < 0
            )
            if usual and keys is not None and line[:space] not in keys:
                continue
            word, row = self._parse(number, line)
            if keys is None or word in keys:
                yield decode(word), row
        if self.count is not None and n_lines != self.count:
            raise VectorsError(
                f"{self.path} promises {self.count} vectors and contains {n_lines}. It "
                "is cut short or damaged; download it again."
            )

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with open_stream(self.path) as stream:
            for number, line in enumerate(stream, 1):
                if number == 1 and self.count is not None:
                    continue
                # fastText writes a space after the last number.
                line = line.rstrip(b" \r\n")
                if line:
                    yield number, line

    def _parse(self, number: int, line: bytes) -> tuple[bytes, np.ndarray]:
        # GloVe has words with spaces in them, such as "at name@domain.com".
        word, *numbers = line.rsplit(b" ", self.dim)
        _, space, before = word.rpartition(b" ")
        try:
            if len(numbers) != self.dim:
                raise ValueError(f"found {len(numbers)} numbers")
            if space and is_number(before):
                raise ValueError("found more numbers")
            row = np.array(numbers, np.float32)
        except ValueError as error:
            raise VectorsError(
                f"{self.path}, line {number}: expected a word and {self.dim} numbers "
                f"({error}). Got {line[:40]!r}; the file is cut short or damaged."
            ) from None
        require_finite(row, decode(word), f"{self.path}, line {number}")
        return word, row
