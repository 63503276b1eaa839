"""fastText's binary models, without fastText's package (which fails on NumPy 2).

Layout: facebookresearch/fastText, ``src/fasttext.cc``, ``dictionary.cc``, ``args.cc``,
versions 11 and 12. Such a file has gigabytes: its dictionary is streamed, and of its
matrix only the blocks with rows in use are read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from emoclf.embeddings.kept_rows import Rows
from emoclf.embeddings.vector_files import decode, reading
from emoclf.errors import VectorsError

VERSIONS = (11, 12)
# dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn,
# lrUpdateRate, t
ARGUMENTS = struct.Struct("<12id")
DICTIONARY = struct.Struct("<3i2q")
SUPERVISED = 3
END_OF_SENTENCE = "</s>"
# Bytes of the dictionary or of the matrix that are read at once.
PIECE = 1 << 18


class _Dictionary(NamedTuple):
    """Where the wanted words stand, and at which byte the matrix begins."""

    rows: dict[str, int]
    n_words: int
    matrix_at: int


class FastTextFile:
    """Words, sub-words and their vectors.

    A word's vector is the mean of its own row and the rows of its character n-grams;
    an unknown word has the n-grams alone (Bojanowski et al., 2017).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with reading(path) as stream:
            _, version = self._unpack(stream, struct.Struct("<2i"))
            if version not in VERSIONS:
                raise VectorsError(
                    f"{path} is a fastText model of version {version}; known are "
                    f"{VERSIONS[0]} and {VERSIONS[1]}."
                )
            arguments = self._unpack(stream, ARGUMENTS)
            self.dim, model, self.buckets = (arguments[i] for i in (0, 7, 8))
            self.shortest, self.longest = arguments[9], arguments[10]
            if version == 11 and model == SUPERVISED:
                # As fasttext.cc: these were written before supervised n-grams.
                self.longest = 0
            self._size, self._n_words, _, _, self._pruned = self._unpack(
                stream, DICTIONARY
            )
            self._words_at = stream.tell()
        if self.dim < 1 or self._n_words < 1 or self.buckets < 0:
            raise VectorsError(
                f"{path} is a damaged fastText model: {self._n_words} words of "
                f"{self.dim} numbers. Get it anew."
            )

    def read(self, wanted: frozenset[str] | None) -> Rows:
        known = self._dictionary(wanted)
        rows_of = {
            word: [row, *self._ngrams(word, known.n_words)]
            for word, row in known.rows.items()
        }
        return self._means(rows_of, known.matrix_at)

    def first_words(self, n: int) -> list[str]:
        words: list[str] = []
        with reading(self.path) as stream:
            stream.seek(self._words_at)
            for word, is_label, _ in self._entries(stream):
                if len(words) == n:
                    break
                if not is_label:
                    words.append(decode(word))
        return words

    def compose(self, words: Sequence[str]) -> Rows:
        known = self._dictionary(frozenset())
        rows_of = {word: self._ngrams(word, known.n_words) for word in words}
        return self._means({w: r for w, r in rows_of.items() if r}, known.matrix_at)

    def _dictionary(self, wanted: frozenset[str] | None) -> _Dictionary:
        rows: dict[str, int] = {}
        number, end = 0, self._words_at
        with reading(self.path) as stream:
            stream.seek(self._words_at)
            for raw, is_label, end in self._entries(stream):  # noqa: B007
                if is_label:
                    continue
                word = decode(raw)
                if wanted is None or word in wanted:
                    rows.setdefault(word, number)
                number += 1
            stream.seek(end)
            if self._pruned > 0 or self._unpack(stream, struct.Struct("<?"))[0]:
                raise VectorsError(
                    f"{self.path} is a quantized fastText model (.ftz), which keeps no "
                    "vectors. Use the full model."
                )
            found = self._unpack(stream, struct.Struct("<2q"))
            matrix_at = stream.tell()
        expected = (number + self.buckets, self.dim)
        if found != expected:
            raise VectorsError(
                f"{self.path} is damaged: its matrix has {found[0]} x {found[1]} "
                f"numbers, expected {expected[0]} x {expected[1]}."
            )
        if self.path.stat().st_size < matrix_at + 4 * found[0] * found[1]:
            raise VectorsError(
                f"{self.path} promises {found[0]} rows of {self.dim} numbers and is "
                "cut short. Get it anew."
            )
        return _Dictionary(rows, number, matrix_at)

    def _entries(self, stream: IO[bytes]) -> Iterator[tuple[bytes, bool, int]]:
        """Yield each word, whether it is a label, and the byte behind its entry."""
        before, data, place = stream.tell(), b"", 0
        for _ in range(self._size):
            end = data.find(b"\x00", place)
            # Behind the word: its count (8 bytes) and whether it is a label (1 byte).
            while end < 0 or end + 10 > len(data):
                more = stream.read(PIECE)
                if not more:
                    raise VectorsError(
                        f"{self.path} is cut short within its words. Get it anew."
                    )
                before += place
                data, place = data[place:] + more, 0
                end = data.find(b"\x00")
            word, is_label = data[place:end], data[end + 9] != 0
            place = end + 10
            yield word, is_label, before + place

    def _ngrams(self, word: str, n_words: int) -> list[int]:
        if not self.buckets or self.longest < 1 or word == END_OF_SENTENCE:
            return []
        from gensim.models.fasttext import ft_ngram_hashes

        hashes = ft_ngram_hashes(word, self.shortest, self.longest, self.buckets)
        return [n_words + int(number) for number in hashes]

    def _means(self, rows_of: dict[str, list[int]], matrix_at: int) -> Rows:
        """Return the mean of each word's rows, reading these in their order."""
        kept = Rows(self.dim, len(rows_of))
        if not rows_of:
            return kept
        lengths = np.array([len(rows) for rows in rows_of.values()])
        owners = np.repeat(np.arange(len(lengths)), lengths)
        numbers = np.concatenate([np.array(rows) for rows in rows_of.values()])
        order = np.argsort(numbers, kind="stable")
        owners, numbers = owners[order], numbers[order]
        sums = np.zeros((len(lengths), self.dim), np.float32)
        at_once = max(1, PIECE // (4 * self.dim))
        starts = np.flatnonzero(np.diff(numbers // at_once, prepend=-1))
        with open(self.path, "rb") as stream:
            for low, high in zip(starts, [*starts[1:], len(numbers)], strict=True):
                first, last = int(numbers[low]), int(numbers[high - 1])
                stream.seek(matrix_at + 4 * self.dim * first)
                block = np.fromfile(stream, "<f4", (last - first + 1) * self.dim)
                block = block.reshape(-1, self.dim)
                for owner, row in zip(
                    owners[low:high], numbers[low:high] - first, strict=True
                ):
                    sums[owner] += block[row]
        for word, total, length in zip(rows_of, sums, lengths, strict=True):
            kept.add(word, total / length)
        return kept

    def _unpack(self, stream: IO[bytes], layout: struct.Struct) -> tuple:
        try:
            return layout.unpack(stream.read(layout.size))
        except struct.error:
            raise VectorsError(f"{self.path} is cut short. Get it anew.") from None
