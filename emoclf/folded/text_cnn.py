"""A folded TextCNN in NumPy: sums of looked-up rows, a maximum or average, the head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from emoclf.folded.features import Features
from emoclf.folded.head import Head, activate
from emoclf.folded.network import Network
from emoclf.folded.one_text import OneText
from emoclf.folded.stored_vectors import WordVectors
from emoclf.folded.words import Rounding, Windows, WordRows

#: Texts that are answered side by side: their rows of sums fit a processor's cache.
BLOCK = {2: 512, 4: 256}
#: Tokens of a text whose rows, looked up all at once, would take too much memory.
LONG = 512
#: So few texts are answered sooner one by one than side by side.
FEW = 24


class Convolution:
    """Kernels that share their windows, folded with the embedding.

    Parameters
    ----------
    windows : Windows
    kernel : ndarray of float32, shape (dim, n_shifts, columns)
        Zero where a kernel does not reach so far.
    bias : ndarray of float32, shape (columns,)
    rounding : Rounding, optional
    vectors : WordVectors
    """

    def __init__(
        self,
        windows: Windows,
        kernel: np.ndarray,
        bias: np.ndarray,
        rounding: Rounding | None,
        vectors: WordVectors,
    ) -> None:
        self.windows = windows
        self.kernel = kernel
        self.bias = bias
        self.rounding = rounding
        self.vectors = vectors


class NumpyConvolution:
    """A convolution whose table has a row for each word and shift.

    What a word adds at its shifts lies side by side: for one text the processor's way
    to a page of memory takes longer than to read what stands there.

    Parameters
    ----------
    parts : Convolution
    """

    def __init__(self, parts: Convolution) -> None:
        self.windows = parts.windows
        dim, self.n_shifts, self.columns = parts.kernel.shape
        kernel = parts.kernel.reshape(dim, -1)
        rounding = parts.rounding
        if rounding is None:
            self.step = np.ones(self.columns, np.float32)
            self.bias = parts.bias
            self.rows = WordRows(parts.vectors, kernel)
        else:
            self.step = rounding.step
            self.bias = parts.bias + rounding.middle.sum(0)
            self.rows = WordRows(
                parts.vectors,
                kernel,
                step=np.tile(self.step, self.n_shifts),
                middle=rounding.middle.ravel(),
                # NumPy adds int8 to int16 through a copy, which takes twice as long.
                dtype=np.int16,
            )
        #: Row ``word * n_shifts + shift``.
        self.table = self.rows.table.reshape(-1, self.columns)
        #: Row ``word * n_shifts`` of each is what the word adds at this shift.
        self._shifted = [self.table[shift:] for shift in range(self.n_shifts)]

    def maxima(self, texts: Block) -> np.ndarray:
        """Return each filter's largest sum, the least that there is without any."""
        lowest = -np.inf if self.table.dtype == np.float32 else np.iinfo(np.int16).min
        best = np.full((len(texts.lengths), self.columns), lowest, self.table.dtype)
        for sums in self._sums(texts):
            part = best[: len(sums)]
            np.maximum(part, sums, out=part)
        return best

    def averages(self, texts: Block, activation: str) -> np.ndarray:
        """Return each filter's mean answer, activated."""
        counts = self.windows.count(texts.lengths)
        total = np.zeros((len(counts), self.columns), np.float32)
        for sums in self._sums(texts):
            total[: len(sums)] += activate(activation, sums * self.step + self.bias)
        total /= np.maximum(counts, 1)[:, None].astype(np.float32)
        return total

    def _sums(self, texts: Block) -> Iterator[np.ndarray]:
        """Yield the sums of one window after the other, for the texts that have it.

        Texts stand in order of their lengths, so that those with a window number w are
        the first ones, and every array is a contiguous slice.
        """
        counts = self.windows.count(texts.lengths)
        most = int(counts[0])
        if not most:
            return
        shifts = self.windows.shifts
        words = list(texts.by_time(-shifts[0], shifts[-1]) * self.n_shifts)
        first, *others = self._shifted
        alive = np.searchsorted(-counts, -np.arange(most), side="left").tolist()
        sums = np.empty((alive[0], self.columns), self.table.dtype)
        found = np.empty_like(sums)
        for number, n in enumerate(alive):
            place = number * self.windows.stride
            total, more = sums[:n], found[:n]
            # "clip" lets take write straight into out; no index is out of range.
            first.take(words[place][:n], 0, total, "clip")
            for table in others:
                place += 1
                table.take(words[place][:n], 0, more, "clip")
                np.add(total, more, out=total)
            yield total


class Block:
    """Some texts, the longest first.

    Parameters
    ----------
    flat : ndarray of int32
        Token ids of many texts, and padding behind them.
    starts, lengths : ndarray of int64, shape (n,)
        Where these texts stand among them.
    """

    def __init__(
        self, flat: np.ndarray, starts: np.ndarray, lengths: np.ndarray
    ) -> None:
        self.flat = flat
        self.starts = starts
        self.lengths = lengths

    def by_time(self, before: int, after: int) -> np.ndarray:
        """Return ids, int64 of shape (before + longest + after, n); 0 is padding."""
        longest = int(self.lengths[0])
        time = np.arange(longest)[:, None]
        place = np.where(time < self.lengths, self.starts + time, -1)
        words = np.zeros((before + longest + after, len(self.lengths)), np.int64)
        words[before : before + longest] = self.flat[place]
        return words


class FoldedTextCNN(Network):
    """A TextCNN that answers from token ids.

    Parameters
    ----------
    convolutions : list of Convolution
    pooling : {"max", "average"}
    activation : str
    head : Head
    """

    def __init__(
        self,
        convolutions: Sequence[Convolution],
        pooling: str,
        activation: str,
        head: Head,
    ) -> None:
        self.convolutions = [NumpyConvolution(parts) for parts in convolutions]
        self.pooling = pooling
        self.activation = activation
        self.head = head
        self._one: OneText | None = None
        if pooling == "max":
            steps = np.concatenate([part.step for part in self.convolutions])
            biases = np.concatenate([part.bias for part in self.convolutions])
            self.features = Features(steps, biases, activation)
            self.head = self.features.head(head)
            tables = [(part.rows, part.windows) for part in self.convolutions]
            self._one = OneText(tables, self.features, self.head)
            self.token_bytes = self._one.token_bytes
            self._most = LONG * self.token_bytes
            self.few = FEW

    def pack(self, pieces: Sequence[Sequence[int]]) -> list[bytes]:
        """Return what stands for tokens in :meth:`one`."""
        return super().pack(pieces) if self._one is None else self._one.pack(pieces)

    def one(self, packed: bytes) -> np.ndarray:
        """Return the probabilities of one text, shape (1, n_classes)."""
        if self._one is None:
            return super().one(packed)
        if 0 < len(packed) <= self._most:
            return self._one(packed)
        flat = self._one.unpack(packed)
        return self.many(flat, np.array([len(flat)]))

    def many(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return probabilities; see :meth:`Network.many`."""
        for part in self.convolutions:
            part.rows.make(flat)
        flat = np.append(flat, np.int32(0))
        starts = np.cumsum(lengths) - lengths
        order = np.argsort(-lengths, kind="stable")
        answers = np.empty((len(lengths), len(self.head.bias)), np.float32)
        size = BLOCK[self.convolutions[0].table.itemsize]
        for begin in range(0, len(order), size):
            some = order[begin : begin + size]
            block = Block(flat, starts[some], lengths[some])
            answers[some] = self.head(self._of_block(block))
        return answers

    def _of_block(self, block: Block) -> np.ndarray:
        if self.pooling == "average":
            found = [one.averages(block, self.activation) for one in self.convolutions]
            return np.concatenate(found, axis=1)
        found = [part.maxima(block) for part in self.convolutions]
        best = found[0] if len(found) == 1 else np.concatenate(found, axis=1)
        return self.features(best, np.flatnonzero(block.lengths == 0))
