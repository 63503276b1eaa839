"""A folded TextCNN in NumPy: sums of looked-up rows, a maximum or average, the head."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

import numpy as np

from emoclf.folded.head import Head, activate
from emoclf.folded.vectors import WordVectors
from emoclf.folded.words import Rounding, Windows, WordRows

#: Texts that are answered side by side: their rows of sums fit a processor's cache.
BLOCK = {2: 512, 4: 256}


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
    """A convolution whose table has a block of columns for each shift.

    Parameters
    ----------
    parts : Convolution
    """

    def __init__(self, parts: Convolution) -> None:
        self.windows = parts.windows
        dim, self.n_shifts, self.columns = parts.kernel.shape
        kernel = parts.kernel.reshape(dim, -1)
        rounding = parts.rounding
        self.step: np.ndarray | None = None
        self.bias = parts.bias
        if rounding is None:
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
        self._shifted = [self.table[place:] for place in range(self.n_shifts)]
        # The padding around one text's words.
        shifts = parts.windows.shifts
        self._before, self._after = [0] * -shifts[0], [0] * shifts[-1]

    def in_units(self) -> np.ndarray:
        """Answer in units from now on, and return what they are worth, (columns,)."""
        assert self.step is not None
        step, self.step = self.step, None
        self.bias = self.bias / step
        return step

    def maxima(self, texts: Block) -> np.ndarray:
        """Return each filter's largest answer, with its bias."""
        counts = self.windows.count(texts.lengths)
        best: np.ndarray | None = None
        for answers in self._answers(texts, counts):
            if best is None:
                best = np.zeros((len(counts), self.columns), answers.dtype)
                best[: len(answers)] = answers
            else:
                part = best[: len(answers)]
                np.maximum(part, answers, out=part)
        return self._floats(best, len(counts))

    def averages(self, texts: Block, activation: str) -> np.ndarray:
        """Return each filter's mean answer, activated."""
        counts = self.windows.count(texts.lengths)
        total = np.zeros((len(counts), self.columns), np.float32)
        for answers in self._answers(texts, counts):
            n = len(answers)
            # A copy: what is yielded is written again.
            total[:n] += activate(activation, self._floats(answers.copy(), n))
        total /= np.maximum(counts, 1)[:, None].astype(np.float32)
        return total

    def maxima_of_one(self, token_ids: list[int]) -> np.ndarray:
        """Return :meth:`maxima` of a single text, shape (columns,)."""
        windows = self.windows
        self.rows.make_few(token_ids)
        # Half the time of np.array, which looks at every number's type.
        padded = array("q", self._before + token_ids + self._after)
        words = np.frombuffer(padded, np.int64) * self.n_shifts
        stride = windows.stride
        last = (windows.count_one(len(token_ids)) - 1) * stride + 1
        # Small arrays without gaps: twice as quick as whole rows, whose sums skip.
        total = self.table.take(words[:last:stride], 0)
        more = np.empty_like(total)
        for place in range(1, self.n_shifts):
            found = words[place : place + last : stride]
            self._shifted[place].take(found, 0, more, "clip")
            np.add(total, more, out=total)
        return self._floats(np.maximum.reduce(total), 1)

    def _floats(self, sums: np.ndarray | None, n: int) -> np.ndarray:
        """Return answers as float32, bias included; there may be no window at all."""
        if sums is None:
            sums = np.zeros((n, self.columns), np.float32)
        if self.step is not None:
            sums = sums * self.step
        return np.add(sums, self.bias, out=sums if sums.dtype == np.float32 else None)

    def _answers(self, texts: Block, counts: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the sums of one window after the other, for the texts that have it.

        Texts stand in order of their lengths, so that those with a window number w are
        the first ones, and every array is a contiguous slice.
        """
        most = int(counts[0])
        if not most:
            return
        table, shifts = self.table, self.windows.shifts
        self.rows.make(texts.token_ids)
        words = texts.by_time(-shifts[0], shifts[-1]) * self.n_shifts
        by_shift = [words + place for place in range(self.n_shifts)]
        alive = np.searchsorted(-counts, -np.arange(most), side="left").tolist()
        sums = np.empty((alive[0], self.columns), table.dtype)
        found = np.empty_like(sums)
        for number, n in enumerate(alive):
            base = number * self.windows.stride
            total, more = sums[:n], found[:n]
            # "clip" lets take write straight into out; all indices are in range.
            table.take(by_shift[0][base][:n], 0, total, "clip")
            for place in range(1, self.n_shifts):
                table.take(by_shift[place][base + place][:n], 0, more, "clip")
                np.add(total, more, out=total)
            yield total


class Block:
    """Some texts, the longest first.

    Parameters
    ----------
    flat : ndarray of int32
        Token ids of many texts.
    starts, lengths : ndarray of int64, shape (n,)
        Where these texts stand among them.
    """

    def __init__(
        self, flat: np.ndarray, starts: np.ndarray, lengths: np.ndarray
    ) -> None:
        self.lengths = lengths
        times = -np.arange(int(lengths[0]))
        self._alive = np.searchsorted(-lengths, times, side="left").tolist()
        #: First words of all texts, second words, …
        self.token_ids = np.concatenate(
            [flat[starts[:n] + t] for t, n in enumerate(self._alive)]
            or [np.empty(0, flat.dtype)]
        )

    def by_time(self, before: int, after: int) -> np.ndarray:
        """Return ids, int64 of shape (before + longest + after, n); 0 is padding."""
        longest, n = len(self._alive), len(self.lengths)
        words = np.zeros((before + longest + after, n), np.int64)
        place = 0
        for t, alive in enumerate(self._alive):
            words[before + t, :alive] = self.token_ids[place : place + alive]
            place += alive
        return words


class FoldedTextCNN:
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
        if activation == "relu" and self.convolutions[0].step is not None:
            # relu(step * x) is step * relu(x): a factor of the head, not of each text.
            steps = [part.in_units() for part in self.convolutions]
            head = head.scaled(np.concatenate(steps))
        self.head = head

    def one(self, token_ids: list[int]) -> np.ndarray:
        """Return the probabilities of one text, shape (1, n_classes)."""
        if not token_ids or self.pooling != "max":
            flat = np.array(token_ids, np.int32)
            return self.many(flat, np.array([len(flat)]))
        found = [part.maxima_of_one(token_ids) for part in self.convolutions]
        features = found[0] if len(found) == 1 else np.concatenate(found)
        return self.head.one(activate(self.activation, features))

    def many(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return probabilities, float32 of shape (n_texts, n_classes).

        Parameters
        ----------
        flat : ndarray of int32
            Token ids of all texts, one behind the other.
        lengths : ndarray of int64, shape (n_texts,)
        """
        starts = np.cumsum(lengths) - lengths
        order = np.argsort(-lengths, kind="stable")
        answers = np.empty((len(lengths), len(self.head.bias)), np.float32)
        size = BLOCK[self.convolutions[0].table.itemsize]
        for begin in range(0, len(order), size):
            some = order[begin : begin + size]
            block = Block(flat, starts[some], lengths[some])
            answers[some] = self.head(self._features(block))
        return answers

    def _features(self, block: Block) -> np.ndarray:
        if self.pooling == "average":
            found = [one.averages(block, self.activation) for one in self.convolutions]
            return np.concatenate(found, axis=1)
        found = [part.maxima(block) for part in self.convolutions]
        features = found[0] if len(found) == 1 else np.concatenate(found, axis=1)
        # Without any token a text has no answers, and no bias either.
        features[np.flatnonzero(block.lengths == 0)] = 0
        return activate(self.activation, features)
