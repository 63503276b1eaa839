"""The loops that take most of the time, compiled by numba and kept on disk.

Importing this file imports numba (half a second), so nothing does so for one answer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from emoclf.folded.layout import LINE
from emoclf.optional import require
from emoclf.text.pieces import LONGEST, SLOTS_LOG, SPREAD

numba = require("numba", extra="fast", needed_by="engine='numba'")

#: Words between the one whose row is asked for and the window that is summed.
AHEAD = 4
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
def write_maxima(
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
def write_answers(features, kernel, bias, several, answers):
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
def write_pieces(
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
