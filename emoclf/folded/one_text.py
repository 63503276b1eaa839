"""Predict one text at a time with as few calls of NumPy as possible.

A call takes longer than its work on so few numbers. One call looks up all rows, one
adds them, one takes the maxima, two are bias and relu, two the head. Even looking up a
method takes a measurable part of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np

from emoclf.folded.features import Features
from emoclf.folded.head import Head
from emoclf.folded.word_rows import Windows, WordRows

_INT64 = np.dtype(np.int64)
_sum, _maximum = np.add.reduce, np.maximum.reduce


class OneText:
    """Probabilities of a text from the row numbers of its words.

    A token is packed as the numbers of its rows, one for each shift. The rows of a
    window are then a diagonal through the packed text, which a strided view reads
    without any arithmetic.

    Parameters
    ----------
    tables : sequence of (WordRows, Windows)
        One pair for each convolution; a word has a row for each shift.
    features : Features
    head : Head
    """

    def __init__(
        self,
        tables: Sequence[tuple[WordRows, Windows]],
        features: Features,
        head: Head,
    ) -> None:
        self._rows = [rows for rows, _ in tables]
        shifts = [windows.shifts for _, windows in tables]
        counts = [len(table_shifts) for table_shifts in shifts]
        self._factors = np.repeat(counts, counts)
        self._terms = np.concatenate([np.arange(count) for count in counts])
        self.token_bytes = token_bytes = 8 * sum(counts)
        (padding,) = self.pack([[0]])
        before = max(-table_shifts[0] for table_shifts in shifts)
        self._before = padding * before
        self._after = padding * max(table_shifts[-1] for table_shifts in shifts)
        self._tables, begin = [], 0
        for (rows, windows), table_shifts in zip(tables, shifts, strict=True):
            count = len(table_shifts)
            start = begin + token_bytes * (before + table_shifts[0])
            strides = token_bytes + 8, token_bytes * windows.stride
            table = rows.table.reshape(-1, rows.width // count)
            self._tables.append(
                (count, windows.count_one, start, strides, table.take, table.dtype)
            )
            begin += 8 * count
        self._activated, self._predict = features.activated, head.predict_one

    def pack(self, pieces: Sequence[Sequence[int]]) -> list[bytes]:
        """Return the row numbers of each piece's tokens; compute the rows."""
        words = np.array([word for piece in pieces for word in piece], np.int64)
        # One product for all words: the kernel is read once.
        for rows in self._rows:
            rows.compute(words)
        packed = (words[:, None] * self._factors + self._terms).tobytes()
        stops = [self.token_bytes * n for n in accumulate(map(len, pieces))]
        return [packed[i:j] for i, j in pairwise([0, *stops])]

    def unpack(self, packed: bytes) -> np.ndarray:
        """Return the token ids, shape (length,)."""
        rows = np.frombuffer(packed, np.int64)
        return rows[:: len(self._factors)] // self._factors[0]

    def __call__(self, packed: bytes) -> np.ndarray:
        """Return the probabilities of a text that has tokens, shape (1, n_classes)."""
        padded = self._before + packed + self._after
        length = len(packed) // self.token_bytes
        maxima = []
        for count, count_windows, start, strides, take, dtype in self._tables:
            shape = count, count_windows(length)
            words = np.ndarray(shape, _INT64, padded, start, strides)
            maxima.append(_maximum(_sum(take(words, 0), 0, dtype)))
        joined = maxima[0] if len(maxima) == 1 else np.concatenate(maxima)
        return self._predict(self._activated(joined))
