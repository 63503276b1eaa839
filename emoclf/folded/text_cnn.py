"""A folded TextCNN: sums of looked-up rows, a maximum or average, and the head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from emoclf.folded.head import Head, activate
from emoclf.folded.words import Windows, WordRows

#: Texts that are answered side by side: their rows of sums fit a processor's cache.
BLOCK = {"float32": 256, "int16": 512}


@dataclass
class Convolution:
    """Kernels that share their windows, folded with the embedding.

    Parameters
    ----------
    windows : Windows
    rows : WordRows
    bias : ndarray of float32, shape (columns,)
    """

    windows: Windows
    rows: WordRows
    bias: np.ndarray

    def maxima(self, texts: _Block) -> np.ndarray:
        """Return each filter's largest answer, with its bias."""
        counts = self.windows.count(texts.lengths)
        best: np.ndarray | None = None
        for answers in self._answers(texts, counts):
            if best is None:
                best = np.zeros((len(counts), self.rows.columns), answers.dtype)
                best[: len(answers)] = answers
            else:
                part = best[: len(answers)]
                np.maximum(part, answers, out=part)
        return self._floats(best, len(counts))

    def averages(self, texts: _Block, activation: str) -> np.ndarray:
        """Return each filter's mean answer, activated."""
        counts = self.windows.count(texts.lengths)
        total = np.zeros((len(counts), self.rows.columns), np.float32)
        for answers in self._answers(texts, counts):
            total[: len(answers)] += activate(
                activation, self._floats(answers, len(answers))
            )
        total /= np.maximum(counts, 1)[:, None].astype(np.float32)
        return total

    def maxima_of_one(self, token_ids: Sequence[int]) -> np.ndarray:
        """Return :meth:`maxima` of a single text, shape (1, columns)."""
        windows, rows = self.windows, self.rows
        shifts, n = windows.shifts, len(token_ids)
        words = np.zeros(n + len(shifts) - 1, np.int64)
        words[-shifts[0] : n - shifts[0]] = token_ids
        rows.make(words)
        words *= rows.n_shifts
        last = (int(windows.count(np.array(n))) - 1) * windows.stride + 1
        total: np.ndarray | None = None
        for place in range(len(shifts)):
            here = words[place : place + last : windows.stride] + place
            found = rows.rows.take(here, 0)
            if total is None:
                total = found
            else:
                total += found
        assert total is not None
        return self._floats(total.max(0, keepdims=True), 1)

    def _floats(self, sums: np.ndarray | None, n: int) -> np.ndarray:
        """Return answers as float32, bias included; there may be no window at all."""
        if sums is None:
            sums = np.zeros((n, self.rows.columns), np.float32)
        if self.rows.step is not None:
            sums = sums * self.rows.step
        sums += self.bias
        return sums

    def _answers(self, texts: _Block, counts: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the sums of one window after the other, for the texts that have it.

        Texts stand in order of their lengths, so that those with a window number w are
        the first ones, and every array is a contiguous slice.
        """
        windows, rows = self.windows, self.rows
        shifts, table = windows.shifts, rows.rows
        most = int(counts[0]) if len(counts) else 0
        if not most:
            return
        words = texts.by_time(-shifts[0], shifts[-1])
        rows.make(texts.token_ids)
        words *= rows.n_shifts
        by_shift = [words + place for place in range(len(shifts))]
        alive = np.searchsorted(-counts, -np.arange(most), side="left").tolist()
        sums = np.empty((alive[0], rows.columns), table.dtype)
        found = np.empty_like(sums)
        for number, n in enumerate(alive):
            base = number * windows.stride
            total, more = sums[:n], found[:n]
            # "clip" lets take write straight into out; all indices are in range.
            table.take(by_shift[0][base][:n], 0, total, "clip")
            for place in range(1, len(shifts)):
                table.take(by_shift[place][base + place][:n], 0, more, "clip")
                np.add(total, more, out=total)
            yield total


class _Block:
    """Some texts, the longest first."""

    def __init__(
        self, flat: np.ndarray, starts: np.ndarray, lengths: np.ndarray
    ) -> None:
        self.flat = flat
        self.starts = starts
        self.lengths = lengths
        self._alive = np.searchsorted(
            -lengths, -np.arange(int(lengths[0])), side="left"
        ).tolist()
        self.token_ids = np.concatenate(
            [flat[starts[:n] + t] for t, n in enumerate(self._alive)]
            or [np.empty(0, flat.dtype)]
        )

    def by_time(self, before: int, after: int) -> np.ndarray:
        """Return ids, int64 of shape (before + longest + after, n); 0 is padding."""
        longest, n = len(self._alive), len(self.lengths)
        # A stride may ask for windows that begin at the last word.
        words = np.zeros((before + longest + after, n), np.int64)
        place = 0
        for t, alive in enumerate(self._alive):
            words[before + t, :alive] = self.token_ids[place : place + alive]
            place += alive
        return words


@dataclass
class FoldedTextCNN:
    """A TextCNN that answers from token ids.

    Parameters
    ----------
    convolutions : list of Convolution
    pooling : {"max", "average"}
    activation : str
    head : Head
    precision : {"float32", "int16"}
    """

    convolutions: list[Convolution]
    pooling: str
    activation: str
    head: Head
    precision: str

    def one(self, token_ids: Sequence[int]) -> np.ndarray:
        """Return the probabilities of one text, shape (1, n_classes)."""
        if not token_ids or self.pooling != "max":
            flat = np.array(token_ids, np.int32)
            return self.many(flat, np.array([len(flat)]))
        found = [part.maxima_of_one(token_ids) for part in self.convolutions]
        features = found[0] if len(found) == 1 else np.concatenate(found, axis=1)
        return self.head(activate(self.activation, features))

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
        size = BLOCK[self.precision]
        for begin in range(0, len(order), size):
            some = order[begin : begin + size]
            block = _Block(flat, starts[some], lengths[some])
            answers[some] = self.head(self._features(block))
        return answers

    def _features(self, block: _Block) -> np.ndarray:
        if self.pooling == "average":
            found = [one.averages(block, self.activation) for one in self.convolutions]
            return np.concatenate(found, axis=1)
        found = [part.maxima(block) for part in self.convolutions]
        features = found[0] if len(found) == 1 else np.concatenate(found, axis=1)
        # Without any token a text has no answers, and no bias either.
        features[np.flatnonzero(block.lengths == 0)] = 0
        return activate(self.activation, features)
