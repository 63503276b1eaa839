"""A folded TextCNN whose loops are compiled; importing this imports numba."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from emoclf.folded.features import Features
from emoclf.folded.head import Head
from emoclf.folded.layout import Layout
from emoclf.folded.loops import pad_each, write_answers, write_maxima
from emoclf.folded.network import Network
from emoclf.folded.piece_loops import write_pieces
from emoclf.folded.text_cnn import Convolution
from emoclf.folded.words import WordRows
from emoclf.text.piece_table import LONGEST, PieceTable

#: Texts that pass each line's table together.
AT_ONCE = 4096


class CompiledConvolution:
    """A convolution whose rows are laid out for compiled loops.

    Parameters
    ----------
    parts : Convolution
    """

    def __init__(self, parts: Convolution) -> None:
        self.windows = parts.windows
        rounding = parts.rounding
        n_shifts, columns = parts.kernel.shape[1:]
        dtype = np.dtype(np.float32) if rounding is None else rounding.dtype
        filters = columns // len(parts.windows.sizes)
        self.layout = layout = Layout.of(parts.windows, filters, dtype.itemsize)
        step, middle = np.ones(columns, np.float32), np.zeros((n_shifts, columns))
        if rounding is not None:
            step, middle = rounding.step, rounding.middle
        # Columns between filters are never looked at; their unit is 1.
        units = layout.spread(np.broadcast_to(step, (n_shifts, columns)))
        units[units == 0] = 1
        self.rows = WordRows(
            parts.vectors,
            layout.spread(parts.kernel),
            layout.widths,
            step=None if rounding is None else units,
            middle=None if rounding is None else layout.spread(middle),
            dtype=dtype,
        )
        self.n_words = len(parts.vectors)
        self.step = step[layout.order]
        self.bias = (parts.bias + middle.sum(0))[layout.order].astype(np.float32)
        self._sums = np.dtype(np.float32 if rounding is None else np.int16)

    def maxima(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return each filter's largest sum, in the order of ``layout``.

        Without any window it is the least that there is. There may be columns behind
        those of the filters.
        """
        layout, shifts, stride = self.layout, self.windows.shifts, self.windows.stride
        best = np.empty((len(lengths), len(layout.lines) * layout.lanes), self._sums)
        words = pad_each(flat, lengths, -shifts[0], shifts[-1])
        counts = self.windows.count(lengths)
        begin = column = 0
        for line, same in groupby(layout.lines):
            lanes = len(list(same)) * layout.lanes
            stop = begin + self.n_words * line.terms * lanes
            write_maxima(
                words,
                lengths,
                counts,
                None if stride == 1 else stride,
                len(shifts) - 1,
                line.shift,
                # Compiled for so many: sums are kept in registers.
                (0,) * line.terms,
                self.rows.table[begin:stop],
                self.n_words,
                best,
                column,
            )
            begin = stop
            column += lanes
        return best


class CompiledTextCNN(Network):
    """A folded TextCNN with max pooling, compiled.

    Parameters
    ----------
    convolutions : sequence of Convolution
    activation : str
    head : Head
        In the order of the model's filters.
    """

    def __init__(
        self, convolutions: Sequence[Convolution], activation: str, head: Head
    ) -> None:
        self.convolutions = [CompiledConvolution(parts) for parts in convolutions]
        order, start = [], 0
        for one in self.convolutions:
            order.append(one.layout.order + start)
            start += len(one.layout.order)
        steps = np.concatenate([one.step for one in self.convolutions])
        biases = np.concatenate([one.bias for one in self.convolutions])
        self.features = Features(steps, biases, activation)
        self.head = self.features.head(head.reordered(np.concatenate(order)))

    def many(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return probabilities; see :meth:`Network.many`."""
        for one in self.convolutions:
            one.rows.make(flat)
        answers = np.empty((len(lengths), len(self.head.bias)), np.float32)
        stops = np.cumsum(lengths)
        begin = 0
        for start in range(0, len(lengths), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            stop = int(stops[some][-1])
            answers[some] = self._some(flat[begin:stop], lengths[some])
            begin = stop
        return answers

    def _some(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        found = [one.maxima(flat, lengths) for one in self.convolutions]
        best, zero, head = found[0], self.features.zero, self.head
        plain = zero is not None and head.hidden_kernel is None
        if not plain or len(found) > 1:
            both = zip(found, self.convolutions, strict=True)
            best = np.concatenate([x[:, : len(one.step)] for x, one in both], axis=1)
        if not plain:
            return head(self.features(best, np.flatnonzero(lengths == 0)))
        answers = np.empty((len(best), len(head.bias)), np.float32)
        write_answers(
            best, zero, lengths, head.by_class, head.bias, head.multilabel, answers
        )
        return answers


class CompiledPieces:
    """Texts to ids as :meth:`PieceTable.encode`, in one pass over the bytes.

    Parameters
    ----------
    table : PieceTable
        Whose memory is shared.
    """

    def __init__(self, table: PieceTable) -> None:
        self.table = table

    def encode(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids of a batch of texts, not cut, and their lengths."""
        table = self.table
        raw = table.join(texts)
        data = np.frombuffer(raw, np.uint8)
        ids = np.empty(len(data), np.int32)
        lengths = np.empty(len(texts), np.int64)
        missing = np.empty((len(data) // 2 + 1, 2), np.int64)
        long = np.empty((len(data) // LONGEST + 1, 2), np.int64)
        hashes = np.empty(len(missing), np.uint64)
        while True:
            multi_token = table.multi_token
            count, unknown, n_long = write_pieces(
                data,
                table.is_space,
                table.values,
                np.uint64(table.base),
                table.keys,
                table.ids,
                multi_token.starts,
                multi_token.sizes,
                multi_token.flat,
                ids,
                lengths,
                missing,
                hashes,
                long,
            )
            if not unknown:
                break
            table.learn(raw, missing[:unknown], hashes[:unknown])
        if not n_long:
            return ids[:count], lengths
        return self._with_long(raw, ids[:count], lengths, long[:n_long])

    def _with_long(
        self, raw: bytes, ids: np.ndarray, lengths: np.ndarray, spans: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Put the ids of pieces that are too long to be remembered in their places."""
        table = self.table
        values = table.multi_token.add(
            [table.cut(raw, *span) for span in spans.tolist()]
        )
        # They stand as -1, -2, …
        (places,) = np.nonzero(ids < 0)
        ids[places] = values[-1 - ids[places]]
        found = table.multi_token.spread(ids, np.cumsum(lengths))
        table.multi_token.forget(len(spans))
        return found
