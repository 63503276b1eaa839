"""Exact shares of words and n-grams in the logits, with NumPy alone.

A filter's maximum over a text is its value in one window, so that each filter gives its
share of a logit to one n-gram; with average pooling it gives a part to each window.
With a relu that is not zero, the value is the sum of the words' numbers and the
filter's bias: the words' shares are exact too. Filters' biases join the bias of the
class. Other activations are not linear: the n-gram's share, which is the activation
minus the activation of the filter's bias alone, is exact as well, and is divided among
its words in proportion to their numbers (the rescale rule of DeepLIFT; Shrikumar,
Greenside and Kundaje, 2017, section 3.5.1). A word pair gives half to each word.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emoclf.explain.text_terms import FilterTerms, TextTerms
from emoclf.folded.head import activate

#: Differences of a filter's value from its bias, below which the slope of the
#: activation is taken from its derivative: the quotient would be rounding errors.
MIN_DIFFERENCE = 1e-4


class Shares(NamedTuple):
    """Shares in the logits of one text, of the tokens that a classifier reads.

    Parameters
    ----------
    bias : ndarray of float32, shape (n_classes,)
        Part of the logits that belongs to no word. If the shares are exact: biases of
        the classes, of filters, and the activations of filters without any word.
    words : ndarray of float32, shape (n_tokens, n_classes)
    spans : list of (int, int)
        First token of each n-gram, and the token after its last one.
    phrases : ndarray of float32, shape (len(spans), n_classes)
        Shares of the n-grams: their sum and the sum of ``words`` are equal.
    """

    bias: np.ndarray
    words: np.ndarray
    spans: list[tuple[int, int]]
    phrases: np.ndarray


def exact_shares(terms: TextTerms, n_tokens: int) -> Shares:
    """Return the shares of the words and n-grams of a text of ``n_tokens`` tokens."""
    words = np.zeros((n_tokens, len(terms.bias)), np.float32)
    bias = np.array(terms.bias, np.float32)
    spans: list[tuple[int, int]] = []
    phrases = [words[:0]]
    begin = 0
    for group in terms.filters:
        stop = begin + len(group.bias)
        head_kernel = terms.head_kernel[begin:stop]
        begin = stop
        if not n_tokens:
            bias += _features_without_tokens(terms, len(group.bias)) @ head_kernel
            continue
        windows = pooled_windows(group, terms.pooling, terms.activation)
        words += windows.token_numbers() @ head_kernel
        bias += windows.rest @ head_kernel
        for size_spans, shares in windows.by_size(head_kernel):
            spans += size_spans
            phrases.append(shares)
    for ngrams in terms.ngrams:
        words += ngrams.by_word()
        spans += [(i, i + 1) for i in range(n_tokens)]
        phrases.append(ngrams.words)
        if ngrams.pairs is not None:
            spans += [(i, i + 2) for i in range(n_tokens - 1)]
            phrases.append(ngrams.pairs)
    return Shares(bias, words, *_merged(spans, np.concatenate(phrases)))


class PooledWindows(NamedTuple):
    """Windows of a text, and what each filter takes from them.

    Parameters
    ----------
    group : FilterTerms
    terms : ndarray of float32, shape (n_padded, n_shifts, columns)
        Terms of the group with zeros before and after them.
    values : ndarray of float32, shape (n_windows, columns)
        Sums of the words' numbers, without the bias.
    slopes : ndarray of float32, shape (n_windows, columns)
        Factor of the value in the pooled activation; 0 where a filter takes nothing.
    rest : ndarray of float32, shape (columns,)
        Pooled activation minus the sum of ``slopes * values``.
    winners : ndarray of int, shape (columns,)
        Window with the largest value.
    """

    group: FilterTerms
    terms: np.ndarray
    values: np.ndarray
    slopes: np.ndarray
    rest: np.ndarray
    winners: np.ndarray

    def token_numbers(self) -> np.ndarray:
        """Return the part of each token in each feature, shape (n_tokens, columns)."""
        numbers = np.zeros((len(self.terms), self.terms.shape[2]), np.float32)
        for shift, positions in _positions(self.group, len(self.values)):
            numbers[positions] += self.terms[positions, shift] * self.slopes
        before = -self.group.windows.shifts[0]
        return numbers[before : before + len(self.group.terms)]

    def by_size(
        self, head_kernel: np.ndarray
    ) -> list[tuple[list[tuple[int, int]], np.ndarray]]:
        """Return the spans and the shares of the windows of each kernel size."""
        taken = self.slopes * self.values
        sizes = self.group.windows.sizes
        filters = taken.shape[1] // len(sizes)
        n_tokens = len(self.group.terms)
        results = []
        for number, size in enumerate(sizes):
            part = slice(number * filters, (number + 1) * filters)
            spans = window_spans(self.group, size, n_tokens)
            results.append((spans, taken[:, part] @ head_kernel[part]))
        return results


def pooled_windows(group: FilterTerms, pooling: str, activation: str) -> PooledWindows:
    """Return what each filter takes from each window of a text that has tokens."""
    count, bias = group.windows.count_one(len(group.terms)), group.bias
    shifts = group.windows.shifts
    n_tokens, *shape = group.terms.shape
    before = -shifts[0]
    terms = np.zeros((before + n_tokens + shifts[-1], *shape), np.float32)
    terms[before : before + n_tokens] = group.terms
    values = np.zeros((count, len(bias)), np.float32)
    for shift, positions in _positions(group, count):
        values += terms[positions, shift]
    winners = values.argmax(0)
    if pooling == "max":
        slopes = np.zeros_like(values)
        columns = np.arange(len(bias))
        slope, rest = _line(activation, values[winners, columns], bias)
        slopes[winners, columns] = slope
        return PooledWindows(group, terms, values, slopes, rest, winners)
    slopes, rests = _line(activation, values, bias)
    slopes /= np.float32(count)
    return PooledWindows(group, terms, values, slopes, rests.mean(0), winners)


def _line(
    activation: str, value: np.ndarray, bias: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return slope and rest of ``activation(value + bias) = slope * value + rest``."""
    activated = activate(activation, value + bias)
    if activation == "relu":
        slope = (value + bias > 0).astype(np.float32)
        # Without rounding, so that the rest of a filter that answers is its bias.
        return slope, slope * bias
    alone = activate(activation, np.array(bias))
    is_near = np.abs(value) < MIN_DIFFERENCE
    quotient = (activated - alone) / np.where(is_near, np.float32(1), value)
    derivatives = {
        "elu": np.where(bias > 0, 1, alone + 1),
        "tanh": 1 - alone**2,
        "sigmoid": alone * (1 - alone),
    }
    slope = np.where(is_near, derivatives[activation], quotient).astype(np.float32)
    return slope, activated - slope * value


def _features_without_tokens(terms: TextTerms, columns: int) -> np.ndarray:
    """Return the features of a text without tokens; see ``emoclf.models.pooling``."""
    zeros = np.zeros(columns, np.float32)
    return activate(terms.activation, zeros) if terms.pooling == "max" else zeros


def _positions(group: FilterTerms, count: int) -> list[tuple[int, slice]]:
    """Return each shift, and the padded positions that windows have there."""
    stride = group.windows.stride
    return [
        (shift, slice(shift, shift + stride * (count - 1) + 1, stride))
        for shift in range(len(group.windows.shifts))
    ]


def window_spans(group: FilterTerms, size: int, n_tokens: int) -> list[tuple[int, int]]:
    """Return the first token of each window, and the token after its last one."""
    windows = group.windows
    begin = windows.first_shift(size) + windows.shifts[0]
    firsts = [begin + windows.stride * i for i in range(windows.count_one(n_tokens))]
    return [(max(first, 0), min(first + size, n_tokens)) for first in firsts]


def _merged(
    spans: list[tuple[int, int]], shares: np.ndarray
) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Return each span once, with the sum of its shares, without spans of zeros."""
    numbers: dict[tuple[int, int], int] = {}
    rows = [numbers.setdefault(span, len(numbers)) for span in spans]
    sums = np.zeros((len(numbers), shares.shape[1]), np.float32)
    np.add.at(sums, rows, shares)
    (nonzero,) = np.nonzero(sums.any(1))
    all_spans = list(numbers)
    return [all_spans[i] for i in nonzero.tolist()], sums[nonzero]
