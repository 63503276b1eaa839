"""The CRF of one network or of several, with loops of plain TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from emoclf.models.crf import CRF


class PredictionCRF(CRF):
    """A CRF for prediction, whose scores are the means of those of other layers.

    Keras 3.15 keeps the state of a scan in arrays, which is slow and which tf2onnx
    cannot convert, and looks for negative zeros before each ``argmax``.

    Parameters
    ----------
    layers : sequence of CRF
        Their weights are used, not copied.
    """

    def __init__(self, layers: Sequence[CRF]) -> None:
        super().__init__(layers[0].n_tags, name="prediction_crf", trainable=False)
        self.layers = list(layers)

    def scores(self) -> tuple[Any, Any, Any]:
        """Return start (n_tags,), transitions (n_tags, n_tags) and end."""
        columns = zip(*(layer.scores() for layer in self.layers), strict=True)
        start, transitions, end = (tf.add_n(x) / len(x) for x in columns)
        return start, transitions, end

    def scan(self, step: Any, carry: Any, values: Any, *, reverse: bool = False) -> Any:
        """Return the last state, and the outputs of all steps."""
        if reverse:
            values = tf.reverse(values, [0])
        length = tf.shape(values)[0]
        inputs = tf.TensorArray(values.dtype, length).unstack(values)
        states = tuple(tf.nest.flatten(carry))
        outputs = tuple(
            tf.TensorArray(x.dtype, length, element_shape=x.shape) for x in states
        )

        def body(i: Any, states: Any, outputs: Any) -> Any:
            packed = tf.nest.pack_sequence_as(carry, states)
            new_states, rows = map(tf.nest.flatten, step(packed, inputs.read(i)))
            written = (x.write(i, row) for x, row in zip(outputs, rows, strict=True))
            return i + 1, tuple(new_states), tuple(written)

        _, states, outputs = tf.while_loop(
            lambda i, *_: i < length, body, (0, states, outputs)
        )
        stacked = [array.stack() for array in outputs]
        if reverse:
            stacked = [tf.reverse(x, [0]) for x in stacked]
        return (
            tf.nest.pack_sequence_as(carry, states),
            tf.nest.pack_sequence_as(carry, stacked),
        )

    def argmax(self, values: Any, axis: int) -> Any:
        """Return the index of the largest value, int32."""
        return tf.argmax(values, axis=axis, output_type=tf.int32)
