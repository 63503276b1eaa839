"""A table in which the ids of pieces of text are found by their hashes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np

#: Longer pieces are not hashed: two of 1,024 letters can be made that have one hash
#: whatever the base is (Thue and Morse); such as these are cut each time.
LONGEST = 64
#: Pieces that are remembered; then all are forgotten.
MOST = 1 << 17
SLOTS_LOG = 18
#: Fibonacci hashing (Knuth, volume 3, section 6.4): the upper bits are the slot.
SPREAD = 0x9E3779B97F4A7C15
SPACE, DELETE = 0x20, 0x7F


class PieceTable:
    """Hashes of pieces and their ids, in arrays with open addressing.

    The hash of a piece is a polynomial in a random odd base modulo 2**64 over its
    bytes, letters in lower case where the tokenizer folds case: prefix sums of a whole
    batch give those of all its pieces. Two of 100,000 pieces share one with a
    probability of about 1e-9.

    Parameters
    ----------
    cut_piece : function of str
        Returns the ids of a piece that is not known.
    lowercase : bool
        Whether pieces are the same that differ in the case of ASCII letters.
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
        self._powers = self._inverses = np.ones(1, np.uint64)
        self._terms = self._sums = self._powers
        # Control characters and the space: all are white space to the tokenizer.
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
        long = np.flatnonzero(stops - starts > LONGEST)
        slots = self._find(hashes)
        slots[long] = 0
        while (slots < 0).any():
            (new,) = np.nonzero(slots < 0)
            self.learn(raw, np.stack([starts[new], stops[new]], 1), hashes[new])
            # Everything may have been forgotten before.
            slots = self._find(hashes)
            slots[long] = 0
        values = self.ids[slots]
        values[long] = self.multi_token.add(
            [self.cut(raw, starts[i], stops[i]) for i in long.tolist()]
        )
        # Where each text's pieces begin.
        ends = np.searchsorted(starts, np.flatnonzero(data == 0))
        if not (values < 0).any():
            return values, np.diff(ends, prepend=0)
        found = self.multi_token.spread(values, ends)
        self.multi_token.forget(len(long))
        return found

    def join(self, texts: Sequence[str]) -> bytes:
        """Return the texts as UTF-8, a NUL behind each."""
        joined = "\0".join(texts)
        if joined.count("\0") != len(texts) - 1:
            # White space like any other, inside of a text.
            joined = "\0".join([text.replace("\0", " ") for text in texts])
        return joined.encode("utf-8", "surrogatepass") + b"\0"

    def learn(self, raw: bytes, spans: np.ndarray, hashes: np.ndarray) -> None:
        """Cut pieces that are not known, and remember their ids.

        Parameters
        ----------
        raw : bytes
        spans : ndarray of int64, shape (n, 2)
            Where the pieces begin and end.
        hashes : ndarray of uint64, shape (n,)
        """
        if self._known + len(hashes) > MOST:
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
        # Into what is there, at half the time of values[data].
        self.values.take(data, 0, terms, "clip")
        terms *= self._powers[:count]
        np.cumsum(terms, out=sums[1:])
        hashes = (sums[stops] - sums[starts]) * self._inverses[starts]
        # Zero marks a free slot.
        hashes[hashes == 0] = 1
        return hashes

    def _home(self, hashes: np.ndarray) -> np.ndarray:
        slots = (hashes * np.uint64(SPREAD)) >> np.uint64(64 - SLOTS_LOG)
        return slots.view(np.int64)

    def _find(self, hashes: np.ndarray) -> np.ndarray:
        """Return each piece's slot, -1 where it is not known."""
        slots = self._home(hashes)
        keys = self.keys[slots]
        (open_,) = np.nonzero(keys != hashes)
        while len(open_):
            taken = self.keys[slots[open_]] != 0
            slots[open_[~taken]] = -1
            open_ = open_[taken]
            slots[open_] = (slots[open_] + 1) & self._last
            open_ = open_[self.keys[slots[open_]] != hashes[open_]]
        return slots

    def cut(self, raw: bytes, start: int, stop: int) -> list[int]:
        """Return the ids of a piece that stands among bytes."""
        return self._cut_piece(raw[start:stop].decode("utf-8", "surrogatepass"))

    def _insert(self, hashes: np.ndarray, ids: list[list[int]]) -> None:
        """Remember the ids of pieces with different hashes."""
        one = np.fromiter((len(found) == 1 for found in ids), bool, len(ids))
        values = np.empty(len(ids), np.int32)
        values[one] = [found[0] for found in ids if len(found) == 1]
        values[~one] = self.multi_token.add([found for found in ids if len(found) != 1])
        self._known += len(ids)
        slots = self._home(hashes)
        open_ = np.arange(len(hashes))
        while len(open_):
            free = open_[self.keys[slots[open_]] == 0]
            # Of several that want one slot the last gets it.
            self.keys[slots[free]] = hashes[free]
            placed = self.keys[slots[open_]] == hashes[open_]
            done = open_[placed]
            self.ids[slots[done]] = values[done]
            open_ = open_[~placed]
            slots[open_] = (slots[open_] + 1) & self._last

    def _clear(self) -> None:
        self._last = (1 << SLOTS_LOG) - 1
        self.keys = np.zeros(1 << SLOTS_LOG, np.uint64)
        #: The id of a piece with one token; else -1 - its place in ``several``.
        self.ids = np.zeros(1 << SLOTS_LOG, np.int32)
        self.multi_token = Lists()
        self._known = 0


class Lists:
    """Lists of ids one behind the other, in arrays that grow."""

    def __init__(self) -> None:
        self.count = 0
        self._used = 0
        self.flat = np.empty(1 << 12, np.int32)
        self.starts = np.empty(1 << 10, np.int64)
        self.sizes = np.empty(1 << 10, np.int64)

    def add(self, lists: Sequence[Sequence[int]]) -> np.ndarray:
        """Keep lists, and return the values that stand for them: -1, -2, …"""
        sizes = np.fromiter(map(len, lists), np.int64, len(lists))
        first, last = self.count, self.count + len(lists)
        begin, end = self._used, self._used + int(sizes.sum())
        self.flat = _at_least(self.flat, end)
        self.starts = _at_least(self.starts, last)
        self.sizes = _at_least(self.sizes, last)
        self.flat[begin:end] = [i for found in lists for i in found]
        self.starts[first:last] = begin + np.cumsum(sizes) - sizes
        self.sizes[first:last] = sizes
        self.count, self._used = last, end
        return -1 - np.arange(first, last)

    def forget(self, count: int) -> None:
        """Drop what was added last."""
        self.count -= count
        self._used = int(self.starts[self.count]) if count else self._used

    def spread(
        self, values: np.ndarray, ends: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Put lists in the place of the values that stand for them.

        Parameters
        ----------
        values : ndarray of int32
            Ids, and negative values of :meth:`add`.
        ends : ndarray of int64, shape (n_texts,)
            Where each text's values end.

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
        found = np.repeat(values, counts)
        after = np.cumsum(counts)
        inner = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        source = np.repeat(self.starts[entries], sizes) + inner
        target = np.repeat(after[special] - sizes, sizes) + inner
        found[target] = self.flat[source]
        total = np.concatenate([[0], after])[ends]
        return found, np.diff(total, prepend=0)


def _at_least(array: np.ndarray, size: int) -> np.ndarray:
    """Return the array, or a longer copy of it."""
    if size <= len(array):
        return array
    longer = np.empty(max(size, 2 * len(array)), array.dtype)
    longer[: len(array)] = array
    return longer


def _random_odd() -> int:
    return int.from_bytes(os.urandom(8)) | 1


def _powers(base: int, count: int) -> np.ndarray:
    """Return base ** 0, 1, … modulo 2**64, at least so many."""
    size = 1 << max(17, (count - 1).bit_length())
    powers = np.full(size, base, np.uint64)
    powers[0] = 1
    return np.cumprod(powers)
