"""The two loops that take most of the time, compiled by numba and kept on disk.

Importing this file imports numba (half a second), so nothing does so for one answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emoclf.folded.head import Head, activate
from emoclf.folded.text_cnn import Convolution
from emoclf.folded.words import Windows, WordRows
from emoclf.optional import require
from emoclf.text.pieces import LONGEST, SLOTS_LOG, SPREAD, PieceTable

numba = require("numba", extra="fast", needed_by="engine='numba'")

#: Bytes of a cache line: blocks of columns begin at multiples of it.
LINE = 64
#: Words between the one whose row is asked for and the window that is summed.
AHEAD = 4
U64 = np.uint64
SHIFT = 64 - SLOTS_LOG


@dataclass(frozen=True)
class Layout:
    """Where the columns of each shift stand in a word's row.

    Filters are ordered by the size of their kernel, the widest first. The shifts at
    which a kernel looks are among those of every wider kernel, so each shift has a
    block of the first columns, and columns that have the same shifts lie side by side.

    Parameters
    ----------
    order : ndarray of int64, shape (columns,)
        Which filter stands in which column.
    offsets, widths : ndarray of int64, shape (n_shifts,)
        Where each shift's block begins in the row, and how wide it is.
    regions : ndarray of int64, shape (n_regions, 4)
        First column, column behind the last, first shift, number of shifts.
    """

    order: np.ndarray
    offsets: np.ndarray
    widths: np.ndarray
    regions: np.ndarray

    @classmethod
    def of(cls, windows: Windows, filters: int, itemsize: int) -> Layout:
        """Lay out kernels, each block a multiple of a cache line."""
        lanes = LINE // itemsize
        shifts = windows.shifts
        sizes = sorted(windows.sizes, reverse=True)
        order = np.concatenate(
            [np.arange(filters) + windows.sizes.index(size) * filters for size in sizes]
        )
        reach = {size: -windows.left(size) - shifts[0] for size in sizes}
        ends = [_up(filters * (n + 1), lanes) for n in range(len(sizes))]
        widths = np.array(
            [
                max(
                    end
                    for size, end in zip(sizes, ends, strict=True)
                    if reach[size] <= place < reach[size] + size
                )
                for place in range(len(shifts))
            ]
        )
        regions, begin = [], 0
        for size, end in zip(sizes, ends, strict=True):
            if end > begin:
                regions.append((begin, end, reach[size], size))
                begin = end
        offsets = np.cumsum(widths) - widths
        return cls(order, offsets, widths, np.array(regions, np.int64))

    def spread(self, by_shift: np.ndarray) -> np.ndarray:
        """Lay (…, n_shifts, columns) into rows, (…, width); zero in between."""
        rows = np.zeros((*by_shift.shape[:-2], int(self.widths.sum())), np.float32)
        blocks = zip(self.offsets.tolist(), self.widths.tolist(), strict=True)
        for shift, (offset, width) in enumerate(blocks):
            there = self.order[:width]
            rows[..., offset : offset + len(there)] = by_shift[..., shift, there]
        return rows


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
        # Columns between blocks are never looked at; their unit is 1.
        units = layout.spread(np.broadcast_to(step, (n_shifts, columns)))
        units[units == 0] = 1
        self.rows = WordRows(
            parts.vectors,
            layout.spread(parts.kernel),
            step=None if rounding is None else units,
            middle=None if rounding is None else layout.spread(middle),
            dtype=dtype,
        )
        self.step = np.ascontiguousarray(step[layout.order], np.float32)
        bias = parts.bias + middle.sum(0)
        self.bias = np.ascontiguousarray(bias[layout.order], np.float32)
        self.table = self.rows.table.reshape(-1)
        self._sums = np.dtype(np.float32 if rounding is None else np.int16)

    def maxima(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return each filter's largest answer in the order of ``layout``."""
        self.rows.make(flat)
        answers = np.empty((len(lengths), len(self.step)), np.float32)
        layout = self.layout
        best = np.empty(int(layout.regions[-1, 1]), self._sums)
        _maxima(
            flat,
            lengths,
            self.windows.count(lengths),
            self.windows.stride,
            self.windows.shifts[0],
            self.table,
            self.rows.table.shape[1],
            layout.offsets,
            layout.regions,
            self.step,
            self.bias,
            best,
            answers,
        )
        return answers


class CompiledTextCNN:
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
        self.activation = activation
        order, start = [], 0
        for one in self.convolutions:
            order.append(one.layout.order + start)
            start += len(one.layout.order)
        self.head = head.reordered(np.concatenate(order))
        self._kernel = np.ascontiguousarray(self.head.kernel.T)

    def one(self, token_ids: Sequence[int]) -> np.ndarray:
        """Return the probabilities of one text, shape (1, n_classes)."""
        flat = np.array(token_ids, np.int32)
        return self.many(flat, np.array([len(flat)]))

    def many(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return probabilities, float32 of shape (n_texts, n_classes).

        Parameters
        ----------
        flat : ndarray of int32
            Token ids of all texts, one behind the other.
        lengths : ndarray of int64, shape (n_texts,)
        """
        found = [one.maxima(flat, lengths) for one in self.convolutions]
        features = found[0] if len(found) == 1 else np.concatenate(found, axis=1)
        features = activate(self.activation, features)
        if self.head.hidden_kernel is not None:
            return self.head(features)
        answers = np.empty((len(features), len(self._kernel)), np.float32)
        _answers(features, self._kernel, self.head.bias, self.head.several, answers)
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
            several = table.several
            count, unknown, n_long = _pieces(
                data,
                table.is_space,
                table.values,
                U64(table.base),
                table.keys,
                table.ids,
                several.starts,
                several.sizes,
                several.flat,
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
        values = table.several.add([table.cut(raw, *span) for span in spans.tolist()])
        # They stand as -1, -2, …
        (places,) = np.nonzero(ids < 0)
        ids[places] = values[-1 - ids[places]]
        found = table.several.spread(ids, np.cumsum(lengths))
        table.several.forget(len(spans))
        return found


def _up(number: int, lanes: int) -> int:
    return -(-number // lanes) * lanes


def _compiled(**options: Any) -> Any:
    def compiled(function: Any) -> Any:
        try:
            # Kept beside this file, or in the user's cache if that cannot be written.
            return numba.njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:
            # Nor can that: numba finds no place, and each process compiles anew.
            return numba.njit(nogil=True, **options)(function)

    return compiled


@numba.extending.intrinsic
def _prefetch(typing_context, table, place):
    """Ask for the cache line of ``table[place]``, which is needed soon."""
    ir = require("llvmlite.ir", extra="fast", needed_by="engine='numba'")

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        address = builder.gep(array.data, [arguments[1]])
        number = ir.IntType(32)
        pointer = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        function = numba.core.cgutils.get_or_insert_function(
            builder.module, kind, "llvm.prefetch.p0"
        )
        # To be read, into all caches, as data.
        options = [number(0), number(3), number(1)]
        builder.call(function, [builder.bitcast(address, pointer), *options])
        return context.get_dummy_value()

    return numba.types.void(table, numba.types.uint64), generate


# A table and unsigned places in it, since slices would be counted references, and
# signed places would be tested for lying before the end. Sums are cast back to the
# type of the maxima, or they would be as wide as an int64.
@_compiled()
def _best_of_1(best, table, first, count, a):
    for c in range(count):
        found = best.dtype.type(table[a + c])
        best[first + c] = max(best[first + c], found)


@_compiled()
def _best_of_2(best, table, first, count, a, b):
    for c in range(count):
        found = best.dtype.type(table[a + c] + table[b + c])
        best[first + c] = max(best[first + c], found)


@_compiled()
def _best_of_3(best, table, first, count, a, b, d):
    for c in range(count):
        found = best.dtype.type(table[a + c] + table[b + c] + table[d + c])
        best[first + c] = max(best[first + c], found)


@_compiled()
def _best_of_4(best, table, first, count, a, b, d, e):
    for c in range(count):
        found = best.dtype.type(
            table[a + c] + table[b + c] + table[d + c] + table[e + c]
        )
        best[first + c] = max(best[first + c], found)


@_compiled()
def _best_of_5(best, table, first, count, a, b, d, e, f):
    for c in range(count):
        found = best.dtype.type(
            table[a + c] + table[b + c] + table[d + c] + table[e + c] + table[f + c]
        )
        best[first + c] = max(best[first + c], found)


@_compiled()
def _best_of_many(best, table, first, count, bases, shift, terms, sums):
    for c in range(count):
        sums[c] = 0
    for term in range(terms):
        base = bases[shift + term] + first
        for c in range(count):
            sums[c] = best.dtype.type(sums[c] + table[base + c])
    for c in range(count):
        best[first + c] = max(best[first + c], sums[c])


@_compiled()
def _maxima(
    flat, lengths, counts, stride, before, table, width, offsets, regions, step, bias,
    best, answers,
):  # fmt: skip
    """Write each filter's largest sum over the windows of each text."""
    lanes = np.uint64(LINE // table.itemsize)
    bases = np.empty(len(offsets), np.uint64)
    sums = np.empty_like(best)
    start = 0
    for text in range(len(lengths)):
        length = lengths[text]
        if counts[text] == 0:
            answers[text] = 0
            continue
        best[:] = -32768
        if best.itemsize > 2:
            best[:] = -np.inf
        for number in range(counts[text]):
            # The row of a word is in memory until then: a quarter of the time.
            coming = start + number * stride + AHEAD
            if coming < len(flat):
                line = np.uint64(flat[coming] * width)
                behind = line + np.uint64(width)
                while line < behind:
                    _prefetch(table, line)
                    line += lanes
            for shift in range(len(offsets)):
                place = number * stride + before + shift
                word = 0
                if 0 <= place < length:
                    word = flat[start + place]
                bases[shift] = np.uint64(word * width + offsets[shift])
            for region in range(len(regions)):
                first = np.uint64(regions[region, 0])
                count = np.uint64(regions[region, 1]) - first
                shift = regions[region, 2]
                terms = regions[region, 3]
                a = bases[shift] + first
                if terms == 1:
                    _best_of_1(best, table, first, count, a)
                    continue
                b = bases[shift + 1] + first
                if terms == 2:
                    _best_of_2(best, table, first, count, a, b)
                    continue
                if terms > 5:
                    _best_of_many(best, table, first, count, bases, shift, terms, sums)
                    continue
                d = bases[shift + 2] + first
                if terms == 3:
                    _best_of_3(best, table, first, count, a, b, d)
                    continue
                e = bases[shift + 3] + first
                if terms == 4:
                    _best_of_4(best, table, first, count, a, b, d, e)
                    continue
                f = bases[shift + 4] + first
                _best_of_5(best, table, first, count, a, b, d, e, f)
        for c in range(len(step)):
            answers[text, c] = best[c] * step[c] + bias[c]
        start += length


@_compiled(fastmath={"reassoc", "contract"})
def _answers(features, kernel, bias, several, answers):
    """Write the probabilities of each text."""
    n_classes = len(bias)
    for text in range(len(features)):
        largest = np.float32(-np.inf)
        for label in range(n_classes):
            total = np.float32(0)
            for c in range(features.shape[1]):
                total += features[text, c] * kernel[label, c]
            total += bias[label]
            answers[text, label] = total
            largest = max(largest, total)
        if several:
            for label in range(n_classes):
                half = np.tanh(np.float32(0.5) * answers[text, label])
                answers[text, label] = np.float32(0.5) * half + np.float32(0.5)
            continue
        whole = np.float32(0)
        for label in range(n_classes):
            answers[text, label] = np.exp(answers[text, label] - largest)
            whole += answers[text, label]
        for label in range(n_classes):
            answers[text, label] /= whole


@_compiled()
def _pieces(
    data, is_space, values, base, keys, known, starts, sizes, flat, ids, lengths,
    missing, hashes, long,
):  # fmt: skip
    """Write the ids of all texts, and return how many they are.

    Then how many pieces are unknown, and how many too long to be remembered: those
    stand among the ids as -1, -2, …
    """
    spread = np.uint64(SPREAD)
    shift = np.uint64(SHIFT)
    last = np.uint64(len(keys) - 1)
    one = np.uint64(1)
    count = unknown = n_long = text = before = 0
    begin = -1
    total = np.uint64(0)
    power = one
    for place in range(len(data)):
        byte = data[place]
        if not is_space[byte]:
            if begin < 0:
                begin = place
                total = np.uint64(0)
                power = one
            total += values[byte] * power
            power *= base
            continue
        if begin >= 0 and place - begin > LONGEST:
            long[n_long, 0] = begin
            long[n_long, 1] = place
            n_long += 1
            ids[count] = -n_long
            count += 1
        elif begin >= 0:
            if total == np.uint64(0):
                total = one
            slot = (total * spread) >> shift
            while keys[slot] != total and keys[slot] != np.uint64(0):
                slot = (slot + one) & last
            if keys[slot] == np.uint64(0):
                missing[unknown, 0] = begin
                missing[unknown, 1] = place
                hashes[unknown] = total
                unknown += 1
            else:
                found = known[slot]
                if found >= 0:
                    ids[count] = found
                    count += 1
                else:
                    entry = -1 - found
                    for position in range(starts[entry], starts[entry] + sizes[entry]):
                        ids[count] = flat[position]
                        count += 1
        begin = -1
        if byte == 0:
            lengths[text] = count - before
            before = count
            text += 1
    return count, unknown, n_long
