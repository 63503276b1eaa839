"""Sums of rows and the head, compiled: the loops that take most of the time."""

from __future__ import annotations

from functools import partial, reduce

import numpy as np

from emoclf.errors import setting
from emoclf.folded.jit import compiled, numba
from emoclf.folded.words import LINE
from emoclf.optional import require

ir = require("llvmlite.ir", extra="fast", needed_by=setting("engine", "numba"))

#: A row is asked for so many words before it is read. From 96 to 320 it made no
#: difference; with 24, float32 took half as long again.
AHEAD = 128
#: Bits and number of a processor's vector registers, by what it calls itself.
REGISTERS = {"+avx512vl": (512, 32), "+avx2": (256, 16), "+neon": (128, 32)}


def _lanes_in_registers(features, lanes, bits, terms):
    """Return how many filters' open windows a processor's registers hold.

    At most a line's ``lanes``; 0 if there are too many windows open. There is one for
    each but the last of a window's words, the largest, and what is read.
    """
    known = (REGISTERS[name] for name in features.split(",") if name in REGISTERS)
    size, count = max(known, default=(128, 16))
    while lanes * bits >= size:
        if (terms + 1) * lanes * bits <= size * count:
            return lanes
        lanes //= 2
    return 0


def _ask_for(builder, address):
    """Emit a request for the cache line of an address, which is needed soon."""
    number, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
    prefetch = numba.core.cgutils.get_or_insert_function(
        builder.module, kind, "llvm.prefetch.p0"
    )
    # To be read, into all caches, as data.
    options = [number(0), number(3), number(1)]
    builder.call(prefetch, [builder.bitcast(address, pointer), *options])


class _Sums:
    """Emit sums of words' terms, lane by lane.

    Parameters
    ----------
    builder : IRBuilder
    kind : vector type
        Of the sums.
    terms : int
        Words of a window, each with its term.
    read : function of (word, terms)
        Emits and returns these terms of a word, counted from the first window's first.
    """

    def __init__(self, builder, kind, terms, read):
        self.builder = builder
        self.kind = kind
        self.terms = terms
        self.read = read
        self.real = isinstance(kind.element, ir.FloatType)
        self.add = builder.fadd if self.real else builder.add

    def largest(self, lowest, windows, sum_of):
        """Emit the largest of all windows' sums, ``lowest`` if there is none."""
        compare = self.builder.fcmp_ordered if self.real else self.builder.icmp_signed
        largest = numba.core.cgutils.alloca_once(self.builder, self.kind)
        self.builder.store(self.kind([lowest] * self.kind.count), largest)
        with numba.core.cgutils.for_range(self.builder, windows) as window:
            found, known = sum_of(window.index), self.builder.load(largest)
            larger = compare(">", found, known)
            self.builder.store(self.builder.select(larger, found, known), largest)
        return self.builder.load(largest)

    def apart(self, stride):
        """Return what emits a window's sum; from one to the next are many words."""
        long = ir.IntType(64)

        def sum_of(window):
            first = self.builder.mul(window, stride)
            words = [self.builder.add(first, long(i)) for i in range(self.terms)]
            found = [self.read(word, [term])[0] for term, word in enumerate(words)]
            return reduce(self.add, found)

        return sum_of

    def side_by_side(self):
        """Return what emits the sums of windows that begin with one word each.

        Words pass one after the other, and each is read once: it has a term for every
        window that is open. So there is one address for all of them, and sums stay in
        registers.
        """
        long = ir.IntType(64)
        # Of the windows that were opened by this word, by the one before it, …
        once = numba.core.cgutils.alloca_once
        sums = [once(self.builder, self.kind) for _ in range(self.terms - 1)]

        def pass_word(word, count):
            first, *others = self.read(word, range(count))
            known = [self.builder.load(place) for place in sums[: count - 1]]
            found = [first, *map(self.add, known, others)]
            for place, total in zip(sums, found, strict=False):
                self.builder.store(total, place)
            return found[-1]

        for word in range(self.terms - 1):
            pass_word(long(word), word + 1)

        def sum_of(window):
            # The word that closes it.
            last = self.builder.add(window, long(self.terms - 1))
            return pass_word(last, self.terms)

        return sum_of


class _Rows:
    """Emit reads of words' rows in a line's table.

    Parameters
    ----------
    builder : IRBuilder
    table : pointer
        To the line's table.
    words : pointer
        To the first word of a text's first window.
    width, terms : int
        Filters of a line, and terms of a row, each of them for all of those.
    kind, sums : vector type
        Of what is read, and of what it becomes, for some of a line's filters.
    all_at_once : bool
        Whether a word's terms are all read together.
    """

    def __init__(self, builder, table, words, width, terms, kind, sums, all_at_once):
        self.builder = builder
        self.table = table
        self.words = words
        self.width = width
        self.terms = terms
        self.kind = kind
        self.sums = sums
        self.all_at_once = all_at_once

    def read(self, lane, word, wanted):
        """Emit and return these terms of a word, for filters from this lane on.

        Those of a later word are asked for.
        """
        builder, long = self.builder, ir.IntType(64)
        if lane == 0:
            coming = self._row_of(builder.add(word, long(AHEAD)))
            for term in range(self.terms) if self.all_at_once else wanted:
                _ask_for(builder, builder.gep(coming, [long(term * self.width)]))
        row, found = self._row_of(word), []
        align = LINE * self.kind.count // self.width
        for term in wanted:
            source = builder.gep(row, [long(term * self.width + lane)])
            source = builder.bitcast(source, self.kind.as_pointer())
            found.append(builder.load(source, align=align))
        if self.kind == self.sums:
            return found
        return [builder.sext(numbers, self.sums) for numbers in found]

    def _row_of(self, word):
        long = ir.IntType(64)
        number = self.builder.load(self.builder.gep(self.words, [word]))
        number = self.builder.sext(number, long)
        size = long(self.terms * self.width)
        return self.builder.gep(self.table, [self.builder.mul(number, size)])


@numba.extending.intrinsic
def _write_line(
    typing_context, table, begin, words, place, count, stride, terms, best, at
):
    """Write the maxima of a line's filters over the windows of one text.

    Written in vectors, for which LLVM finds the registers that a processor has: of
    loops over so few numbers it makes steps for single ones.

    Parameters
    ----------
    table : 1-D array of int8, int16 or float32
    begin : int
        Where the line's table begins in it.
    words : 1-D array of int32
        The texts' words, and padding around each.
    place, count : int
        The first word of the first window, and the number of windows.
    stride : int or None
        Words from one window to the next; None if windows stand side by side, for
        which there is other code.
    terms : tuple
        As many as the line has shifts: the code depends on it.
    best : 1-D array of int16 or float32
    at : int
        Where the maxima are written, a whole line of them.
    """
    width = LINE * 8 // table.dtype.bitwidth
    real = isinstance(table.dtype, numba.types.Float)
    bits = best.dtype.bitwidth
    lowest = float("-inf") if real else -(1 << bits - 1)

    def generate(context, builder, signature, arguments):
        data = {
            number: context.make_array(kind)(context, builder, arguments[number]).data
            for number, kind in enumerate(signature.args)
            if isinstance(kind, numba.types.Array)
        }
        _, begin, _, place, count, step, _, _, at = arguments
        table, words, best = data[0], data[2], data[7]
        lanes = 0
        if stride == numba.types.none:
            step = ir.IntType(64)(1)
            _, _, features = context.codegen().magic_tuple()
            lanes = _lanes_in_registers(features, width, bits, terms.count)
        # Else too many are open to be kept, or windows begin with some words only.
        running, lanes = lanes > 0, lanes or width
        part, _, sums = (
            ir.VectorType(context.get_data_type(kind.dtype), lanes)
            for kind in signature.args
            if isinstance(kind, numba.types.Array)
        )
        table, words = builder.gep(table, [begin]), builder.gep(words, [place])
        rows = _Rows(builder, table, words, width, terms.count, part, sums, running)
        for lane in range(0, width, lanes):
            emit = _Sums(builder, sums, terms.count, partial(rows.read, lane))
            sum_of = emit.side_by_side() if running else emit.apart(step)
            largest = emit.largest(lowest, count, sum_of)
            to = builder.gep(best, [builder.add(at, ir.IntType(64)(lane))])
            target = builder.bitcast(to, sums.as_pointer())
            builder.store(largest, target, align=bits // 8)
        return context.get_dummy_value()

    number = numba.types.int64
    step = stride if stride == numba.types.none else number
    kinds = [table, number, words, number, number, step, terms, best, number]
    return numba.types.void(*kinds), generate


@compiled()
def pad_each(flat, lengths, before, after):
    """Return the words with padding around those of each text, and behind the last."""
    words = np.zeros(len(flat) + len(lengths) * (before + after) + AHEAD, np.int32)
    start = place = 0
    for length in lengths:
        place += before
        words[place : place + length] = flat[start : start + length]
        start += length
        place += length + after
    return words


@compiled()
def write_maxima(
    words, lengths, counts, stride, margin, shift, terms, table, n_words, best, column
):
    """Write the largest sums of some lines' columns over the windows of each text.

    Line by line, and all texts for each: what common words have in a line's table
    stays in the cache.

    Parameters
    ----------
    words : ndarray of int32
        Of :func:`pad_each`.
    lengths, counts : ndarray of int64, shape (n_texts,)
        Words and windows of each text.
    stride : int or None
        Words from one window to the next; None if windows stand side by side.
    margin : int
        Padding before and behind a text, together.
    shift : int
        Where the first window begins in a padded text.
    terms : tuple
        As many as a window of these lines has words.
    table : 1-D array
        Tables of these lines, one behind the other.
    n_words : int
        Rows of each.
    best : ndarray, shape (n_texts, columns)
        Where they are written, from this column on.
    column : int
    """
    flat_best = best.reshape(-1)
    lanes = LINE // table.itemsize
    size = n_words * len(terms) * lanes
    for line in range(len(table) // size):
        place = shift
        for text in range(len(lengths)):
            _write_line(
                table,
                line * size,
                words,
                place,
                counts[text],
                stride,
                terms,
                flat_best,
                text * best.shape[1] + column + line * lanes,
            )
            place += margin + lengths[text]


@compiled(fastmath={"reassoc", "contract"})
def write_answers(best, zero, lengths, kernel, bias, multilabel, answers):
    """Write the probabilities of each text; its features are ``relu(best + zero)``.

    A text without any token has none.
    """
    n_classes = len(bias)
    features = np.empty_like(zero)
    for text in range(len(best)):
        largest = np.float32(-np.inf)
        for c in range(len(zero)):
            features[c] = max(np.float32(best[text, c]) + zero[c], np.float32(0))
        if not lengths[text]:
            features[:] = 0
        for label in range(n_classes):
            total = np.float32(0)
            for c in range(len(zero)):
                total += features[c] * kernel[label, c]
            total += bias[label]
            answers[text, label] = total
            largest = max(largest, total)
        if multilabel:
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
