"""A polarity classifier as a TensorFlow graph: from tokens and targets to answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from emoclf.aspects.polarities.polarity_model import PolarityModel
from emoclf.aspects.polarities.polarity_network import CLOSE_ID, OPEN_ID
from emoclf.aspects.polarities.polarity_targets import WINDOW
from emoclf.text.graph_encoder import GraphEncoder, GraphTokens

#: Targets that the networks read at once, which bounds the memory of a text with many.
CHUNK_TARGETS = 128
# Offsets within a text are smaller.
_ROW = 1 << 32


class PolarityGraph(tf.Module):
    """The windows around targets, as ``marked_windows`` cuts them, and the networks.

    Parameters
    ----------
    model : PolarityModel
    """

    def __init__(self, model: PolarityModel) -> None:
        super().__init__(name="polarity_graph")
        self.networks = list(model.networks)
        self.encoder = GraphEncoder(model.text_encoder)
        self.n_classes = len(model.label_names)
        self._run = tf.function(
            lambda token_ids: mean_probabilities(self.networks, token_ids),
            input_signature=[tf.TensorSpec([None, None], tf.int32)],
        )

    def __call__(self, cut: GraphTokens, rows: Any, starts: Any, stops: Any) -> Any:
        """Return the probability of each polarity, float32 (n_targets, n_classes).

        Parameters
        ----------
        cut : GraphTokens
            Tokens of this classifier's tokenizer.
        rows : int64, shape (n_targets,)
            Text of each target.
        starts, stops : int64, shape (n_targets,)
            Offsets in code points.
        """
        # One more, so that a batch without any token can be gathered from.
        token_ids = tf.concat([self.encoder.ids(cut.tokens).flat_values, [0]], 0)
        token_rows = cut.tokens.value_rowids()
        base = token_rows * _ROW - tf.gather(cut.row_starts, token_rows)
        token_starts = base + tf.cast(cut.first, tf.int64)
        token_stops = base + tf.cast(cut.end, tf.int64)
        first = tf.searchsorted(token_stops, rows * _ROW + starts, side="right")
        end = tf.searchsorted(token_starts, rows * _ROW + stops, side="left")
        end = tf.maximum(first, end)
        splits = tf.cast(cut.tokens.row_splits, tf.int32)
        begin = tf.maximum(tf.gather(splits, rows), first - WINDOW)
        finish = tf.minimum(tf.gather(splits, rows + 1), end + WINDOW)
        windows = tf.stack([begin, first, end, finish], 1)
        n_targets = tf.shape(windows)[0]
        size = tf.clip_by_value(n_targets, 1, CHUNK_TARGETS)
        n_chunks = tf.maximum(1, -(-n_targets // size))
        padded = tf.pad(windows, [[0, n_chunks * size - n_targets], [0, 0]])
        probabilities = tf.map_fn(
            lambda chunk: self._run(_marked(token_ids, chunk)),
            tf.reshape(padded, [n_chunks, size, 4]),
            fn_output_signature=tf.TensorSpec([None, self.n_classes], tf.float32),
            parallel_iterations=1,
        )
        return tf.reshape(probabilities, [-1, self.n_classes])[:n_targets]


def mean_probabilities(networks: Sequence[Any], token_ids: Any) -> Any:
    """Return the mean of the networks' probabilities, as a tensor of a graph."""
    outputs = [network(token_ids, training=False) for network in networks]
    return tf.add_n(outputs) / len(outputs)


def _marked(token_ids: Any, windows: Any) -> Any:
    """Return the ids around each target, with markers, int32 (n_targets, width)."""
    begin, first, end, finish = tf.split(windows, 4, axis=1)
    positions = tf.range(tf.reduce_max(finish - begin) + 2)[None, :]
    opens, closes = first - begin, end - begin + 1
    skipped = tf.cast(positions > opens, tf.int32) + tf.cast(
        positions > closes, tf.int32
    )
    source = tf.minimum(begin + positions - skipped, tf.size(token_ids) - 1)
    ids = tf.gather(token_ids, source)
    ids = tf.where(positions == opens, OPEN_ID, ids)
    ids = tf.where(positions == closes, CLOSE_ID, ids)
    return tf.where(positions < finish - begin + 2, ids, 0)
