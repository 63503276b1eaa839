"""fastText's binary models, read without fastText's package (it fails on NumPy 2).

Layout: facebookresearch/fastText, ``src/fasttext.cc``, ``dictionary.cc``, ``args.cc``,
versions 11 and 12. Such a file has gigabytes, so it is mapped into memory, and of its
matrix only the rows in use are read.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Sequence
from itertools import chain, islice

import numpy as np

from emoclf.embeddings.vector_io import (
    MAX_NGRAM,
    FileStart,
    Rows,
    VectorSource,
    decode,
)
from emoclf.embeddings.vector_streams import open_stream
from emoclf.errors import VectorsError

MAGIC = struct.pack("<i", 793712314)
VERSIONS = (11, 12)
# magic, version; dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn,
# maxn, lrUpdateRate, t; size, nwords, nlabels, ntokens, pruneidx_size
HEADER = struct.Struct("<2i12id3i2q")
# quant, rows, columns
MATRIX_HEADER = struct.Struct("<?2q")
SUPERVISED = 3
END_OF_SENTENCE = "</s>"


class FastTextFile(VectorSource):
    """Words, sub-words and their vectors.

    A word's vector is the mean of its own row and the rows of its character n-grams;
    an unknown word has the n-grams alone (Bojanowski et al., 2017).
    """

    @staticmethod
    def recognises(start: FileStart) -> bool:
        """Return whether the file begins with fastText's magic number."""
        return start.data.startswith(MAGIC)

    def __init__(self, start: FileStart) -> None:
        self.path = start.path
        if start.compressed:
            raise VectorsError(
                f"{self.path} is a compressed fastText .bin, which cannot be read in "
                "order. Decompress it first, for instance with gunzip or unzip."
            )
        header = self._unpack(HEADER, start.data, 0)
        self.dim, model, self.n_buckets, self.min_n, self.max_n = (
            header[i] for i in (2, 9, 10, 11, 12)
        )
        version, self._size, n_words, pruned = (header[i] for i in (1, 15, 16, 19))
        if version not in VERSIONS:
            raise VectorsError(
                f"{self.path} is a fastText model of version {version}; versions "
                f"{VERSIONS[0]} and {VERSIONS[1]} can be read."
            )
        problem = ""
        if self.dim < 1 or n_words < 1 or self.n_buckets < 0:
            problem = f"{n_words} words of {self.dim} numbers"
        elif not (0 <= self.min_n <= MAX_NGRAM and 0 <= self.max_n <= MAX_NGRAM):
            problem = f"n-grams of {self.min_n} to {self.max_n} characters"
        if problem:
            raise VectorsError(
                f"{self.path} is a damaged fastText model: {problem}. Download it "
                "again."
            )
        self._check_quantized(pruned > 0)
        if version == 11 and model == SUPERVISED:
            # As fasttext.cc: version 11 had no character n-grams in them.
            self.max_n = 0

    def rows(self, wanted: frozenset[str] | None) -> Rows:
        rows, matrix = self._dictionary(wanted)
        return self._means(
            {word: [row, *self._ngrams(word, matrix)] for word, row in rows.items()},
            matrix,
        )

    def first_words(self, n: int) -> list[str]:
        with self._mapped() as data:
            words = (word for word, is_label, _ in self._entries(data) if not is_label)
            n = n if self.limit is None else min(n, self.limit)
            return [decode(word) for word in islice(words, n)]

    def compose(self, words: Sequence[str]) -> Rows:
        _, matrix = self._dictionary(frozenset())
        rows_of = {word: self._ngrams(word, matrix) for word in words}
        return self._means(rows_of, matrix)

    def _dictionary(
        self, wanted: frozenset[str] | None
    ) -> tuple[dict[str, int], np.ndarray]:
        """Return the row of each wanted word, and the mapped matrix."""
        rows: dict[str, int] = {}
        n_words, end = 0, HEADER.size
        with self._mapped() as data:
            for raw, is_label, end in self._entries(data):  # noqa: B007
                if is_label:
                    continue
                word = decode(raw)
                in_limit = self.limit is None or n_words < self.limit
                if in_limit and (wanted is None or word in wanted):
                    rows.setdefault(word, n_words)
                n_words += 1
            quantized, *shape = self._unpack(MATRIX_HEADER, data, end)
        self._check_quantized(quantized)
        matrix_at = end + MATRIX_HEADER.size
        expected = [n_words + self.n_buckets, self.dim]
        n_bytes = matrix_at + 4 * expected[0] * expected[1]
        if shape != expected or self.path.stat().st_size < n_bytes:
            raise VectorsError(
                f"{self.path} is damaged or cut short: it must have a matrix of "
                f"{expected[0]} x {expected[1]} numbers and at least {n_bytes} bytes. "
                "Download it again."
            )
        matrix = np.memmap(self.path, "<f4", "r", matrix_at, tuple(shape))
        return rows, matrix.view(np.ndarray)

    def _entries(self, data: mmap.mmap) -> Iterator[tuple[bytes, bool, int]]:
        """Yield each word, whether it is a label, and the byte after its entry."""
        offset = HEADER.size
        for _ in range(self._size):
            end = data.find(b"\x00", offset)
            # After the word: its count (8 bytes) and whether it is a label (1 byte).
            if end < 0 or end + 10 > len(data):
                raise VectorsError(
                    f"{self.path} is cut short within its words. Download it again."
                )
            yield data[offset:end], data[end + 9] != 0, end + 10
            offset = end + 10

    def _ngrams(self, word: str, matrix: np.ndarray) -> list[int]:
        """Return the rows of a word's character n-grams, which follow the words."""
        if not self.n_buckets or self.max_n < 1 or word == END_OF_SENTENCE:
            return []
        from gensim.models.fasttext import ft_ngram_hashes

        hashes = ft_ngram_hashes(word, self.min_n, self.max_n, self.n_buckets)
        return [len(matrix) - self.n_buckets + int(number) for number in hashes]

    def _means(self, rows_of: dict[str, list[int]], matrix: np.ndarray) -> Rows:
        """Yield each word with the mean of its rows, if it has any."""
        rows_of = {word: rows for word, rows in rows_of.items() if rows}
        if not rows_of:
            return iter(())
        lengths = np.array([len(rows) for rows in rows_of.values()])
        owners = np.repeat(np.arange(len(lengths)), lengths)
        numbers = np.array(list(chain.from_iterable(rows_of.values())))
        sums = np.zeros((len(lengths), self.dim), np.float32)
        # In the order of the file, since a mapped file is fastest read in order.
        order = np.argsort(numbers, kind="stable")
        for owner, number in zip(owners[order], numbers[order], strict=True):
            sums[owner] += matrix[number]
        means = (
            row_sum / length for row_sum, length in zip(sums, lengths, strict=True)
        )
        return zip(rows_of, means, strict=True)

    def _mapped(self) -> mmap.mmap:
        with open_stream(self.path) as stream:
            return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)

    def _check_quantized(self, quantized: bool) -> None:
        if quantized:
            raise VectorsError(
                f"{self.path} is a quantized fastText model (.ftz), which contains no "
                "vectors. Use the full model."
            )

    def _unpack(
        self, layout: struct.Struct, data: bytes | mmap.mmap, offset: int
    ) -> tuple:
        try:
            return layout.unpack_from(data, offset)
        except struct.error:
            raise VectorsError(
                f"{self.path} is cut short. Download it again."
            ) from None
