"""Compiled loops over texts: padding and largest window sums."""

from __future__ import annotations

import numpy as np

from emoclf.folded.jit import compiled
from emoclf.folded.word_rows import CACHE_LINE_BYTES

#: A row is requested from memory this number of words before it is read. Values from
#: 96 to 320 made no difference; with 24, float32 took 1.5 times as long.
PREFETCH_WORDS = 128


@compiled
def pad_texts(flat, lengths, before, after):
    """Return word ids with padding around each text, and after the last one."""
    size = len(flat) + len(lengths) * (before + after) + PREFETCH_WORDS
    words = np.zeros(size, np.int32)
    start = position = 0
    for length in lengths:
        position += before
        words[position : position + length] = flat[start : start + length]
        start += length
        position += length + after
    return words


@compiled
def write_maxima_plainly(
    words, lengths, counts, stride, margin, first, window, table, n_words, maxima,
    column,
):  # fmt: skip
    """Write what :func:`emoclf.folded.vector_sums.write_maxima` writes, in plain loops.

    Used if that function does not compile, and several times slower.
    """
    step = 1 if stride is None else stride
    lowest = -np.inf if maxima.itemsize == 4 else -32768.0
    group_size = CACHE_LINE_BYTES // table.itemsize
    tables = table.reshape(-1, n_words, len(window), group_size)
    for group in range(len(tables)):
        position = first
        for text in range(len(lengths)):
            for number in range(group_size):
                index = column + group * group_size + number
                maxima[text, index] = lowest
                for begin in range(position, position + counts[text] * step, step):
                    total = maxima.dtype.type(0)
                    for term in range(len(window)):
                        row = tables[group, words[begin + term]]
                        total = maxima.dtype.type(total + row[term, number])
                    maxima[text, index] = max(maxima[text, index], total)
            position += margin + lengths[text]
