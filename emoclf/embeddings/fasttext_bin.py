"""fastText's binary models, without fastText's package (which fails on NumPy 2).

Layout: facebookresearch/fastText, ``src/fasttext.cc``, ``dictionary.cc``, ``args.cc``,
version 12. The matrix is mapped, so that only the rows in use are read from the disk.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO

import numpy as np

from emoclf.embeddings.formats import Rows, decode
from emoclf.errors import VectorsError

VERSION = 12
# dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn,
# lrUpdateRate, t
ARGUMENTS = struct.Struct("<12id")
DICTIONARY = struct.Struct("<3i2q")


class FastTextFile:
    """Words, sub-words and their vectors.

    A word's vector is the mean of its own row and the rows of its character n-grams;
    an unknown word has the n-grams alone (Bojanowski et al., 2017).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with open(path, "rb") as stream:
            try:
                self._read_head(stream)
            except struct.error:
                raise VectorsError(f"{path} is cut short. Get it anew.") from None
            start = stream.tell()
        rows = len(self.words) + self.buckets
        if path.stat().st_size < start + 4 * rows * self.dim:
            raise VectorsError(
                f"{path} promises {rows} rows of {self.dim} numbers and is cut short. "
                "Get it anew."
            )
        shape = (rows, self.dim)
        self._matrix = np.memmap(path, np.dtype("<f4"), "r", start, shape)

    def _read_head(self, stream: IO[bytes]) -> None:
        _, version = _unpack(stream, struct.Struct("<2i"))
        if version != VERSION:
            raise VectorsError(
                f"{self.path} is a fastText model of version {version}; known is "
                f"{VERSION}."
            )
        arguments = _unpack(stream, ARGUMENTS)
        self.dim, self.buckets = arguments[0], arguments[8]
        self.shortest, self.longest = arguments[9], arguments[10]
        size, n_words, _, _, pruned = _unpack(stream, DICTIONARY)
        data, place = stream.read(), 0
        words = []
        for _ in range(size):
            end = data.index(b"\x00", place)
            # Behind the word: its count (8 bytes) and whether it is a label (1 byte).
            if data[end + 9] == 0:
                words.append(decode(data[place:end]))
            place = end + 10
        self.words = {word: row for row, word in enumerate(words[:n_words])}
        stream.seek(-len(data) + place, 1)
        if pruned > 0 or _unpack(stream, struct.Struct("<?"))[0]:
            raise VectorsError(
                f"{self.path} is a quantized fastText model (.ftz), which keeps no "
                "vectors. Use the full model."
            )
        rows, columns = _unpack(stream, struct.Struct("<2q"))
        if (rows, columns) != (len(words) + self.buckets, self.dim):
            raise VectorsError(
                f"{self.path} is damaged: its matrix has {rows} x {columns} numbers, "
                f"expected {len(words) + self.buckets} x {self.dim}."
            )

    def read(self, wanted: frozenset[str] | None) -> Rows:
        words = (w for w in self.words if wanted is None or w in wanted)
        return {word: self._vector(word) for word in words}

    def first_words(self, n: int) -> list[str]:
        return list(self.words)[:n]

    def compose(self, word: str) -> np.ndarray | None:
        return self._vector(word) if self._ngrams(word) else None

    def _vector(self, word: str) -> np.ndarray:
        rows = self._ngrams(word)
        if word in self.words:
            rows = [self.words[word], *rows]
        return np.asarray(self._matrix[rows]).mean(0, dtype=np.float32)

    def _ngrams(self, word: str) -> list[int]:
        if not self.buckets or self.longest < 1:
            return []
        from gensim.models.fasttext import ft_ngram_hashes

        hashes = ft_ngram_hashes(word, self.shortest, self.longest, self.buckets)
        return [len(self.words) + int(number) for number in hashes]


def _unpack(stream: IO[bytes], layout: struct.Struct) -> tuple:
    return layout.unpack(stream.read(layout.size))
