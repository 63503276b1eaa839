"""The tokenizer and the vocabulary as a TensorFlow graph.

The same tables and rules as in ``tokenizer.py``, written as shifted comparisons over
the code points of a whole batch: a code point joins the token before it, or begins a
new one. The Python code is the definition; a property test checks that this is equal.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from emoclf.errors import ExportError, setting
from emoclf.text.code_points import IN_NUMBERS, RUNS
from emoclf.text.encoder import TextEncoder
from emoclf.text.tokenizer import MAX_RUN
from emoclf.text.vocabulary import FIRST_TOKEN_ID, UNKNOWN


class GraphTokens(NamedTuple):
    """Tokens of a batch of texts and their positions.

    Parameters
    ----------
    tokens : RaggedTensor of string, shape (batch, None)
        Tokens in their normal form.
    first, end : tensor of int32, shape (n_tokens,)
        Position in ``points`` of each token's first code point, and behind its last.
    points : tensor of int32, shape (n_points,)
        Code points of all texts, each text followed by a space.
    offsets : tensor of int64, shape (n_points,)
        Position of each code point in the bytes of its text.
    row_starts : tensor of int64, shape (batch,)
        Position in ``points`` of each text's first code point.
    """

    tokens: tf.RaggedTensor
    first: Any
    end: Any
    points: Any
    offsets: Any
    row_starts: Any


class GraphEncoder(tf.Module):
    """Turn a batch of strings into ragged token ids, inside a graph.

    Parameters
    ----------
    encoder : TextEncoder

    Raises
    ------
    ExportError
        If the tokenizer is jieba's, which exists in Python only.
    """

    def __init__(self, encoder: TextEncoder) -> None:
        super().__init__(name="graph_encoder")
        tokenizer = encoder.tokenizer
        if tokenizer.kind == "jieba":
            raise ExportError(
                "The tokenizer 'jieba' runs in Python only and cannot be part of a "
                f"graph. Train with {setting('tokenizer', 'characters')}, or serve the "
                "bundle with emoclf.Predictor."
            )
        points = tokenizer.points.whole()
        self.words = tokenizer.kind == "words"
        self.max_length = encoder.max_length
        self._classes = tf.constant(points.classes)
        forms = points.lower if tokenizer.lowercase else points.plain
        self._forms = tf.constant(forms)
        tokens = list(encoder.vocabulary.tokens)
        ids = np.arange(FIRST_TOKEN_ID, FIRST_TOKEN_ID + len(tokens), dtype=np.int32)
        self._ids = _table(tokens, ids, UNKNOWN)
        self._emoticons = _flags(tokenizer.emoticons)
        self._stop_words = _flags(encoder.stop_words) if encoder.stop_words else None

    def __call__(self, texts: Any) -> tf.RaggedTensor:
        """Return token ids.

        Parameters
        ----------
        texts : tensor of string, shape (batch,)
            UTF-8; what is not UTF-8 counts as U+FFFD.

        Returns
        -------
        token_ids : RaggedTensor of int32, shape (batch, None)
        """
        tokens = self.tokens(texts)
        if self._stop_words is not None:
            keep = ~self._stop_words.lookup(tokens.flat_values)
            tokens = tf.ragged.boolean_mask(tokens, tokens.with_flat_values(keep))
        tokens = tokens[:, : self.max_length]
        return self.ids(tokens)

    def ids(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        """Return the id of each token, int32."""
        return tokens.with_flat_values(self._ids.lookup(tokens.flat_values))

    def tokens(self, texts: Any) -> tf.RaggedTensor:
        """Return tokens in their normal form, string of shape (batch, None)."""
        return self._cut(texts, tf.strings.unicode_decode(_spaced(texts), "UTF-8"))[0]

    def cut(self, texts: Any) -> GraphTokens:
        """Return tokens and their positions."""
        decoded, offsets = tf.strings.unicode_decode_with_offsets(
            _spaced(texts), "UTF-8"
        )
        tokens, starts, joined = self._cut(texts, decoded)
        positions = tf.range(tf.size(starts))
        goes_on = _shift(joined, -1, False)
        return GraphTokens(
            tokens,
            tf.boolean_mask(positions, starts),
            tf.boolean_mask(positions, (starts | joined) & ~goes_on) + 1,
            decoded.flat_values,
            offsets.flat_values,
            decoded.row_starts(),
        )

    def _cut(self, texts: Any, decoded: tf.RaggedTensor) -> tuple[Any, Any, Any]:
        """Return tokens, and for each code point whether it begins or continues one."""
        rows = decoded.value_rowids()
        classes = tf.gather(self._classes, decoded.flat_values)
        forms = tf.gather(self._forms, decoded.flat_values)
        visible = classes != _code("S")
        joins = self._joins(classes, forms, visible)
        starts = visible & ~joins
        keep = visible
        if self.words:
            keep &= ~_beyond_cap(classes, joins)
        tokens = tf.RaggedTensor.from_value_rowids(
            _strings(forms, keep, starts)[0],
            tf.boolean_mask(rows, starts),
            nrows=tf.size(texts, tf.int64),
            validate=False,
        )
        return tokens, starts, visible & joins

    def _joins(self, classes: Any, forms: Any, visible: Any) -> Any:
        """Return for each code point whether it belongs to the token before it."""
        before = _shift(classes, 1, _code("S"))
        mark_like = _any_of(classes, "MJ")
        base = _last_base(classes, mark_like)
        tone = (classes == _code("T")) & _any_of(base, "ET")
        emoji = (classes == _code("E")) & (before == _code("J")) & _any_of(base, "ET")
        joins = mark_like | tone | emoji | _second_flag(classes, before)
        if self.words:
            joins |= self._word_joins(classes, before, base)
            emoticon = self._in_emoticon(forms, visible, before)
            joins = tf.where(emoticon, True, joins)
        return joins & (before != _code("S"))

    def _word_joins(self, classes: Any, before: Any, base: Any) -> Any:
        after = _shift(classes, -1, _code("S"))
        letter, digit = classes == _code("L"), classes == _code("D")
        apostrophe = classes == _code("A")
        in_number = _any_of(classes, IN_NUMBERS)
        # Whether the mark between two letters or two digits joins them …
        bridges = (apostrophe & (base == _code("L")) & (after == _code("L"))) | (
            in_number & (base == _code("D")) & (after == _code("D"))
        )
        # … and then the code point after it joins as well.
        crossed = _shift(bridges, 1, False)
        word = (letter | digit) & (_any_of(base, "LD") | crossed)
        return word | bridges | (_any_of(classes, RUNS) & (classes == before))

    def _in_emoticon(self, forms: Any, visible: Any, before: Any) -> Any:
        """Return for each code point whether it is in an emoticon between spaces."""
        starts = visible & (before == _code("S"))
        pieces, number = _strings(forms, visible, starts)
        is_emoticon = self._emoticons.lookup(pieces)
        # One more, so that a batch without any piece can be gathered from.
        is_emoticon = tf.concat([is_emoticon, [False]], 0)
        return tf.gather(is_emoticon, tf.maximum(number, 0)) & visible


def _spaced(texts: Any) -> Any:
    """Return the texts with a space after each, which separates neighbours."""
    return tf.strings.join([texts, tf.constant(" ")])


def _strings(forms: Any, keep: Any, starts: Any) -> tuple[Any, Any]:
    """Return the strings that begin at ``starts``, and the one of each code point."""
    number = tf.cumsum(tf.cast(starts, tf.int64)) - 1
    code_points = tf.RaggedTensor.from_value_rowids(
        tf.boolean_mask(forms, keep),
        tf.boolean_mask(number, keep),
        nrows=tf.reduce_sum(tf.cast(starts, tf.int64)),
        validate=False,
    )
    return tf.strings.unicode_encode(code_points, "UTF-8"), number


def _code(letter: str) -> Any:
    return tf.constant(ord(letter), tf.uint8)


def _any_of(classes: Any, letters: str) -> Any:
    table = np.zeros(256, bool)
    table[[ord(letter) for letter in letters]] = True
    return tf.gather(tf.constant(table), tf.cast(classes, tf.int32))


def _shift(values: Any, by: int, fill: Any) -> Any:
    """Return the neighbour ``by`` positions before (or, negative, after) each value."""
    edge = tf.fill([abs(by)], fill)
    if by > 0:
        return tf.concat([edge, values], 0)[: tf.size(values)]
    return tf.concat([values, edge], 0)[-by:]


def _last_base(classes: Any, mark_like: Any) -> Any:
    """Return, for each position, the class of the last non-mark before it."""
    bases = tf.concat([[_code("S")], tf.boolean_mask(classes, ~mark_like)], 0)
    n_before = tf.cumsum(tf.cast(~mark_like, tf.int32), exclusive=True)
    return tf.gather(bases, n_before)


def _second_flag(classes: Any, before: Any) -> Any:
    """Return which regional indicators are the second of their pair."""
    flag = classes == _code("R")
    positions = tf.range(tf.size(classes))
    first = flag & (before != _code("R"))
    starts = tf.concat([[0], tf.boolean_mask(positions, first)], 0)
    run = tf.gather(starts, tf.cumsum(tf.cast(first, tf.int32)))
    return flag & ((positions - run) % 2 == 1)


def _beyond_cap(classes: Any, joins: Any) -> Any:
    """Return which marks of a run are beyond the most that a token may have."""
    beyond = _any_of(classes, RUNS) & joins
    for back in range(1, MAX_RUN + 1):
        beyond &= _shift(classes, back, _code("S")) == classes
        if back < MAX_RUN:
            beyond &= _shift(joins, back, False)
    return beyond


def _table(keys: list[str], values: np.ndarray, default: Any) -> Any:
    encoded = [key.encode("utf-8", "replace") for key in keys]
    return tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(encoded, tf.string), tf.constant(values)
        ),
        default,
    )


def _flags(words: frozenset[str]) -> Any:
    """Return a table from strings to whether they are one of the words."""
    return _table(sorted(words), np.ones(len(words), bool), False)
