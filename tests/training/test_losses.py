"""Losses equal those of Keras and of their papers, computed from logits."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from emoclf.errors import SettingsError
from emoclf.settings import TrainSettings
from emoclf.training.losses import build_loss

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 3, (6, 4)).astype(np.float32)
LABELS = np.array([0, 1, 2, 3, 0, 1])
MULTILABEL = RNG.integers(0, 2, (6, 4)).astype(np.float32)


def loss_of(targets: np.ndarray, logits: np.ndarray = LOGITS, **flat: object):
    loss = build_loss(TrainSettings.from_dict(flat), multilabel=targets.ndim == 2)
    return keras.ops.convert_to_numpy(loss.call(targets, logits))


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_is_that_of_keras(smoothing: float) -> None:
    one = keras.losses.categorical_crossentropy(
        np.eye(4)[LABELS], LOGITS, from_logits=True, label_smoothing=smoothing
    )
    multilabel = keras.losses.binary_crossentropy(
        MULTILABEL, LOGITS, from_logits=True, label_smoothing=smoothing
    )
    np.testing.assert_allclose(
        loss_of(LABELS, label_smoothing=smoothing), one, rtol=1e-5
    )
    losses = loss_of(MULTILABEL, label_smoothing=smoothing)
    np.testing.assert_allclose(losses, multilabel, rtol=1e-5)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_is_that_of_keras(gamma: float) -> None:
    one = keras.losses.CategoricalFocalCrossentropy(
        alpha=1.0, gamma=gamma, reduction="none"
    )(np.eye(4)[LABELS], softmax(LOGITS))
    multilabel = keras.losses.binary_focal_crossentropy(
        MULTILABEL, LOGITS, gamma=gamma, from_logits=True
    )
    flat = {"loss": "focal", "focal_gamma": gamma}
    np.testing.assert_allclose(loss_of(LABELS, **flat), one, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(
        loss_of(MULTILABEL, **flat), multilabel, rtol=1e-3, atol=1e-6
    )


def test_focal_without_gamma_is_cross_entropy() -> None:
    for targets in (LABELS, MULTILABEL):
        plain = loss_of(targets)
        np.testing.assert_allclose(
            loss_of(targets, loss="focal", focal_gamma=0), plain, rtol=1e-6
        )


def test_mean_squared_error_is_of_probabilities() -> None:
    one = ((np.eye(4)[LABELS] - softmax(LOGITS)) ** 2).mean(1)
    multilabel = ((MULTILABEL - 1 / (1 + np.exp(-LOGITS))) ** 2).mean(1)
    np.testing.assert_allclose(loss_of(LABELS, loss="mse"), one, rtol=1e-5)
    np.testing.assert_allclose(loss_of(MULTILABEL, loss="mse"), multilabel, rtol=1e-5)


@pytest.mark.parametrize("loss", ["cross-entropy", "focal", "mse"])
@pytest.mark.parametrize(
    "targets", [LABELS, MULTILABEL], ids=["one label", "multilabel"]
)
def test_huge_logits_give_finite_losses_and_gradients(
    loss: str, targets: np.ndarray
) -> None:
    import tensorflow as tf

    logits = tf.constant(np.sign(LOGITS) * 1e4)
    function = build_loss(TrainSettings(loss=loss), multilabel=targets.ndim == 2)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        losses = function(targets, logits)
    assert np.isfinite(losses.numpy()).all()
    assert np.isfinite(tape.gradient(losses, logits).numpy()).all()


def test_an_unknown_name_is_refused_with_the_valid_ones() -> None:
    with pytest.raises(SettingsError, match=r"one of cross-entropy, focal, mse"):
        TrainSettings(loss="crossentropy")
    with pytest.raises(SettingsError, match="adam, adamw, rmsprop"):
        TrainSettings(optimizer="adamv")


SOFT = softmax(RNG.normal(0, 1, (6, 4))).astype(np.float32)


def soft_loss(
    targets: np.ndarray, temperature: float = 1.0, *, multilabel: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return the losses of soft targets, and the gradient of their mean."""
    import tensorflow as tf

    loss = build_loss(TrainSettings(), multilabel=multilabel, temperature=temperature)
    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        mean = loss(targets, logits)
    losses = keras.ops.convert_to_numpy(loss.call(targets, logits))
    return losses, tape.gradient(mean, logits).numpy()


def test_one_hot_soft_targets_are_labels() -> None:
    losses, gradient = soft_loss(np.eye(4, dtype=np.float32)[LABELS])
    hard_losses, hard_gradient = soft_loss(LABELS)
    np.testing.assert_array_equal(losses, hard_losses)
    np.testing.assert_array_equal(gradient, hard_gradient)


def test_soft_targets_have_the_cross_entropy_of_keras() -> None:
    expected = keras.losses.categorical_crossentropy(SOFT, LOGITS, from_logits=True)
    np.testing.assert_allclose(soft_loss(SOFT)[0], expected, rtol=1e-5)
    expected = keras.losses.binary_crossentropy(SOFT, LOGITS, from_logits=True)
    found = soft_loss(SOFT, multilabel=True)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_temperature_divides_the_logits_and_keeps_the_size_of_gradients() -> None:
    cold = keras.losses.categorical_crossentropy(SOFT, LOGITS / 4, from_logits=True)
    losses, gradient = soft_loss(SOFT, 4.0)
    np.testing.assert_allclose(losses, 16 * cold, rtol=1e-5)
    # Hinton et al. (2015), section 2.1: T (q - p) for each text, here the mean of six.
    np.testing.assert_allclose(
        gradient, 4 * (softmax(LOGITS / 4) - SOFT) / 6, rtol=1e-4, atol=1e-6
    )
