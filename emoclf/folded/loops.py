"""The loops that take most of the time, compiled by numba and kept on disk.

Importing this file imports numba (half a second), so nothing does so for one answer.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from emoclf.folded.words import LINE
from emoclf.optional import require
from emoclf.text.piece_table import LONGEST, SLOTS_LOG, SPREAD

numba = require("numba", extra="fast", needed_by="engine='numba'")
ir = require("llvmlite.ir", extra="fast", needed_by="engine='numba'")
llvm = require("llvmlite.binding", extra="fast", needed_by="engine='numba'")

#: A row is asked for so many words before it is read. Between one and three hundred
#: nothing waits for memory any more; with 24 a fifth of float32's time was waiting.
AHEAD = 128
SHIFT = 64 - SLOTS_LOG


def _compiled(**options: Any) -> Any:
    def compiled(function: Any) -> Any:
        try:
            # Kept beside this file, or in the user's cache if that cannot be written.
            return numba.njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:
            # Nor can that: numba finds no place, and each process compiles anew.
            return numba.njit(nogil=True, **options)(function)

    return compiled


def _lanes_at_once(table_bits: int, sum_bits: int) -> int:
    """Return for how many filters of a line sums fit the registers.

    Sums of int8 are int16: twice as long as a line, which is too long for a processor
    with 16 vector registers.
    """
    features = numba.config.CPU_FEATURES
    if features is None:
        features = llvm.get_host_cpu_features().flatten()
    # AVX-512 has 32 of them.
    return LINE * 8 // (table_bits if "+avx512vl" in features else sum_bits)


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


def _largest_sums(builder, kind, lowest, windows, stride, terms, read):
    """Emit the largest sum of terms over all windows, lane by lane, and return it.

    Words pass one after the other, and each is read once: it has a term for every
    window that is open. So there is one address for all of them, and sums stay in
    registers.

    Parameters
    ----------
    kind : vector type
        Of the sums.
    lowest : int or float
        The answer if there is no window.
    windows, stride : int64, emitted
        Number of windows, and words from one to the next.
    terms : int
        Words of a window.
    read : function of (word, count)
        Emits and returns the first ``count`` terms of a word, counted from the first
        window's first.
    """
    loop, once = numba.core.cgutils.for_range, numba.core.cgutils.alloca_once
    real = isinstance(lowest, float)
    add = builder.fadd if real else builder.add
    compare = builder.fcmp_ordered if real else builder.icmp_signed
    long = ir.IntType(64)
    # Of the windows that were opened by this word, by the one before it, …
    sums = [once(builder, kind) for _ in range(terms - 1)]

    def pass_word(word, count):
        """Emit the sums of open windows, and return that of the oldest."""
        first, *others = read(word, count)
        known = [builder.load(place) for place in sums[: count - 1]]
        found = [first, *map(add, known, others)]
        for place, total in zip(sums, found, strict=False):
            builder.store(total, place)
        return found[-1]

    largest = once(builder, kind)
    builder.store(kind([lowest] * kind.count), largest)
    for word in range(terms - 1):
        pass_word(long(word), word + 1)
    with loop(builder, windows) as window:
        word = builder.add(long(terms - 1), builder.mul(window.index, stride))
        found, known = pass_word(word, terms), builder.load(largest)
        larger = compare(">", found, known)
        builder.store(builder.select(larger, found, known), largest)
        with loop(builder, builder.sub(stride, long(1))) as skipped:
            after = builder.add(word, builder.add(skipped.index, long(1)))
            pass_word(after, terms)
    return builder.load(largest)


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
    place, count, stride : int
        The first word of the first window, the number of windows, the step to the next.
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
    lanes = _lanes_at_once(table.dtype.bitwidth, bits)

    def generate(context, builder, signature, arguments):
        data = {
            number: context.make_array(kind)(context, builder, arguments[number]).data
            for number, kind in enumerate(signature.args)
            if isinstance(kind, numba.types.Array)
        }
        _, begin, _, place, count, stride, _, _, at = arguments
        table, words, best = data[0], data[2], data[7]
        long = ir.IntType(64)
        part, _, sums = (
            ir.VectorType(context.get_data_type(kind.dtype), lanes)
            for kind in signature.args
            if isinstance(kind, numba.types.Array)
        )

        def row_of(place):
            word = builder.sext(builder.load(builder.gep(words, [place])), long)
            row = builder.mul(word, long(terms.count * width))
            return builder.gep(table, [builder.add(begin, row)])

        def read(lane, word, count):
            here = builder.add(place, word)
            if lane == 0:
                coming = row_of(builder.add(here, long(AHEAD)))
                for term in range(terms.count):
                    _ask_for(builder, builder.gep(coming, [long(term * width)]))
            row, found = row_of(here), []
            for term in range(count):
                source = builder.gep(row, [long(term * width + lane)])
                source = builder.bitcast(source, part.as_pointer())
                found.append(builder.load(source, align=LINE * lanes // width))
            return found if real else [builder.sext(x, sums) for x in found]

        for lane in range(0, width, lanes):
            largest = _largest_sums(
                builder, sums, lowest, count, stride, terms.count, partial(read, lane)
            )
            to = builder.gep(best, [builder.add(at, long(lane))])
            target = builder.bitcast(to, sums.as_pointer())
            builder.store(largest, target, align=bits // 8)
        return context.get_dummy_value()

    number = numba.types.int64
    kinds = [table, number, words, number, number, number, terms, best, number]
    return numba.types.void(*kinds), generate


@_compiled()
def pad_each(flat, lengths, before, after, stride):
    """Return the words with padding around those of each text, and behind the last."""
    margins = len(lengths) * (before + after)
    words = np.zeros(len(flat) + margins + AHEAD + stride, np.int32)
    start = place = 0
    for length in lengths:
        place += before
        words[place : place + length] = flat[start : start + length]
        start += length
        place += length + after
    return words


@_compiled()
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
    stride, margin : int
        Words from one window to the next, and the padding of a text.
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


@_compiled(fastmath={"reassoc", "contract"})
def write_answers(best, zero, lengths, kernel, bias, several, answers):
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
def _hash_pieces(data, is_space, values, base, spans, hashes, ends):
    """Write where pieces begin and end, their hashes, and where each text's end."""
    one = np.uint64(1)
    count = text = 0
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
        if begin >= 0:
            spans[count, 0] = begin
            spans[count, 1] = place
            # Zero marks a free slot.
            hashes[count] = total if total else one
            count += 1
            begin = -1
        if byte == 0:
            ends[text] = count
            text += 1


@_compiled()
def write_pieces(
    data, is_space, values, base, keys, known, starts, sizes, flat, ids, lengths,
    missing, hashes, long,
):  # fmt: skip
    """Write the ids of all texts, and return how many they are.

    Then how many pieces are unknown, and how many too long to be remembered: those
    stand among the ids as -1, -2, …

    All hashes come first, since looking them up then waits for memory many at a time.
    They and their places are where those of unknown pieces are returned: these are
    fewer, and so never written behind what is read.
    """
    spread = np.uint64(SPREAD)
    shift = np.uint64(SHIFT)
    last = np.uint64(len(keys) - 1)
    one = np.uint64(1)
    _hash_pieces(data, is_space, values, base, missing, hashes, lengths)
    count = unknown = n_long = read = 0
    for text in range(len(lengths)):
        before, stop = count, lengths[text]
        for piece in range(read, stop):
            begin = missing[piece, 0]
            end = missing[piece, 1]
            total = hashes[piece]
            if end - begin > LONGEST:
                long[n_long, 0] = begin
                long[n_long, 1] = end
                n_long += 1
                ids[count] = -n_long
                count += 1
                continue
            slot = (total * spread) >> shift
            while keys[slot] != total and keys[slot] != np.uint64(0):
                slot = (slot + one) & last
            if keys[slot] == np.uint64(0):
                missing[unknown, 0] = begin
                missing[unknown, 1] = end
                hashes[unknown] = total
                unknown += 1
                continue
            found = known[slot]
            if found >= 0:
                ids[count] = found
                count += 1
            else:
                entry = -1 - found
                for position in range(starts[entry], starts[entry] + sizes[entry]):
                    ids[count] = flat[position]
                    count += 1
        read = stop
        lengths[text] = count - before
    return count, unknown, n_long
