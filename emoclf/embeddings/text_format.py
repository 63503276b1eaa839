"""Vectors as text: word2vec ``.txt`` and fastText ``.vec``, and GloVe without a header.

Every line is counted and searched for numbers that are not finite; only the numbers
of wanted words are parsed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice

import numpy as np

from emoclf.embeddings.vector_io import (
    FileStart,
    Rows,
    VectorSource,
    decode,
    encode_words,
    is_number,
    require_finite,
)
from emoclf.embeddings.vector_streams import open_stream
from emoclf.errors import VectorsError

logger = logging.getLogger(__name__)

# A word with fewer numbers in it is taken for a phrase, whatever the dimension.
MIN_NUMBERS = 3


class TextFile(VectorSource):
    """A file with a word and its numbers on each line, with a header or without."""

    @staticmethod
    def recognises(start: FileStart) -> bool:
        """Return whether the first lines with vectors end in numbers."""
        return start.n_numbers >= (2 if start.header is None else 1)

    def __init__(self, start: FileStart) -> None:
        self.path = start.path
        self.count, self.dim = start.header or (None, start.n_numbers)
        self._ends_whole = False
        if start.n_numbers != self.dim:
            raise VectorsError(
                f"{self.path}: the header promises {self.dim} numbers per word; most "
                f"of the first lines have {start.n_numbers}. The header is wrong, or "
                "the file is damaged."
            )

    def rows(self, wanted: frozenset[str] | None) -> Rows:
        keys = encode_words(wanted)
        n_lines = 0
        for number, line in islice(self._lines(), self.limit):
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
        if self.limit is None and self.count not in (None, n_lines):
            self._check_count(n_lines)

    def _check_count(self, n_lines: int) -> None:
        """Raise an error if lines are missing; a header may count one too many."""
        missing = (self.count or 0) - n_lines
        if missing > 1 or (missing == 1 and not self._ends_whole):
            raise VectorsError(
                f"{self.path} promises {self.count} vectors and contains {n_lines}. It "
                "is cut short or damaged; download it again."
            )
        logger.info(
            "%s: the header promises %d vectors, and there are %d; all lines are "
            "complete.",
            self.path, self.count, n_lines,
        )  # fmt: skip

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        line = b""
        with open_stream(self.path) as stream:
            for number, line in enumerate(stream, 1):
                if number == 1 and self.count is not None:
                    continue
                # fastText writes a space after the last number.
                content = line.rstrip(b" \t\r\n")
                # Some files have tabs, or two spaces after the word. Two replacements
                # take a tenth of the time of a regular expression.
                content = content.replace(b"\t", b" ")
                while b"  " in content:
                    content = content.replace(b"  ", b" ")
                if content:
                    yield number, content
        self._ends_whole = line.endswith(b"\n")

    def _parse(self, number: int, line: bytes) -> tuple[bytes, np.ndarray]:
        # GloVe has words with spaces in them, such as "at name@domain.com".
        word, *numbers = line.rsplit(b" ", self.dim)
        try:
            if len(numbers) != self.dim:
                raise ValueError(f"found {len(numbers)} numbers")
            # A phrase may contain numbers; as many as a vector has are another line.
            if sum(map(is_number, word.split()[1:])) >= max(MIN_NUMBERS, self.dim - 1):
                raise ValueError("found more numbers")
            row = np.array(numbers, np.float32)
        except ValueError as error:
            raise VectorsError(
                f"{self.path}, line {number}: expected a word and {self.dim} numbers "
                f"({error}). Got {line[:40]!r}; the file is cut short or damaged."
            ) from None
        require_finite(row, decode(word), f"{self.path}, line {number}")
        return word, row
