"""One text at a time: calls of NumPy take longer than what they do, so they are few.

One looks up all rows, one adds them, one takes the maxima, two are bias and relu, two
the head. Even to look a method up is a part of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np

from emoclf.folded.features import Features
from emoclf.folded.head import Head
from emoclf.folded.words import Windows, WordRows

_INT64 = np.dtype(np.int64)
_sum, _maximum = np.add.reduce, np.maximum.reduce


class OneText:
    """Answer a text from the numbers of its words' rows.

    A token is packed as the numbers of its rows, a number for each shift. So the rows
    of a window are a diagonal through the packed text: they need no arithmetic.

    Parameters
    ----------
    tables : sequence of (WordRows, Windows)
        Of each convolution; a word has a row for each shift.
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
        counts = [len(some) for some in shifts]
        self._factors = np.repeat(counts, counts)
        self._terms = np.concatenate([np.arange(count) for count in counts])
        self.token_bytes = token_bytes = 8 * sum(counts)
        (padding,) = self.pack([[0]])
        before = max(-some[0] for some in shifts)
        self._before = padding * before
        self._after = padding * max(some[-1] for some in shifts)
        self._parts, begin = [], 0
        for (rows, windows), some, count in zip(tables, shifts, counts, strict=True):
            start = begin + token_bytes * (before + some[0])
            strides = token_bytes + 8, token_bytes * windows.stride
            table = rows.table.reshape(-1, rows.width // count)
            part = count, windows.count_one, start, strides, table.take, table.dtype
            self._parts.append(part)
            begin += 8 * count
        self._features, self._head = features.activated, head.one

    def pack(self, pieces: Sequence[Sequence[int]]) -> list[bytes]:
        """Return the numbers of the rows of each piece's tokens; they are made."""
        words = np.array([word for piece in pieces for word in piece], np.int64)
        # In one product: its kernel is read once.
        for rows in self._rows:
            rows.make(words)
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
        found = []
        for count, windows_of, start, strides, take, dtype in self._parts:
            shape = count, windows_of(length)
            words = np.ndarray(shape, _INT64, padded, start, strides)
            found.append(_maximum(_sum(take(words, 0), 0, dtype)))
        best = found[0] if len(found) == 1 else np.concatenate(found)
        return self._head(self._features(best))
