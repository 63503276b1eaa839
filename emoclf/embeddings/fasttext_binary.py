"""fastText's binary models, read without fastText's package (it fails on NumPy 2).

Layout: facebookresearch/fastText, ``src/fasttext.cc``, ``dictionary.cc``, ``args.cc``,
versions 11 and 12. Such a file has gigabytes, so it is mapped into memory, and of its
matrix only the rows in use are read.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import NamedTuple

import numpy as np

from emoclf.embeddings.vector_io import FileStart, VectorSource, decode, open_stream
from emoclf.embeddings.vector_rows import VectorRows
from emoclf.errors import VectorsError

MAGIC = struct.pack("<i", 793712314)
VERSIONS = (11, 12)
# dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn,
# lrUpdateRate, t
ARGUMENTS = struct.Struct("<12id")
# size, nwords, nlabels, ntokens, pruneidx_size
DICTIONARY = struct.Struct("<3i2q")
SUPERVISED = 3
END_OF_SENTENCE = "</s>"


class _Dictionary(NamedTuple):
    """Rows of the wanted words, and the byte where the matrix begins."""

    rows: dict[str, int]
    n_words: int
    matrix_at: int
    n_rows: int


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
        start.require_uncompressed()
        self.path = path = start.path
        with self._mapped() as data:
            _, version = self._unpack(data, struct.Struct("<2i"))
            if version not in VERSIONS:
                raise VectorsError(
                    f"{path} is a fastText model of version {version}; versions "
                    f"{VERSIONS[0]} and {VERSIONS[1]} can be read."
                )
            arguments = self._unpack(data, ARGUMENTS)
            self.dim, model, self.n_buckets = (arguments[i] for i in (0, 7, 8))
            self.min_n, self.max_n = arguments[9], arguments[10]
            if version == 11 and model == SUPERVISED:
                # As fasttext.cc: version 11 had no character n-grams in them.
                self.max_n = 0
            self._size, n_words, _, _, self._pruned = self._unpack(data, DICTIONARY)
            self._words_at = data.tell()
        if self.dim < 1 or n_words < 1 or self.n_buckets < 0:
            raise VectorsError(
                f"{path} is a damaged fastText model: {n_words} words of "
                f"{self.dim} numbers. Download it again."
            )

    def read(self, wanted: frozenset[str] | None) -> VectorRows:
        dictionary = self._dictionary(wanted)
        rows_of = {
            word: [row, *self._ngram_rows(word, dictionary.n_words)]
            for word, row in dictionary.rows.items()
        }
        return self._means(rows_of, dictionary)

    def first_words(self, n: int) -> list[str]:
        with self._mapped() as data:
            words = (word for word, is_label, _ in self._entries(data) if not is_label)
            return [decode(word) for word in islice(words, n)]

    def compose(self, words: Sequence[str]) -> VectorRows:
        dictionary = self._dictionary(frozenset())
        rows_of = {word: self._ngram_rows(word, dictionary.n_words) for word in words}
        with_ngrams = {word: rows for word, rows in rows_of.items() if rows}
        return self._means(with_ngrams, dictionary)

    def _dictionary(self, wanted: frozenset[str] | None) -> _Dictionary:
        rows: dict[str, int] = {}
        n_words, end = 0, self._words_at
        with self._mapped() as data:
            for raw, is_label, end in self._entries(data):  # noqa: B007
                if is_label:
                    continue
                word = decode(raw)
                if wanted is None or word in wanted:
                    rows.setdefault(word, n_words)
                n_words += 1
            data.seek(end)
            if self._pruned > 0 or self._unpack(data, struct.Struct("<?"))[0]:
                raise VectorsError(
                    f"{self.path} is a quantized fastText model (.ftz), which contains "
                    "no vectors. Use the full model."
                )
            shape = self._unpack(data, struct.Struct("<2q"))
            matrix_at = data.tell()
        expected = (n_words + self.n_buckets, self.dim)
        if shape != expected:
            raise VectorsError(
                f"{self.path} is damaged: its matrix has {shape[0]} x {shape[1]} "
                f"numbers, expected {expected[0]} x {expected[1]}."
            )
        if self.path.stat().st_size < matrix_at + 4 * shape[0] * shape[1]:
            raise VectorsError(
                f"{self.path} promises {shape[0]} rows of {self.dim} numbers and is "
                "cut short. Download it again."
            )
        return _Dictionary(rows, n_words, matrix_at, shape[0])

    def _entries(self, data: mmap.mmap) -> Iterator[tuple[bytes, bool, int]]:
        """Yield each word, whether it is a label, and the byte after its entry."""
        place = self._words_at
        for _ in range(self._size):
            end = data.find(b"\x00", place)
            # After the word: its count (8 bytes) and whether it is a label (1 byte).
            if end < 0 or end + 10 > len(data):
                raise VectorsError(
                    f"{self.path} is cut short within its words. Download it again."
                )
            yield data[place:end], data[end + 9] != 0, end + 10
            place = end + 10

    def _ngram_rows(self, word: str, n_words: int) -> list[int]:
        if not self.n_buckets or self.max_n < 1 or word == END_OF_SENTENCE:
            return []
        from gensim.models.fasttext import ft_ngram_hashes

        hashes = ft_ngram_hashes(word, self.min_n, self.max_n, self.n_buckets)
        return [n_words + int(number) for number in hashes]

    def _means(
        self, rows_of: dict[str, list[int]], dictionary: _Dictionary
    ) -> VectorRows:
        """Return the mean of each word's rows."""
        means = VectorRows(self.dim, len(rows_of))
        if not rows_of:
            return means
        lengths = np.array([len(rows) for rows in rows_of.values()])
        owners = np.repeat(np.arange(len(lengths)), lengths)
        numbers = np.concatenate([np.array(rows) for rows in rows_of.values()])
        matrix = np.memmap(
            self.path, "<f4", "r", dictionary.matrix_at, (dictionary.n_rows, self.dim)
        ).view(np.ndarray)
        sums = np.zeros((len(lengths), self.dim), np.float32)
        # In the order of the file, since a mapped file is fastest read in order.
        order = np.argsort(numbers, kind="stable")
        for owner, number in zip(owners[order], numbers[order], strict=True):
            sums[owner] += matrix[number]
        for word, row_sum, length in zip(rows_of, sums, lengths, strict=True):
            means.add(word, row_sum / length)
        return means

    @contextmanager
    def _mapped(self) -> Iterator[mmap.mmap]:
        with (
            open_stream(self.path) as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            yield data

    def _unpack(self, data: mmap.mmap, layout: struct.Struct) -> tuple:
        try:
            return layout.unpack(data.read(layout.size))
        except struct.error:
            raise VectorsError(
                f"{self.path} is cut short. Download it again."
            ) from None
