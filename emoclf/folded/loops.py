"""The loops that take most of the time, compiled by numba and kept on disk.

Importing this file imports numba (half a second), so nothing does so for one answer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from emoclf.folded.words import LINE
from emoclf.optional import require
from emoclf.text.piece_table import LONGEST, SLOTS_LOG, SPREAD

numba = require("numba", extra="fast", needed_by="engine='numba'")
ir = require("llvmlite.ir", extra="fast", needed_by="engine='numba'")

#: Words between a window and the one whose row is asked for: until then it is there.
AHEAD = 24
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


def _largest_sum(builder, kind, lowest, windows, terms, read):
    """Emit the largest sum of terms over all windows, lane by lane, and return it.

    ``read(window, term)`` emits and returns a vector of this kind.
    """
    loop, once = numba.core.cgutils.for_range, numba.core.cgutils.alloca_once
    real = isinstance(lowest, float)
    add = builder.fadd if real else builder.add
    compare = builder.fcmp_ordered if real else builder.icmp_signed
    largest, total = once(builder, kind), once(builder, kind)
    builder.store(kind([lowest] * kind.count), largest)
    with loop(builder, windows) as window:
        builder.store(kind([0] * kind.count), total)
        with loop(builder, terms) as term:
            found = read(window.index, term.index)
            builder.store(add(builder.load(total), found), total)
        found, known = builder.load(total), builder.load(largest)
        larger = compare(">", found, known)
        builder.store(builder.select(larger, found, known), largest)
    return builder.load(largest)


@numba.extending.intrinsic
def _write_line(
    typing_context, table, begin, width, words, place, count, stride, terms, best, at
):
    """Write the maxima of a line's filters over the windows of one text.

    Written in vectors of a line each, for which LLVM finds the registers that a
    processor has: of loops over so few numbers it makes steps for single ones.

    Parameters
    ----------
    table : 1-D array of int8, int16 or float32
    begin, width : int
        Where the line's table begins in it, and how long its rows are.
    words : 1-D array of int32
        The texts' words, and padding around each.
    place, count, stride : int
        The first word of the first window, the number of windows, the step to the next.
    terms : int
        Number of shifts.
    best : 1-D array of int16 or float32
    at : int
        Where the maxima are written, a whole line of them.
    """
    lanes = LINE * 8 // table.dtype.bitwidth
    real = isinstance(table.dtype, numba.types.Float)
    bits = best.dtype.bitwidth
    lowest = float("-inf") if real else -(1 << bits - 1)

    def generate(context, builder, signature, arguments):
        data = {
            number: context.make_array(kind)(context, builder, arguments[number]).data
            for number, kind in enumerate(signature.args)
            if isinstance(kind, numba.types.Array)
        }
        _, begin, width, _, place, count, stride, terms, _, at = arguments
        table, words, best = data[0], data[3], data[8]
        long = ir.IntType(64)
        line, _, sums = (
            ir.VectorType(context.get_data_type(kind.dtype), lanes)
            for kind in signature.args
            if isinstance(kind, numba.types.Array)
        )

        def address(word, shift):
            row = builder.mul(builder.sext(builder.load(word), long), width)
            start = builder.add(row, builder.mul(shift, long(lanes)))
            return builder.gep(table, [builder.add(begin, start)])

        def read(window, term):
            first = builder.add(place, builder.mul(window, stride))
            coming = builder.gep(words, [builder.add(first, long(AHEAD))])
            _ask_for(builder, address(coming, term))
            word = builder.gep(words, [builder.add(first, term)])
            source = builder.bitcast(address(word, term), line.as_pointer())
            found = builder.load(source, align=LINE)
            return found if real else builder.sext(found, sums)

        largest = _largest_sum(builder, sums, lowest, count, terms, read)
        target = builder.bitcast(builder.gep(best, [at]), sums.as_pointer())
        builder.store(largest, target, align=bits // 8)
        return context.get_dummy_value()

    number = numba.types.int64
    numbers = [number] * 4
    kinds = [table, number, number, words, *numbers, best, number]
    return numba.types.void(*kinds), generate


@_compiled()
def write_maxima(
    flat, lengths, counts, stride, before, after, table, n_words, lines, lanes, best
):
    """Write each column's largest sum over the windows of each text.

    Line by line, and all texts for each: what common words have in a line's table
    stays in the cache.
    """
    words = np.zeros(len(flat) + len(lengths) * (before + after) + AHEAD + 1, np.int32)
    start = place = 0
    for length in lengths:
        place += before
        words[place : place + length] = flat[start : start + length]
        start += length
        place += length + after
    flat_best = best.reshape(-1)
    begin = 0
    for line in range(len(lines)):
        shift, terms = lines[line]
        width = terms * lanes
        place = shift
        for text in range(len(lengths)):
            _write_line(
                table,
                begin,
                width,
                words,
                place,
                counts[text],
                stride,
                terms,
                flat_best,
                text * best.shape[1] + line * lanes,
            )
            place += before + lengths[text] + after
        begin += n_words * width


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
