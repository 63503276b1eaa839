"""Optimizers that know of embeddings: rows that were read, averages, and a guard."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from emoclf.errors import SettingsError

# The first decay is zero, and its logarithm has to be a number.
TINY = 1e-30


class SafeStepMixin:
    """What emoclf's optimizers do beside the step itself.

    Gradients of a word that stands in a batch more than once are summed, all gradients
    are clipped by their global norm, and a step whose gradients are not finite is left
    out, so that one overflow does not wipe out the weights. The norm of each variable's
    gradient, before clipping, is kept in ``gradient_norms`` for whoever watches.

    With ``use_ema`` averaged weights are kept. In step t the decay is
    ``min(ema_momentum, t / (t + 9))``, so that the average of a short training is not
    ruled by its first steps.

    Parameters
    ----------
    learning_rate : float or keras.optimizers.schedules.LearningRateSchedule
    embedding_rate : float >= 0, default=1.0
        Learning rate of embeddings, as a share of ``learning_rate``. Pre-trained
        vectors want a slower rate than the rest of a network.
    clip_norm : float, optional
        Bound of the global norm of all gradients.
    **kwargs
        As for the optimizer of Keras that stands beside this class.
    """

    def __init__(
        self,
        learning_rate: Any = 1e-3,
        *,
        embedding_rate: float = 1.0,
        clip_norm: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)  # type: ignore[call-arg]
        self.embedding_rate = embedding_rate
        self.clip_norm = clip_norm

    def build(self: Any, variables: Any) -> None:
        super().build(variables)  # type: ignore[misc]
        self.gradient_norms = self.add_variable(
            shape=(len(variables),), name="gradient_norms"
        )

    def _backend_update_step(
        self: Any, grads: Any, trainable_variables: Any, learning_rate: Any
    ) -> None:
        grads = [_summed_rows(grad) for grad in grads]
        norms = _norms([_values(grad) for grad in grads])
        self.gradient_norms.assign(norms)
        total = tf.cast(tf.norm(tf.cast(norms, tf.float64)), tf.float32)
        scale = tf.ones_like(total)
        if self.clip_norm:
            scale = tf.minimum(1.0, self.clip_norm / tf.maximum(total, TINY))
        # Adam's moments of an earlier step still move the weights; they are finite.
        scale = tf.where(tf.math.is_finite(total), scale, 0.0)
        grads = [_scaled(grad, scale) for grad in grads]
        super()._backend_update_step(  # type: ignore[misc]
            grads, trainable_variables, learning_rate
        )

    def update_step(
        self: Any, gradient: Any, variable: Any, learning_rate: Any
    ) -> None:
        if isinstance(gradient, tf.IndexedSlices):
            # Only embeddings have such gradients, and a rate of their own.
            gradient = tf.convert_to_tensor(gradient)
            learning_rate = tf.cast(learning_rate, tf.float32) * self.embedding_rate
        super().update_step(gradient, variable, learning_rate)  # type: ignore[misc]

    def _decay(self: Any) -> Any:
        step = tf.cast(self.iterations, tf.float32)
        return tf.minimum(self.ema_momentum, step / (step + 9.0))

    def _update_model_variables_moving_average(
        self: Any, trainable_variables: Any
    ) -> None:
        if self.use_ema:
            self._average(range(len(trainable_variables)), trainable_variables)

    def _average(self: Any, indices: Any, trainable_variables: Any) -> None:
        missing = 1.0 - self._decay()
        for index in indices:
            average = self._model_variables_moving_average[index].value
            value = tf.convert_to_tensor(trainable_variables[index])
            average.assign_sub(missing * (average - value))

    def _overwrite_model_variables_with_average_value(
        self: Any, trainable_variables: Any
    ) -> None:
        super()._overwrite_model_variables_with_average_value(  # type: ignore[misc]
            trainable_variables
        )
        for variable in trainable_variables:
            # Keras averages what stood before the constraint, a step outside of it.
            if getattr(variable, "constraint", None) is not None:
                variable.assign(variable.constraint(variable))

    def get_config(self) -> dict[str, Any]:
        own = {"embedding_rate": self.embedding_rate, "clip_norm": self.clip_norm}
        return {**super().get_config(), **own}  # type: ignore[misc]


class LazyRowsMixin(SafeStepMixin):
    """Adam's step for embeddings, in the rows that a batch read.

    A batch reads a few hundred of many thousand embedding rows, but Keras' Adam decays
    the moments of, and moves, every row at every step: the largest single cost of
    training a small TextCNN. Here a row's moments and values change only in the steps
    that read the row ("lazy Adam", as in TensorFlow Addons and in PyTorch's
    ``SparseAdam``). Variables without sparse gradients are treated as by Keras.

    The same holds for the averaged weights. While nobody reads a row it does not move,
    and its average closes in on it by a factor known beforehand; the steps that a row
    missed are made up for when it is read again, or judged.
    """

    def build(self: Any, variables: Any) -> None:
        if self.amsgrad:
            raise SettingsError(
                f"{type(self).__name__} has no amsgrad=True: a row's largest moment "
                "would need a step of its own. Leave it out, or take Keras' optimizer."
            )
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

    def update_step(
        self: Any, gradient: Any, variable: Any, learning_rate: Any
    ) -> None:
        index = self._get_variable_index(variable)
        first, second = self._momentums[index].value, self._velocities[index].value
        step = tf.cast(self.iterations + 1, variable.dtype)
        rate = tf.cast(learning_rate, variable.dtype)
        if not isinstance(gradient, tf.IndexedSlices):
            # Keras' formula in one pass over the memory, not in twelve.
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=first.handle,
                v=second.handle,
                beta1_power=self.beta_1**step,
                beta2_power=self.beta_2**step,
                lr=rate,
                beta1=self.beta_1,
                beta2=self.beta_2,
                epsilon=self.epsilon,
                grad=tf.cast(gradient, variable.dtype),
            )
            return
        rows, values = gradient.indices, tf.cast(gradient.values, variable.dtype)
        rate *= self.embedding_rate
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

    def _log_decay_after(self: Any) -> Any:
        decay = tf.cast(tf.maximum(self._decay(), TINY), tf.float64)
        return self._log_decay.value + tf.math.log(decay)

    def _decay_since(self: Any, kept: Any) -> Any:
        """Return the product of the decays since each row was kept, shape (rows, 1)."""
        return tf.cast(tf.exp(self._log_decay.value - kept), tf.float32)[:, None]

    def _average_rows(
        self: Any, variable: Any, index: int, rows: Any, change: Any
    ) -> None:
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

    def _update_model_variables_moving_average(
        self: Any, trainable_variables: Any
    ) -> None:
        if self.use_ema:
            count = len(trainable_variables)
            dense = [index for index in range(count) if index not in self._by_rows]
            self._average(dense, trainable_variables)
            self._log_decay.assign(self._log_decay_after())

    def _overwrite_model_variables_with_average_value(
        self: Any, trainable_variables: Any
    ) -> None:
        for index in self._by_rows:
            average = self._model_variables_moving_average[index]
            kept = self._row_log_decay[index]
            value = tf.convert_to_tensor(trainable_variables[index])
            missed = self._decay_since(kept.value)
            average.assign(value + (average.value - value) * missed)
            kept.assign(tf.fill(tf.shape(kept.value), self._log_decay.value))
        super()._overwrite_model_variables_with_average_value(trainable_variables)


@keras.saving.register_keras_serializable(package="emoclf", name="RowAdam")
class LazyAdam(LazyRowsMixin, keras.optimizers.Adam):
    """Adam (Kingma and Ba, 2015)."""


@keras.saving.register_keras_serializable(package="emoclf", name="RowAdamW")
class LazyAdamW(LazyRowsMixin, keras.optimizers.AdamW):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""


@keras.saving.register_keras_serializable(package="emoclf", name="GuardedRMSprop")
class SafeRMSprop(SafeStepMixin, keras.optimizers.RMSprop):
    """RMSprop (Tieleman and Hinton, 2012)."""


@keras.saving.register_keras_serializable(package="emoclf", name="GuardedSGD")
class SafeSGD(SafeStepMixin, keras.optimizers.SGD):
    """Stochastic gradient descent, with momentum or without."""


@keras.saving.register_keras_serializable(package="emoclf", name="GuardedAdadelta")
class SafeAdadelta(SafeStepMixin, keras.optimizers.Adadelta):
    """Adadelta (Zeiler, 2012)."""


def _summed_rows(grad: Any) -> Any:
    """Sum the gradients of equal rows, so that each row is updated once."""
    if not isinstance(grad, tf.IndexedSlices):
        return grad
    rows, position = tf.unique(grad.indices)
    values = tf.math.unsorted_segment_sum(grad.values, position, tf.size(rows))
    return tf.IndexedSlices(values, rows, grad.dense_shape)


def _norms(values: Any) -> Any:
    """Return the norm of each gradient, float32 of shape (n,).

    The square of a large gradient that is finite must be finite: then they are added
    up in float64, which takes four times as long and is left out where it can be.
    """
    squares = 2.0 * tf.stack([tf.nn.l2_loss(value) for value in values])

    def finely() -> Any:
        fine = [tf.norm(tf.cast(value, tf.float64)) for value in values]
        return tf.cast(tf.stack(fine), tf.float32)

    finite = tf.reduce_all(tf.math.is_finite(squares))
    return tf.cond(finite, lambda: tf.sqrt(squares), finely)


def _values(grad: Any) -> Any:
    return grad.values if isinstance(grad, tf.IndexedSlices) else grad


def _scaled(grad: Any, scale: Any) -> Any:
    # Zero times what is not a number is zero here.
    values = tf.math.multiply_no_nan(_values(grad), scale)
    if isinstance(grad, tf.IndexedSlices):
        return tf.IndexedSlices(values, grad.indices, grad.dense_shape)
    return values
