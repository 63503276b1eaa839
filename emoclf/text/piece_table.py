"""A table from the hashes of pieces of text to their ids."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np

#: Longer pieces are not hashed but cut each time: there are two of 1,024 letters with
#: one hash in any base (Thue and Morse).
MAX_PIECE_LENGTH = 64
#: Number of remembered pieces; then all are forgotten.
MAX_PIECES = 1 << 17
SLOTS_LOG = 18
#: Fibonacci hashing (Knuth, volume 3, section 6.4): the upper bits are the slot.
HASH_MULTIPLIER = 0x9E3779B97F4A7C15
SPACE, DELETE = 0x20, 0x7F


class PieceTable:
    """Hashes of pieces and their ids, in arrays with open addressing.

    The hash of a piece is a polynomial in a random odd base modulo 2**64 over its
    bytes, with letters in lower case where the tokenizer folds case: prefix sums of a
    batch give the hashes of all its pieces. The probability that any two of 100,000
    pieces have the same hash is about 1e-9.

    Parameters
    ----------
    cut_piece : function of str
        Function that returns the ids of a new piece.
    lowercase : bool
        Whether pieces that differ in the case of ASCII letters are the same.
    """

    def __init__(
        self, cut_piece: Callable[[str], list[int]], *, lowercase: bool
    ) -> None:
        self._cut_piece = cut_piece
        values = [_random_odd() for _ in range(256)]
        if lowercase:
            for upper in range(ord("A"), ord("Z") + 1):
                values[upper] = values[upper + 32]
        self.values = np.array(values, np.uint64)
        self.base = _random_odd()
        self._inverse = pow(self.base, -1, 1 << 64)
        # Powers of the base and of its inverse, and memory for a batch; empty, so that
        # the first batch allocates all of them, however short it is.
        self._powers = self._inverses = np.empty(0, np.uint64)
        self._terms = self._sums = self._powers
        # The tokenizer treats control characters as white space.
        self.is_space = np.zeros(256, bool)
        self.is_space[[*range(SPACE + 1), DELETE]] = True
        self._clear()

    def encode(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids of a batch of texts, not cut, and their lengths."""
        raw = self.join(texts)
        data = np.frombuffer(raw, np.uint8)
        # The same as is_space[data], in a fifteenth of the time.
        space = data <= SPACE
        space |= data == DELETE
        edges = np.flatnonzero(space[1:] != space[:-1]) + 1
        if not space[0]:
            edges = np.concatenate([[0], edges])
        starts, stops = edges[0::2], edges[1::2]
        hashes = self._hashes(data, starts, stops)
        long = np.flatnonzero(stops - starts > MAX_PIECE_LENGTH)
        slots = self._find(hashes)
        slots[long] = 0
        while (slots < 0).any():
            (new,) = np.nonzero(slots < 0)
            self.learn(raw, np.stack([starts[new], stops[new]], 1), hashes[new])
            # Learning may have forgotten everything else.
            slots = self._find(hashes)
            slots[long] = 0
        values = self.ids[slots]
        values[long] = self.multi_token.add(
            [self.cut(raw, starts[i], stops[i]) for i in long.tolist()]
        )
        # Number of pieces up to the end of each text.
        ends = np.searchsorted(starts, np.flatnonzero(data == 0))
        if not (values < 0).any():
            return values, np.diff(ends, prepend=0)
        result = self.multi_token.spread(values, ends)
        self.multi_token.forget(len(long))
        return result

    def join(self, texts: Sequence[str]) -> bytes:
        """Return the texts as UTF-8, with a NUL after each."""
        joined = "\0".join(texts)
        if joined.count("\0") != len(texts) - 1:
            # Within a text NUL is white space like any other.
            joined = "\0".join([text.replace("\0", " ") for text in texts])
        return joined.encode("utf-8", "surrogatepass") + b"\0"

    def learn(self, raw: bytes, spans: np.ndarray, hashes: np.ndarray) -> None:
        """Cut new pieces, and remember their ids.

        Parameters
        ----------
        raw : bytes
        spans : ndarray of int64, shape (n, 2)
            Start and stop of the pieces.
        hashes : ndarray of uint64, shape (n,)
        """
        if self._n_pieces + len(hashes) > MAX_PIECES:
            self._clear()
        distinct, first = np.unique(hashes, return_index=True)
        ids = [self.cut(raw, *span) for span in spans[first].tolist()]
        self._insert(distinct, ids)

    def _hashes(
        self, data: np.ndarray, starts: np.ndarray, stops: np.ndarray
    ) -> np.ndarray:
        count = len(data)
        if len(self._powers) < count:
            self._powers = _powers(self.base, count)
            self._inverses = _powers(self._inverse, count)
            self._terms = np.empty_like(self._powers)
            self._sums = np.zeros(len(self._powers) + 1, np.uint64)
        terms, sums = self._terms[:count], self._sums[: count + 1]
        # Into existing memory, in half the time of values[data].
        self.values.take(data, 0, terms, "clip")
        terms *= self._powers[:count]
        np.cumsum(terms, out=sums[1:])
        hashes = (sums[stops] - sums[starts]) * self._inverses[starts]
        # A key of 0 is a free slot.
        hashes[hashes == 0] = 1
        return hashes

    def _home(self, hashes: np.ndarray) -> np.ndarray:
        slots = (hashes * np.uint64(HASH_MULTIPLIER)) >> np.uint64(64 - SLOTS_LOG)
        return slots.view(np.int64)

    def _find(self, hashes: np.ndarray) -> np.ndarray:
        """Return the slot of each piece; -1 for a new piece."""
        slots = self._home(hashes)
        keys = self.keys[slots]
        (open_,) = np.nonzero(keys != hashes)
        while len(open_):
            occupied = self.keys[slots[open_]] != 0
            slots[open_[~occupied]] = -1
            open_ = open_[occupied]
            slots[open_] = (slots[open_] + 1) & self._last
            open_ = open_[self.keys[slots[open_]] != hashes[open_]]
        return slots

    def cut(self, raw: bytes, start: int, stop: int) -> list[int]:
        """Return the ids of the piece in ``raw[start:stop]``."""
        return self._cut_piece(raw[start:stop].decode("utf-8", "surrogatepass"))

    def _insert(self, hashes: np.ndarray, ids: list[list[int]]) -> None:
        """Remember the ids of pieces with different hashes."""
        single = np.fromiter((len(x) == 1 for x in ids), bool, len(ids))
        values = np.empty(len(ids), np.int32)
        values[single] = [x[0] for x in ids if len(x) == 1]
        values[~single] = self.multi_token.add([x for x in ids if len(x) != 1])
        self._n_pieces += len(ids)
        slots = self._home(hashes)
        open_ = np.arange(len(hashes))
        while len(open_):
            free = open_[self.keys[slots[open_]] == 0]
            # If several have the same slot, the last one gets it.
            self.keys[slots[free]] = hashes[free]
            placed = self.keys[slots[open_]] == hashes[open_]
            done = open_[placed]
            self.ids[slots[done]] = values[done]
            open_ = open_[~placed]
            slots[open_] = (slots[open_] + 1) & self._last

    def _clear(self) -> None:
        self._last = (1 << SLOTS_LOG) - 1
        self.keys = np.zeros(1 << SLOTS_LOG, np.uint64)
        #: Id of a piece with one token, else -1 - its position in ``multi_token``.
        self.ids = np.zeros(1 << SLOTS_LOG, np.int32)
        self.multi_token = Lists()
        self._n_pieces = 0


class Lists:
    """Concatenated lists of ids, in arrays that grow."""

    def __init__(self) -> None:
        self.count = 0
        self._used = 0
        self.flat = np.empty(1 << 12, np.int32)
        self.starts = np.empty(1 << 10, np.int64)
        self.sizes = np.empty(1 << 10, np.int64)

    def add(self, lists: Sequence[Sequence[int]]) -> np.ndarray:
        """Add lists, and return their numbers: -1, -2, …"""
        sizes = np.fromiter(map(len, lists), np.int64, len(lists))
        first, last = self.count, self.count + len(lists)
        begin, end = self._used, self._used + int(sizes.sum())
        self.flat = _at_least(self.flat, end)
        self.starts = _at_least(self.starts, last)
        self.sizes = _at_least(self.sizes, last)
        self.flat[begin:end] = [i for ids in lists for i in ids]
        self.starts[first:last] = begin + np.cumsum(sizes) - sizes
        self.sizes[first:last] = sizes
        self.count, self._used = last, end
        return -1 - np.arange(first, last)

    def forget(self, count: int) -> None:
        """Drop the last lists."""
        self.count -= count
        self._used = int(self.starts[self.count]) if count else self._used

    def spread(
        self, values: np.ndarray, ends: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Replace the numbers of lists by the lists.

        Parameters
        ----------
        values : ndarray of int32
            Ids, and negative numbers of :meth:`add`.
        ends : ndarray of int64, shape (n_texts,)
            End of each text's values.

        Returns
        -------
        token_ids : ndarray of int32
        lengths : ndarray of int64, shape (n_texts,)
        """
        (special,) = np.nonzero(values < 0)
        entries = -1 - values[special]
        sizes = self.sizes[entries]
        counts = np.ones(len(values), np.int64)
        counts[special] = sizes
        token_ids = np.repeat(values, counts)
        after = np.cumsum(counts)
        inner = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        source = np.repeat(self.starts[entries], sizes) + inner
        target = np.repeat(after[special] - sizes, sizes) + inner
        token_ids[target] = self.flat[source]
        total = np.concatenate([[0], after])[ends]
        return token_ids, np.diff(total, prepend=0)


def _at_least(array: np.ndarray, size: int) -> np.ndarray:
    """Return the array, or a longer copy of it."""
    return array if size <= len(array) else np.resize(array, max(size, 2 * len(array)))


def _random_odd() -> int:
    return int.from_bytes(os.urandom(8)) | 1


def _powers(base: int, count: int) -> np.ndarray:
    """Return at least ``count`` powers of the base, from 0, modulo 2**64."""
    size = 1 << max(17, (count - 1).bit_length())
    powers = np.full(size, base, np.uint64)
    powers[0] = 1
    return np.cumprod(powers)
