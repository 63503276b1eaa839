"""A folded TextCNN with compiled loops; importing this module imports numba."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from itertools import accumulate, groupby
from typing import Any

import numpy as np

from emoclf.folded.features import Features
from emoclf.folded.head import Head
from emoclf.folded.layout import Layout
from emoclf.folded.loops import pad_texts, write_maxima_plainly
from emoclf.folded.network import Network
from emoclf.folded.ngram_sums import NgramLogits
from emoclf.folded.piece_loops import write_pieces
from emoclf.folded.text_cnn import Convolution
from emoclf.folded.word_rows import Rounding, WordRows
from emoclf.text.piece_table import MAX_PIECE_LENGTH, PieceTable

logger = logging.getLogger(__name__)

#: Texts that pass each table together.
BATCH_TEXTS = 4096
#: Sums of rows, by the type of the rows.
SUM_TYPES = {"float32": np.float32, "int16": np.int16, "int8": np.int16}


class MaximaWriter:
    """Vector instructions, or plain loops if those do not compile."""

    def __init__(self) -> None:
        self._write: Callable[..., None] | None = None

    def __call__(self, *arguments: Any) -> None:
        """Write maxima; see :func:`emoclf.folded.vector_sums.write_maxima`."""
        try:
            if self._write is None:
                from emoclf.folded.vector_sums import write_maxima

                self._write = write_maxima
            self._write(*arguments)
        except Exception as error:
            if self._write is write_maxima_plainly:
                raise
            logger.warning(
                "The vector instructions of engine='numba' do not compile with this "
                "numba and llvmlite (%s: %s). Plain loops are used instead: they give "
                "the same results and are several times slower. Install other "
                "versions of numba and llvmlite.",
                type(error).__name__,
                error,
            )
            self._write = write_maxima_plainly
            self._write(*arguments)


write_maxima = MaximaWriter()


class CompiledConvolution:
    """A convolution whose rows are laid out for compiled loops.

    Parameters
    ----------
    convolution : Convolution
    """

    def __init__(self, convolution: Convolution) -> None:
        self.windows = convolution.windows
        rounding = convolution.rounding
        dtype = np.dtype(np.float32) if rounding is None else rounding.dtype
        _, n_shifts, self.n_filters = convolution.kernel.shape
        filters = self.n_filters // len(self.windows.sizes)
        self.layout = layout = Layout(self.windows, filters, dtype.itemsize)
        if rounding is not None:
            steps = np.broadcast_to(rounding.step, (n_shifts, self.n_filters))
            # Columns without a filter are never looked at; their step is 1.
            rounding = Rounding(
                dtype, layout.spread(steps, fill=1), layout.spread(rounding.middle)
            )
        self.n_words = len(convolution.vectors)
        kernel = layout.spread(convolution.kernel)
        self.rows = WordRows(convolution.vectors, kernel, rounding, layout.widths)
        self._sum_type = SUM_TYPES[dtype.name]

    def maxima(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return each filter's largest sum, in the order of ``layout``.

        It is the lowest number if there is no window. Columns after the last filter
        are to be ignored.
        """
        layout, shifts, stride = self.layout, self.windows.shifts, self.windows.stride
        shape = len(lengths), len(layout.groups) * layout.group_size
        maxima = np.empty(shape, self._sum_type)
        words = pad_texts(flat, lengths, -shifts[0], shifts[-1])
        counts = self.windows.count(lengths)
        begin = column = 0
        for group, equal_groups in groupby(layout.groups):
            columns = len(list(equal_groups)) * layout.group_size
            stop = begin + self.n_words * group.window_words * columns
            write_maxima(
                words,
                lengths,
                counts,
                None if stride == 1 else stride,
                len(shifts) - 1,
                group.first_shift,
                # A type for each length: the number is a constant in compiled code.
                (0,) * group.window_words,
                self.rows.table[begin:stop],
                self.n_words,
                maxima,
                column,
            )
            begin = stop
            column += columns
        return maxima


class CompiledTextCNN(Network):
    """A folded TextCNN with max pooling, compiled.

    Parameters
    ----------
    convolutions : sequence of Convolution
    activation : str
    head : Head
        In the order of the model's filters.
    ngrams : NgramLogits, optional
        Linear part beside the convolutions.
    """

    def __init__(
        self,
        convolutions: Sequence[Convolution],
        activation: str,
        head: Head,
        ngrams: NgramLogits | None = None,
    ) -> None:
        self.ngrams = ngrams
        self.convolutions = [CompiledConvolution(stored) for stored in convolutions]
        starts = accumulate([layer.n_filters for layer in self.convolutions], initial=0)
        orders = zip(self.convolutions, starts, strict=False)
        order = np.concatenate([layer.layout.order + start for layer, start in orders])
        steps = np.concatenate([stored.step for stored in convolutions])[order]
        biases = np.concatenate([stored.sum_bias for stored in convolutions])[order]
        self.features = Features(steps, biases, activation)
        self.head = self.features.head(head.reordered(order))

    def predict_many(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return probabilities; see :meth:`Network.predict_many`."""
        for layer in self.convolutions:
            layer.rows.compute(flat)
        result = np.empty((len(lengths), len(self.head.bias)), np.float32)
        stops = np.cumsum(lengths)
        begin = 0
        for start in range(0, len(lengths), BATCH_TEXTS):
            batch = slice(start, start + BATCH_TEXTS)
            stop = int(stops[batch][-1])
            result[batch] = self._predict_batch(flat[begin:stop], lengths[batch])
            begin = stop
        return result

    def _predict_batch(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        added = None if self.ngrams is None else self.ngrams(flat, lengths)
        maxima = [
            layer.maxima(flat, lengths)[:, : layer.n_filters]
            for layer in self.convolutions
        ]
        features = self.features(np.concatenate(maxima, axis=1), lengths == 0)
        return self.head(features, added)


class CompiledPieces:
    """Token ids of texts as :meth:`PieceTable.encode`, in one pass over the bytes.

    Parameters
    ----------
    table : PieceTable
        Its memory is shared.
    """

    def __init__(self, table: PieceTable) -> None:
        self.table = table

    def encode(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the token ids of a batch of texts, not cut, and their lengths."""
        table = self.table
        raw = table.join(texts)
        data = np.frombuffer(raw, np.uint8)
        ids = np.empty(len(data), np.int32)
        lengths = np.empty(len(texts), np.int64)
        spans = np.empty((len(data) // 2 + 1, 2), np.int64)
        long_spans = np.empty((len(data) // MAX_PIECE_LENGTH + 1, 2), np.int64)
        hashes = np.empty(len(spans), np.uint64)
        while True:
            multi_token = table.multi_token
            count, n_unknown, n_long = write_pieces(
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
                spans,
                hashes,
                long_spans,
            )
            if not n_unknown:
                break
            table.learn(raw, spans[:n_unknown], hashes[:n_unknown])
        if not n_long:
            return ids[:count], lengths
        return self._with_long(raw, ids[:count], lengths, long_spans[:n_long])

    def _with_long(
        self, raw: bytes, ids: np.ndarray, lengths: np.ndarray, spans: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Insert the ids of pieces that are too long to be remembered."""
        table = self.table
        values = table.multi_token.add(
            [table.cut(raw, *span) for span in spans.tolist()]
        )
        # The loops write -1, -2, … for them.
        (positions,) = np.nonzero(ids < 0)
        ids[positions] = values[-1 - ids[positions]]
        result = table.multi_token.spread(ids, np.cumsum(lengths))
        table.multi_token.forget(len(spans))
        return result
