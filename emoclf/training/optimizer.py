"""Adam that touches only the embedding rows of the words that were read."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="emoclf")
class RowAdam(keras.optimizers.Adam):
    """Adam (Kingma and Ba, 2015) with lazy rows and a rate of its own for embeddings.

    A batch reads a few hundred of many thousand embedding rows, but Keras' Adam decays
    the moments of, and moves, every row at every step: the largest single cost of
    training a small TextCNN. Here a row's moments and values change only in the steps
    that read the row ("lazy Adam", as in TensorFlow Addons and in PyTorch's
    ``SparseAdam``). Variables without sparse gradients are treated as by Adam.

    Parameters
    ----------
    learning_rate : float or keras.optimizers.schedules.LearningRateSchedule
    embedding_rate : float >= 0, default=1.0
        Learning rate of sparse rows, as a share of ``learning_rate``. Pre-trained
        vectors want a slower rate than the rest of a network.
    clip_norm : float, optional
        Bound of the global norm of all gradients, after the gradients of a word that
        stands in a batch more than once have been summed.
    **kwargs
        As for ``keras.optimizers.Adam``.
    """

    def __init__(
        self,
        learning_rate: Any = 1e-3,
        *,
        embedding_rate: float = 1.0,
        clip_norm: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.embedding_rate = embedding_rate
        self.clip_norm = clip_norm

    def _backend_update_step(
        self, grads: Any, trainable_variables: Any, learning_rate: Any
    ) -> None:
        grads = [_summed_rows(grad) for grad in grads]
        if self.clip_norm:
            grads, _ = tf.clip_by_global_norm(grads, self.clip_norm)
        super()._backend_update_step(grads, trainable_variables, learning_rate)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        rows, values = gradient.indices, tf.cast(gradient.values, variable.dtype)
        index = self._get_variable_index(variable)
        first, second = self._momentums[index].value, self._velocities[index].value
        step = tf.cast(self.iterations + 1, variable.dtype)
        rate = tf.cast(learning_rate, variable.dtype) * self.embedding_rate
        alpha = rate * tf.sqrt(1.0 - self.beta_2**step) / (1.0 - self.beta_1**step)
        m = self.beta_1 * tf.gather(first, rows) + (1.0 - self.beta_1) * values
        v = self.beta_2 * tf.gather(second, rows)
        v += (1.0 - self.beta_2) * tf.square(values)
        first.scatter_update(tf.IndexedSlices(m, rows))
        second.scatter_update(tf.IndexedSlices(v, rows))
        change = alpha * m / (tf.sqrt(v) + self.epsilon)
        variable.scatter_sub(tf.IndexedSlices(change, rows))

    def get_config(self) -> dict[str, Any]:
        own = {"embedding_rate": self.embedding_rate, "clip_norm": self.clip_norm}
        return {**super().get_config(), **own}


def _summed_rows(grad: Any) -> Any:
    """Sum the gradients of equal rows, so that each row is updated once."""
    if not isinstance(grad, tf.IndexedSlices):
        return grad
    rows, position = tf.unique(grad.indices)
    values = tf.math.unsorted_segment_sum(grad.values, position, tf.size(rows))
    return tf.IndexedSlices(values, rows, grad.dense_shape)
