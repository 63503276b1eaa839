"""The optimizers are those of Keras, except for embedding rows that no batch reads."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from emoclf.settings import TrainSettings
from emoclf.training.optimizers import build_optimizer
from emoclf.training.safe_optimizers import LazyAdam


def run(optimizer: keras.optimizers.Optimizer, steps: list) -> list[np.ndarray]:
    """Apply steps of (rows, row gradients, dense gradient) to two variables."""
    rows = keras.Variable(np.ones((4, 2), np.float32), name="embeddings")
    dense = keras.Variable(np.ones(3, np.float32), name="dense")
    optimizer.build([rows, dense])
    for indices, values, gradient in steps:
        slices = tf.IndexedSlices(
            tf.constant(values, tf.float32), tf.constant(indices), tf.constant([4, 2])
        )
        optimizer.apply([slices, tf.constant(gradient, tf.float32)], [rows, dense])
    return [rows.numpy(), dense.numpy()]


def steps(rows: list[int], count: int = 5) -> list:
    rng = np.random.default_rng(0)
    return [(rows, rng.normal(size=(len(rows), 2)), rng.normal(size=3))] * count


def test_it_equals_adam_if_every_row_is_read() -> None:
    batch_steps = steps([0, 1, 2, 3])
    for actual, expected in zip(
        run(LazyAdam(0.1), batch_steps),
        run(keras.optimizers.Adam(0.1), batch_steps),
        strict=True,
    ):
        # They moved by 0.5; float32 gives 1 - 0.999**t to five places.
        np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_unread_rows_do_not_change() -> None:
    rows, _ = run(LazyAdam(0.1), [*steps([0, 1], 1), *steps([1], 4)])
    assert (rows[2:] == 1).all()
    once, _ = run(LazyAdam(0.1), steps([0, 1], 1))
    np.testing.assert_array_equal(rows[0], once[0])


def test_gradients_of_a_repeated_row_are_summed() -> None:
    twice = [([1, 1], [[1.0, 2.0], [0.5, -1.0]], [0.0] * 3)] * 3
    summed = [([1], [[1.5, 1.0]], [0.0] * 3)] * 3
    for one, other in zip(
        run(LazyAdam(0.1), twice), run(LazyAdam(0.1), summed), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-7)


def test_embeddings_have_their_own_learning_rate() -> None:
    rows, dense = run(LazyAdam(0.1, embedding_rate=0.0), steps([0, 1, 2, 3]))
    assert (rows == 1).all()
    assert (dense != 1).all()


def test_clipping_is_by_the_norm_of_all_gradients() -> None:
    def first_moment(optimizer: LazyAdam) -> keras.Variable:
        return next(iter(optimizer.moments.values()))[0]

    def norm_seen(clip: float | None) -> float:
        # The first moment after one step is a tenth of the gradient that was applied.
        optimizer = LazyAdam(0.1, clip_norm=clip)
        run(optimizer, [([0, 0], [[30.0, 0.0], [0.0, 40.0]], [0.0] * 3)])
        return 10 * float(np.linalg.norm(first_moment(optimizer).numpy()))

    np.testing.assert_allclose(norm_seen(None), 50, rtol=1e-5)
    np.testing.assert_allclose(norm_seen(2.0), 2, rtol=1e-5)
    np.testing.assert_allclose(norm_seen(100.0), 50, rtol=1e-5)


def test_amsgrad_is_refused() -> None:
    with pytest.raises(ValueError, match="amsgrad"):
        LazyAdam(0.1, amsgrad=True)


def test_it_is_configurable() -> None:
    values = {"embedding_rate": 0.3, "clip_norm": 2, "ema": 0.9, "beta_1": 0.8}
    copy = LazyAdam.from_config(LazyAdam(0.1, **values).get_config())
    assert {name: getattr(copy, name) for name in values} == values


def test_the_names_registered_with_keras_stay() -> None:
    names = ("RowAdam", "RowAdamW", "GuardedRMSprop", "GuardedSGD", "GuardedAdadelta")
    for name in names:
        assert keras.saving.get_registered_object(f"emoclf>{name}") is not None


@pytest.mark.parametrize("clip", [None, 5.0])
def test_a_gradient_whose_square_overflows_is_still_finite(clip: float | None) -> None:
    optimizer = LazyAdam(0.1, clip_norm=clip)
    large = ([0], [[3e25, 4e25]], [0.0, 0.0, 0.0])
    rows, _ = run(optimizer, [large])
    np.testing.assert_allclose(optimizer.gradient_norms.numpy(), [5e25, 0], rtol=1e-6)
    # Unclipped, the second moment is infinite, and the row stays where it is.
    moved = 0.1 if clip else 0.0
    np.testing.assert_allclose(rows[0], 1 - moved, rtol=1e-4)


def test_dense_gradients_are_clipped_as_tensorflow_does() -> None:
    rng = np.random.default_rng(0)
    gradients = [tf.constant(rng.normal(size=n), tf.float32) for n in (3, 5)]
    clipped, _ = tf.clip_by_global_norm(gradients, 0.5)
    updated = []
    for optimizer, given in [
        (LazyAdam(0.1, clip_norm=0.5), gradients),
        (keras.optimizers.Adam(0.1), clipped),
    ]:
        variables = [keras.Variable(np.ones(n, np.float32)) for n in (3, 5)]
        optimizer.apply(given, variables)
        updated.append([variable.numpy() for variable in variables])
    np.testing.assert_allclose(updated[0][0], updated[1][0], rtol=1e-6)
    np.testing.assert_allclose(updated[0][1], updated[1][1], rtol=1e-6)


@pytest.mark.parametrize("decay", [0.5, 0.99])
def test_the_average_is_of_all_steps_and_spares_embeddings(decay: float) -> None:
    optimizer = LazyAdam(0.1, ema=decay)
    rows = keras.Variable(np.ones((4, 2), np.float32), name="embeddings")
    dense = keras.Variable(np.ones(3, np.float32), name="dense")
    optimizer.build([rows, dense])
    expected = dense.numpy()
    for step, (indices, values, gradient) in enumerate(steps([0, 1], 40)):
        slices = tf.IndexedSlices(
            tf.constant(values, tf.float32), tf.constant(indices), tf.constant([4, 2])
        )
        optimizer.apply([slices, tf.constant(gradient, tf.float32)], [rows, dense])
        share = min(decay, step / (step + 9))
        expected = share * expected + (1 - share) * dense.numpy()
    assert list(optimizer.averages) == [1]
    np.testing.assert_allclose(optimizer.averages[1].numpy(), expected, atol=2e-6)


NAMES = ("adam", "adamw", "rmsprop", "sgd", "momentum", "adadelta")
KERAS_OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(1e-3),
    "rmsprop": lambda: keras.optimizers.RMSprop(1e-3),
    "sgd": lambda: keras.optimizers.SGD(0.1),
    "momentum": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    "adadelta": lambda: keras.optimizers.Adadelta(1.0),
}


def named(name: str, **flat: object) -> keras.optimizers.Optimizer:
    settings = {"embedding_rate": 1.0, "clip_norm": None, "ema": None, **flat}
    return build_optimizer(
        TrainSettings.from_dict({"optimizer": name, **settings}), steps_per_epoch=3
    )


@pytest.mark.parametrize("name", KERAS_OPTIMIZERS)
def test_optimizers_by_name_equal_those_of_keras(name: str) -> None:
    batch_steps = steps([0, 1, 2, 3])
    by_name = run(named(name), batch_steps)
    expected = run(KERAS_OPTIMIZERS[name](), batch_steps)
    for actual, value in zip(by_name, expected, strict=True):
        np.testing.assert_allclose(actual, value, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_rate_for_embeddings_and_averages(name: str) -> None:
    rows, dense = run(named(name, embedding_rate=0.0), steps([0, 1, 2, 3]))
    np.testing.assert_allclose(rows, 1, rtol=1e-6)
    assert (dense != 1).all()
    optimizer = named(name, ema=0.9)
    run(optimizer, steps([0, 1], 1))
    # The first decay is zero: the average is what the first step left.
    average = optimizer.averages[1].numpy()
    np.testing.assert_allclose(average, run(named(name), steps([0, 1], 1))[1])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_step_that_is_not_finite_is_skipped(name: str, bad: float) -> None:
    optimizer = named(name, clip_norm=5.0)
    poisoned = ([0, 1], np.ones((2, 2)), [bad, 0.0, 0.0])
    values = run(optimizer, [*steps([0, 1], 2), poisoned, *steps([2], 1)])
    assert all(np.isfinite(value).all() for value in values)
    norms = optimizer.gradient_norms.numpy()
    assert np.isfinite(norms).all()


def test_weight_decay_leaves_out_embeddings_and_biases() -> None:
    variables = [
        keras.Variable(np.ones((2, 2), np.float32), name=name)
        for name in ("kernel", "bias", "embeddings")
    ]
    optimizer = named("adamw", weight_decay=0.5)
    optimizer.build(variables)
    optimizer.apply([tf.zeros((2, 2))] * 3, variables)
    kernel, bias, embeddings = (variable.numpy() for variable in variables)
    assert (kernel < 1).all()
    np.testing.assert_array_equal(bias, 1)
    np.testing.assert_array_equal(embeddings, 1)
