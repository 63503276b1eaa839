"""Vectors as text: word2vec ``.txt`` and fastText ``.vec``, and GloVe without a header.

Every line is counted and looked through for what is not finite; only the numbers of
wanted words are parsed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from emoclf.embeddings.kept_rows import Rows, require_finite
from emoclf.embeddings.vector_files import decode, encoded, is_number, reading
from emoclf.errors import VectorsError


class TextFile:
    """A word and its numbers on each line; ``count`` when there is a header."""

    def __init__(self, path: Path, dim: int, count: int | None) -> None:
        self.path, self.dim, self.count = path, dim, count

    def read(self, wanted: frozenset[str] | None) -> Rows:
        keys = encoded(wanted)
        expected = self.count or 1024 if keys is None else len(keys)
        rows = Rows(self.dim, expected)
        found = 0
        for number, line in self._lines():
            found += 1
            space = line.find(b" ")
            usual = (
                line.count(b" ") == self.dim
                # nan and inf have an n; numbers have none.
                and line.find(b"n", space) < 0
                and line.find(b"N", space) < 0
            )
            if usual and keys is not None and line[:space] not in keys:
                continue
            word, row = self._parse(number, line)
            if keys is None or word in keys:
                rows.add(decode(word), row)
        if self.count is not None and found != self.count:
            raise VectorsError(
                f"{self.path} promises {self.count} vectors and holds {found}. It is "
                "cut short or damaged; get it anew."
            )
        return rows

    def first_words(self, n: int) -> list[str]:
        words: list[str] = []
        for number, line in self._lines():
            if len(words) == n:
                break
            words.append(decode(self._parse(number, line)[0]))
        return words

    def compose(self, words: Sequence[str]) -> Rows:
        return Rows(self.dim)

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with reading(self.path) as stream:
            for number, line in enumerate(stream, 1):
                if number == 1 and self.count is not None:
                    continue
                # fastText puts a space behind the last number.
                line = line.rstrip(b" \r\n")
                if line:
                    yield number, line

    def _parse(self, number: int, line: bytes) -> tuple[bytes, np.ndarray]:
        # GloVe has words with spaces in them, such as "at name@domain.com".
        word, *numbers = line.rsplit(b" ", self.dim)
        _, space, before = word.rpartition(b" ")
        try:
            if len(numbers) != self.dim:
                raise ValueError(f"found {len(numbers)}")
            if space and is_number(before):
                raise ValueError("found more")
            row = np.array(numbers, np.float32)
        except ValueError as error:
            raise VectorsError(
                f"{self.path}, line {number}: expected a word and {self.dim} numbers "
                f"({error}). Got {line[:40]!r}; the file is cut short or damaged."
            ) from None
        require_finite(row, decode(word), f"{self.path}, line {number}")
        return word, row
