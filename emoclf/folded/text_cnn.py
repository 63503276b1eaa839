"""A folded TextCNN in NumPy: sums of looked-up rows, pooling, and the head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from emoclf.folded.features import Features
from emoclf.folded.head import Head, activate
from emoclf.folded.network import Network
from emoclf.folded.ngram_sums import NgramLogits
from emoclf.folded.one_text import OneText
from emoclf.folded.stored_vectors import StoredVectors
from emoclf.folded.word_rows import Rounding, Windows, WordRows

#: Texts that are predicted side by side, by the bytes of a number: their sums fit a
#: processor's cache.
BLOCK_TEXTS = {2: 512, 4: 256}
#: The rows of longer texts, looked up all at once, would use too much memory.
MAX_TOKENS_AT_ONCE = 512
#: Up to this number of texts are faster one by one than side by side.
MAX_ONE_BY_ONE = 24


class Convolution:
    """Kernels that share their windows, as an export stores them.

    Parameters
    ----------
    windows : Windows
    kernel : ndarray of float32, shape (dim, n_shifts, columns)
        Zero at shifts outside of a kernel.
    bias : ndarray of float32, shape (columns,)
    rounding : Rounding, optional
    vectors : StoredVectors

    Attributes
    ----------
    step : ndarray of float32, shape (columns,)
        Value of one unit of a sum of rows.
    sum_bias : ndarray of float32, shape (columns,)
        Bias to add to a sum of rows.
    """

    def __init__(
        self,
        windows: Windows,
        kernel: np.ndarray,
        bias: np.ndarray,
        rounding: Rounding | None,
        vectors: StoredVectors,
    ) -> None:
        self.windows = windows
        self.kernel = kernel
        self.rounding = rounding
        self.vectors = vectors
        self.step = np.ones(len(bias), np.float32)
        self.sum_bias = bias
        if rounding is not None:
            self.step = rounding.step
            self.sum_bias = bias + rounding.middle.sum(0)


class NumpyConvolution:
    """A convolution whose table has a row for each word and shift.

    The rows of a word are next to each other: for one text, the time to reach a page of
    memory exceeds the time to read it.

    Parameters
    ----------
    convolution : Convolution
    """

    def __init__(self, convolution: Convolution) -> None:
        self.windows = convolution.windows
        self.step, self.sum_bias = convolution.step, convolution.sum_bias
        dim, self.n_shifts, self.columns = convolution.kernel.shape
        rounding = convolution.rounding
        if rounding is not None:
            step = np.tile(rounding.step, self.n_shifts)
            # NumPy adds int8 to int16 through a copy, which takes twice as long.
            rounding = Rounding(np.dtype(np.int16), step, rounding.middle.ravel())
        kernel = convolution.kernel.reshape(dim, -1)
        self.rows = WordRows(convolution.vectors, kernel, rounding)
        #: Row ``word * n_shifts + shift``.
        self.table = self.rows.table.reshape(-1, self.columns)
        #: Row ``word * n_shifts`` of each is the contribution of the word at one shift.
        self._tables = [self.table[shift:] for shift in range(self.n_shifts)]

    def maxima(self, texts: TextBlock) -> np.ndarray:
        """Return each filter's largest sum; the lowest number if there is no window."""
        lowest = -np.inf if self.table.dtype == np.float32 else np.iinfo(np.int16).min
        shape = len(texts.lengths), self.columns
        maxima = np.full(shape, lowest, self.table.dtype)
        for sums in self._sums(texts):
            first = maxima[: len(sums)]
            np.maximum(first, sums, out=first)
        return maxima

    def averages(self, texts: TextBlock, activation: str) -> np.ndarray:
        """Return each filter's mean activation."""
        counts = self.windows.count(texts.lengths)
        total = np.zeros((len(counts), self.columns), np.float32)
        for sums in self._sums(texts):
            total[: len(sums)] += activate(activation, sums * self.step + self.sum_bias)
        total /= np.maximum(counts, 1)[:, None].astype(np.float32)
        return total

    def _sums(self, texts: TextBlock) -> Iterator[np.ndarray]:
        """Yield the sums of one window after the other, for the texts that have it.

        Texts are ordered by length, so that those with a window number w are the first
        ones, and every array is a contiguous slice.
        """
        counts = self.windows.count(texts.lengths)
        n_windows = int(counts[0])
        if not n_windows:
            return
        shifts = self.windows.shifts
        words = list(texts.ids_by_position(-shifts[0], shifts[-1]) * self.n_shifts)
        first, *later = self._tables
        n_texts = np.searchsorted(-counts, -np.arange(n_windows), side="left").tolist()
        sum_buffer = np.empty((n_texts[0], self.columns), self.table.dtype)
        row_buffer = np.empty_like(sum_buffer)
        for number, n in enumerate(n_texts):
            position = number * self.windows.stride
            sums, rows = sum_buffer[:n], row_buffer[:n]
            # "clip" lets take write straight into out; no index is out of range.
            first.take(words[position][:n], 0, sums, "clip")
            for table in later:
                position += 1
                table.take(words[position][:n], 0, rows, "clip")
                np.add(sums, rows, out=sums)
            yield sums


class TextBlock(NamedTuple):
    """Texts that are predicted side by side, the longest first.

    Parameters
    ----------
    flat : ndarray of int32
        Token ids of many texts, one after the other, and padding after the last one.
    starts, lengths : ndarray of int64, shape (n_texts,)
        First token and number of tokens of each text of the block.
    """

    flat: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray

    def ids_by_position(self, before: int, after: int) -> np.ndarray:
        """Return ids, int64 of shape (before + longest + after, n_texts).

        0 is padding.
        """
        longest = int(self.lengths[0])
        position = np.arange(longest)[:, None]
        indices = np.where(position < self.lengths, self.starts + position, -1)
        ids = np.zeros((before + longest + after, len(self.lengths)), np.int64)
        ids[before : before + longest] = self.flat[indices]
        return ids


class FoldedTextCNN(Network):
    """A TextCNN that predicts from token ids.

    Parameters
    ----------
    convolutions : sequence of Convolution
    pooling : {"max", "average"}
    activation : str
    head : Head
    ngrams : NgramLogits, optional
        Linear part beside the convolutions.
    """

    def __init__(
        self,
        convolutions: Sequence[Convolution],
        pooling: str,
        activation: str,
        head: Head,
        ngrams: NgramLogits | None = None,
    ) -> None:
        self.convolutions = [NumpyConvolution(stored) for stored in convolutions]
        self.pooling = pooling
        self.activation = activation
        self.head = head
        self.ngrams = ngrams
        self._one_text: OneText | None = None
        if pooling == "max":
            steps = np.concatenate([stored.step for stored in convolutions])
            biases = np.concatenate([stored.sum_bias for stored in convolutions])
            self.features = Features(steps, biases, activation)
            self.head = self.features.head(head)
            tables = [(layer.rows, layer.windows) for layer in self.convolutions]
            self._one_text = OneText(tables, self.features, self.head)
            self.token_bytes = self._one_text.token_bytes
            self._max_bytes = MAX_TOKENS_AT_ONCE * self.token_bytes
            self.max_one_by_one = MAX_ONE_BY_ONE if ngrams is None else 1

    def pack(self, pieces: Sequence[Sequence[int]]) -> list[bytes]:
        """Return the packed tokens of each piece; see :meth:`Network.pack`."""
        if self._one_text is None:
            return super().pack(pieces)
        return self._one_text.pack(pieces)

    def predict_one(self, packed: bytes) -> np.ndarray:
        """Return the probabilities of one text, shape (1, n_classes)."""
        if self._one_text is None:
            return super().predict_one(packed)
        if self.ngrams is None and 0 < len(packed) <= self._max_bytes:
            return self._one_text(packed)
        flat = self._one_text.unpack(packed)
        return self.predict_many(flat, np.array([len(flat)]))

    def predict_many(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return probabilities; see :meth:`Network.predict_many`."""
        for layer in self.convolutions:
            layer.rows.compute(flat)
        added = None if self.ngrams is None else self.ngrams(flat, lengths)
        flat = np.append(flat, np.int32(0))
        starts = np.cumsum(lengths) - lengths
        order = np.argsort(-lengths, kind="stable")
        result = np.empty((len(lengths), len(self.head.bias)), np.float32)
        size = BLOCK_TEXTS[self.convolutions[0].table.itemsize]
        for begin in range(0, len(order), size):
            texts = order[begin : begin + size]
            block = TextBlock(flat, starts[texts], lengths[texts])
            result[texts] = self.head(
                self._pooled(block), None if added is None else added[texts]
            )
        return result

    def _pooled(self, block: TextBlock) -> np.ndarray:
        if self.pooling == "average":
            return np.concatenate(
                [layer.averages(block, self.activation) for layer in self.convolutions],
                axis=1,
            )
        maxima = [layer.maxima(block) for layer in self.convolutions]
        joined = maxima[0] if len(maxima) == 1 else np.concatenate(maxima, axis=1)
        return self.features(joined, block.lengths == 0)
