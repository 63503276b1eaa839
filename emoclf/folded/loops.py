"""Compiled loops over texts: padding, largest window sums, and the head."""

from __future__ import annotations

import numpy as np

from emoclf.folded.jit import compiled
from emoclf.folded.word_rows import CACHE_LINE_BYTES

#: A row is requested from memory this number of words before it is read. Values from
#: 96 to 320 made no difference; with 24, float32 took 1.5 times as long.
PREFETCH_WORDS = 128


@compiled()
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


@compiled()
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


@compiled(fastmath={"reassoc", "contract"})
def write_probabilities(maxima, bias_sums, lengths, kernel, bias, multilabel, result):
    """Write the probabilities of each text; features are ``relu(maxima + bias_sums)``.

    The features of a text without tokens are zero.
    """
    n_classes = len(bias)
    features = np.empty_like(bias_sums)
    for text in range(len(maxima)):
        largest = np.float32(-np.inf)
        for c in range(len(bias_sums)):
            features[c] = max(np.float32(maxima[text, c]) + bias_sums[c], np.float32(0))
        if not lengths[text]:
            features[:] = 0
        for label in range(n_classes):
            total = np.float32(0)
            for c in range(len(bias_sums)):
                total += features[c] * kernel[label, c]
            total += bias[label]
            result[text, label] = total
            largest = max(largest, total)
        if multilabel:
            for label in range(n_classes):
                half = np.tanh(np.float32(0.5) * result[text, label])
                result[text, label] = np.float32(0.5) * half + np.float32(0.5)
            continue
        whole = np.float32(0)
        for label in range(n_classes):
            result[text, label] = np.exp(result[text, label] - largest)
            whole += result[text, label]
        for label in range(n_classes):
            result[text, label] /= whole
