"""Largest window sums of each filter, in hand-written LLVM vector instructions.

Most of the time of ``engine="numba"`` is spent here. For each text and filter this is
the largest value of a convolution, which is a sum of looked-up numbers: one for each
word of the window (see :mod:`emoclf.folded.word_rows`).

**What is computed.** Filters are taken in groups that fill a cache line of 64 bytes (16
in float32, 32 in int16, 64 in int8). A group has a table of its own, in which a word
has one row. For windows of three words a row contains three cache lines::

    row of "was":   | first: 16 numbers | middle: 16 numbers | last: 16 numbers |
                      added to the        added to the         added to the
                      window that         window that          window that
                      begins with it      has it in the middle ends with it

All texts pass the table of one group before the next: it is small, so that the rows of
common words stay in the processor's cache.

**How.** The words of a text are read once, from left to right. The sums of the windows
that have begun and not ended are kept in vector registers. Each word adds its numbers
to all of them, opens a window and closes one, whose sum is compared with the maximum::

    text             the        movie       was         good
    window 1       [first   +   middle  +   last]  ──► maximum
    window 2                   [first   +   middle  +   last]  ──► maximum
    window 3                               [first   +   middle  + …

    registers when "was" has been read:
      begun with it:           first("was")
      begun one word earlier:  first("movie") + middle("was")
      closed by it:            first("the") + middle("movie") + last("was")

While a word is summed, the row of the word 128 places later is requested from memory
(prefetch), which hides the time of the way to it. If a processor has too few registers,
a half or a quarter of a group is summed at a time. If the windows are still too wide,
or if they do not begin with every word (a stride), each window is summed by itself.

**Why not plain numba.** The bar was 0.6 of this speed. In turns in one process, on a
processor with AVX2, the best plain form had (medians) 0.43 of it in float32, 0.43 in
int16 and 0.32 in int8 from token ids to maxima, and 0.61, 0.60 and 0.55 from strings to
probabilities, where the tokenizer and the head take the same time. Tried were groups of
64 to 1,024 bytes; windows one by one, and three to eight in one loop; sums of open
windows in a buffer; rows copied into a buffer first; all rows of a text read once in
advance. Two things cannot be had. Plain numba does not request memory ahead. And LLVM
compiles short loops number by number, longer ones to vectors only behind a test that
no row overlaps the result, which takes about as long as the sums.

**If this breaks.** llvmlite is the one dependency. If the code does not compile,
:mod:`emoclf.folded.compiled` logs a warning and uses
:func:`emoclf.folded.loops.write_maxima_plainly`, which takes the same arguments.
``tests/folded/test_vector_sums.py`` compares both with NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Any, NamedTuple

from emoclf.folded.jit import compiled, numba
from emoclf.folded.loops import PREFETCH_WORDS
from emoclf.folded.word_rows import CACHE_LINE_BYTES
from emoclf.optional import require

ir = require("llvmlite.ir", extra="fast", needed_by="engine='numba'")
cgutils = numba.core.cgutils

#: Bits and number of a processor's vector registers, by the feature that LLVM names.
VECTOR_REGISTERS = {"+avx512vl": (512, 32), "+avx2": (256, 16), "+neon": (128, 32)}
_INT64 = ir.IntType(64)


def _filters_in_registers(
    cpu_features: str, filters: int, bits: int, window_words: int
) -> int:
    """Return the number of filters whose open windows fit in the vector registers.

    Each filter needs a register lane for each open window (all but the last word of a
    window), for the maximum and for the number that is read. The result is at most
    ``filters``; 0 if there are too many open windows.
    """
    sizes = [
        VECTOR_REGISTERS[name]
        for name in cpu_features.split(",")
        if name in VECTOR_REGISTERS
    ]
    size, count = max(sizes, default=(128, 16))
    while filters * bits >= size:
        if (window_words + 1) * filters * bits <= size * count:
            return filters
        filters //= 2
    return 0


class _RowReader(NamedTuple):
    """Emits reads of words' rows in the table of one group of filters.

    Parameters
    ----------
    builder : IRBuilder
    table : pointer
        Start of the group's table.
    words : pointer
        First word of a text's first window.
    group_size, window_words : int
        Filters of the group, and words of a window.
    stored, summed : vector type
        Type of the numbers in the table and of their sums, for some of the filters.
    word_by_word : bool
        Whether all numbers of a word are read together.
    """

    builder: Any
    table: Any
    words: Any
    group_size: int
    window_words: int
    stored: Any
    summed: Any
    word_by_word: bool

    def read(self, first_filter, word, positions):
        """Emit and return a word's numbers for these positions in a window.

        They are those of as many filters as a vector has lanes. The row of a later
        word is requested.
        """
        if first_filter == 0:
            later = self._row(self.builder.add(word, _INT64(PREFETCH_WORDS)))
            for position in (
                range(self.window_words) if self.word_by_word else positions
            ):
                self._prefetch(self._number(later, position, 0))
        row, vectors = self._row(word), []
        align = CACHE_LINE_BYTES * self.stored.count // self.group_size
        for position in positions:
            source = self._number(row, position, first_filter)
            source = self.builder.bitcast(source, self.stored.as_pointer())
            vectors.append(self.builder.load(source, align=align))
        if self.stored == self.summed:
            return vectors
        return [self.builder.sext(vector, self.summed) for vector in vectors]

    def _row(self, word):
        word_id = self.builder.load(self.builder.gep(self.words, [word]))
        word_id = self.builder.sext(word_id, _INT64)
        row_size = _INT64(self.window_words * self.group_size)
        return self.builder.gep(self.table, [self.builder.mul(word_id, row_size)])

    def _number(self, row, position, number):
        return self.builder.gep(row, [_INT64(position * self.group_size + number)])

    def _prefetch(self, address):
        number, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
        signature = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        prefetch = cgutils.get_or_insert_function(
            self.builder.module, signature, "llvm.prefetch.p0"
        )
        # For reading, into all caches, as data.
        options = [number(0), number(3), number(1)]
        self.builder.call(prefetch, [self.builder.bitcast(address, pointer), *options])


class _WindowSums(NamedTuple):
    """Emits the sums of windows, one lane of a vector for each filter.

    Parameters
    ----------
    builder : IRBuilder
    summed : vector type
    window_words : int
    read : function of (word, positions)
        Emits and returns a word's numbers for these positions in a window.
    """

    builder: Any
    summed: Any
    window_words: int
    read: Callable

    @property
    def is_float(self):
        """Whether the sums are floating-point numbers."""
        return isinstance(self.summed.element, ir.FloatType)

    def add(self, left, right):
        """Emit an addition."""
        add = self.builder.fadd if self.is_float else self.builder.add
        return add(left, right)

    def maximum(self, lowest, n_windows, sum_window):
        """Emit the largest sum of all windows, ``lowest`` if there is none."""
        builder = self.builder
        compare = builder.fcmp_ordered if self.is_float else builder.icmp_signed
        maximum = cgutils.alloca_once(builder, self.summed)
        builder.store(self.summed([lowest] * self.summed.count), maximum)
        with cgutils.for_range(builder, n_windows) as window:
            total, largest = sum_window(window.index), builder.load(maximum)
            larger = compare(">", total, largest)
            builder.store(builder.select(larger, total, largest), maximum)
        return builder.load(maximum)

    def window_by_window(self, stride):
        """Return a function that emits a window's sum from all of its words."""

        def sum_window(window):
            first = self.builder.mul(window, stride)
            vectors = [
                self.read(self.builder.add(first, _INT64(position)), [position])[0]
                for position in range(self.window_words)
            ]
            return reduce(self.add, vectors)

        return sum_window

    def word_by_word(self):
        """Emit the text's first words; return a function that emits a window's sum.

        The function reads the word that closes the window. Windows must be asked for
        in their order, each once.
        """
        # Sums of the windows that began with this word, with the one before it, …
        open_sums = [
            cgutils.alloca_once(self.builder, self.summed)
            for _ in range(self.window_words - 1)
        ]

        def add_word(word, n_positions):
            first, *later = self.read(word, range(n_positions))
            sums = [
                self.builder.load(pointer) for pointer in open_sums[: n_positions - 1]
            ]
            sums = [first, *map(self.add, sums, later)]
            for pointer, total in zip(open_sums, sums, strict=False):
                self.builder.store(total, pointer)
            return sums[-1]

        for word in range(self.window_words - 1):
            add_word(_INT64(word), word + 1)

        def sum_window(window):
            closing_word = self.builder.add(window, _INT64(self.window_words - 1))
            return add_word(closing_word, self.window_words)

        return sum_window


@numba.extending.intrinsic
def _write_group(
    typing_context,
    table,
    begin,
    words,
    first_word,
    count,
    stride,
    window,
    maxima,
    index,
):
    """Write the maxima of one group of filters over the windows of one text.

    Parameters
    ----------
    table : 1-D array of int8, int16 or float32
    begin : int
        Start of the group's table in it.
    words : 1-D array of int32
        Word ids of :func:`emoclf.folded.loops.pad_texts`.
    first_word, count : int
        First word of the first window, and number of windows.
    stride : int or None
        Words from one window to the next; None for 1.
    window : tuple
        One entry for each word of a window: the code depends on its length.
    maxima : 1-D array of int16 or float32
    index : int
        Position at which the maxima of the group are written.
    """
    group_size = CACHE_LINE_BYTES * 8 // table.dtype.bitwidth
    bits = maxima.dtype.bitwidth
    is_float = isinstance(table.dtype, numba.types.Float)
    lowest = float("-inf") if is_float else -(1 << bits - 1)

    def generate(context, builder, signature, arguments):
        def data(number):
            array = context.make_array(signature.args[number])
            return array(context, builder, arguments[number]).data

        _, begin, _, first_word, count, step, _, _, index = arguments
        n_filters = 0
        if stride == numba.types.none:
            step = _INT64(1)
            _, _, cpu_features = context.codegen().magic_tuple()
            n_filters = _filters_in_registers(
                cpu_features, group_size, bits, window.count
            )
        word_by_word = n_filters > 0
        n_filters = n_filters or group_size
        stored, summed = (
            ir.VectorType(context.get_data_type(array.dtype), n_filters)
            for array in (table, maxima)
        )
        rows = _RowReader(
            builder,
            builder.gep(data(0), [begin]),
            builder.gep(data(2), [first_word]),
            group_size,
            window.count,
            stored,
            summed,
            word_by_word,
        )
        for first_filter in range(0, group_size, n_filters):
            read = partial(rows.read, first_filter)
            sums = _WindowSums(builder, summed, window.count, read)
            sum_window = (
                sums.word_by_word() if word_by_word else sums.window_by_window(step)
            )
            maximum = sums.maximum(lowest, count, sum_window)
            to = builder.gep(data(7), [builder.add(index, _INT64(first_filter))])
            target = builder.bitcast(to, summed.as_pointer())
            builder.store(maximum, target, align=bits // 8)
        return context.get_dummy_value()

    number = numba.types.int64
    step = stride if stride == numba.types.none else number
    types = [table, number, words, number, number, step, window, maxima, number]
    return numba.types.void(*types), generate


@compiled
def write_maxima(
    words, lengths, counts, stride, margin, first, window, table, n_words, maxima,
    column,
):  # fmt: skip
    """Write the largest sums of some groups of filters over the windows of each text.

    Parameters
    ----------
    words : ndarray of int32
        Word ids of :func:`emoclf.folded.loops.pad_texts`.
    lengths, counts : ndarray of int64, shape (n_texts,)
        Words and windows of each text.
    stride : int or None
        Words from one window to the next; None for 1.
    margin : int
        Number of padding words of each text, before and after it together.
    first : int
        Position of the first window in a padded text.
    window : tuple
        One entry for each word of a window.
    table : 1-D array
        Tables of the groups, one after the other.
    n_words : int
        Rows of each table.
    maxima : ndarray, shape (n_texts, columns)
        Result; its columns from ``column`` on are written.
    column : int
    """
    flat_maxima = maxima.reshape(-1)
    group_size = CACHE_LINE_BYTES // table.itemsize
    table_size = n_words * len(window) * group_size
    for group in range(len(table) // table_size):
        first_word = first
        for text in range(len(lengths)):
            _write_group(
                table,
                group * table_size,
                words,
                first_word,
                counts[text],
                stride,
                window,
                flat_maxima,
                text * maxima.shape[1] + column + group * group_size,
            )
            first_word += margin + lengths[text]
