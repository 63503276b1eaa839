"""Adam, and its averaged weights, that touch only the rows of words that were read."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

# The first decay is zero, and its logarithm has to be a number.
TINY = 1e-30


@keras.saving.register_keras_serializable(package="emoclf")
class RowAdam(keras.optimizers.Adam):
    """Adam (Kingma and Ba, 2015) with lazy rows and a rate of its own for embeddings.

    A batch reads a few hundred of many thousand embedding rows, but Keras' Adam decays
    the moments of, and moves, every row at every step: the largest single cost of
    training a small TextCNN. Here a row's moments and values change only in the steps
    that read the row ("lazy Adam", as in TensorFlow Addons and in PyTorch's
    ``SparseAdam``). Variables without sparse gradients are treated as by Adam.

    With ``use_ema`` the same holds for the averaged weights. While nobody reads a row
    it does not move, and its average closes in on it by a factor known beforehand;
    the steps that a row missed are made up for when it is read again, or judged. In
    step t the decay is ``min(ema_momentum, t / (t + 9))``, so that the average of a
    short training is not ruled by its first steps.

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
        if self.use_ema:
            self._average_rows(variable, index, rows, change)
        variable.scatter_sub(tf.IndexedSlices(change, rows))

    def build(self, variables: Any) -> None:
        super().build(variables)
        self._by_rows: set[int] = set()
        if self.use_ema:
            # Sum of the logarithms of all decays so far, and, for each row of a
            # matrix, the sum up to which its average was kept; of many steps float32
            # would lose what the differences are about.
            self._log_decay = self.add_variable(
                shape=(), dtype="float64", name="log_decay"
            )
            self._row_log_decay: list[Any] = [
                self.add_variable(
                    shape=(v.shape[0],), dtype="float64", name="row_log_decay"
                )
                if len(v.shape) == 2
                else None
                for v in variables
            ]

    def _decay(self) -> Any:
        step = tf.cast(self.iterations, tf.float32)
        return tf.minimum(self.ema_momentum, step / (step + 9.0))

    def _log_decay_after(self) -> Any:
        decay = tf.cast(tf.maximum(self._decay(), TINY), tf.float64)
        return self._log_decay.value + tf.math.log(decay)

    def _decay_since(self, kept: Any) -> Any:
        """Return the product of the decays since each row was kept, shape (rows, 1)."""
        return tf.cast(tf.exp(self._log_decay.value - kept), tf.float32)[:, None]

    def _average_rows(self, variable: Any, index: int, rows: Any, change: Any) -> None:
        """Average the rows that are about to change, the missed steps first."""
        self._by_rows.add(index)
        average = self._model_variables_moving_average[index].value
        kept = self._row_log_decay[index].value
        values = tf.gather(variable, rows)
        missed = self._decay_since(tf.gather(kept, rows))
        caught_up = values + (tf.gather(average, rows) - values) * missed
        decay = self._decay()
        averaged = decay * caught_up + (1.0 - decay) * (values - change)
        average.scatter_update(tf.IndexedSlices(averaged, rows))
        now = tf.fill(tf.shape(rows), self._log_decay_after())
        kept.scatter_update(tf.IndexedSlices(now, rows))

    def _update_model_variables_moving_average(self, trainable_variables: Any) -> None:
        if not self.use_ema:
            return
        decay = self._decay()
        pairs = zip(
            trainable_variables, self._model_variables_moving_average, strict=True
        )
        for index, (variable, average) in enumerate(pairs):
            if index not in self._by_rows:
                value = tf.convert_to_tensor(variable)
                average.assign(value + decay * (average.value - value))
        self._log_decay.assign(self._log_decay_after())

    def _overwrite_model_variables_with_average_value(
        self, trainable_variables: Any
    ) -> None:
        for index in self._by_rows:
            average = self._model_variables_moving_average[index]
            kept = self._row_log_decay[index]
            value = tf.convert_to_tensor(trainable_variables[index])
            missed = self._decay_since(kept.value)
            average.assign(value + (average.value - value) * missed)
            kept.assign(tf.fill(tf.shape(kept.value), self._log_decay.value))
        super()._overwrite_model_variables_with_average_value(trainable_variables)
        for variable in trainable_variables:
            # Keras averages what stood before the constraint, a step outside of it.
            if getattr(variable, "constraint", None) is not None:
                variable.assign(variable.constraint(variable))

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
