"""Checks of a Keras model before its training."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers
from patients import PATIENTS

from emoclf import check_model
from emoclf.errors import ModelError
from emoclf.models import ARCHITECTURES
from emoclf.models.build import build_model
from emoclf.settings import RunSettings

MATRIX = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
MATRIX[0] = 0


def names(model: keras.Model, targets: object = None) -> set[str]:
    return {finding.name for finding in check_model(model, targets)}


def network(*ends: object, loss: object = None, units: int = 4) -> keras.Model:
    inputs = keras.Input((5,))
    tensor = inputs
    for end in ends:
        tensor = end(tensor)  # type: ignore[operator]
    model = keras.Model(inputs, tensor)
    if loss is not None:
        model.compile(loss=loss)
    return model


@pytest.mark.parametrize("name", PATIENTS)
def test_networks_of_the_sources(name: str) -> None:
    build, expected = PATIENTS[name]
    assert names(build(MATRIX)) == expected


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("multilabel", [False, True])
def test_architectures_have_no_findings(name: str, multilabel: bool) -> None:
    settings = RunSettings(architecture=name)
    model = build_model(settings, n_classes=3, multilabel=multilabel, matrix=MATRIX)
    assert names(model) == set()


def shared(first: bool) -> keras.Model:
    """Return a model with a softmax layer that is used twice, or only once."""
    softmax = layers.Softmax()
    inputs = keras.Input((5,))
    logits = layers.Dense(4)(inputs)
    probabilities = softmax(logits)
    again = softmax(probabilities)
    return keras.Model(inputs, probabilities if first else again)


def nested(inner: keras.Model) -> keras.Model:
    inputs = keras.Input((5,))
    probabilities = layers.Dense(4, activation="softmax")(inputs)
    return keras.Model(inputs, inner(probabilities))


def squeeze() -> keras.Model:
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Activation("sigmoid")(inputs))


def dense(units: int, activation: str | None = None) -> layers.Layer:
    return layers.Dense(units, activation=activation)


LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
CASES = {
    "sigmoid on softmax": (
        network(dense(4, "softmax"), layers.Activation("sigmoid")),
        {"stacked-activations"},
    ),
    "softmax twice": (
        network(dense(4, "softmax"), layers.Dropout(0.1), layers.Softmax()),
        {"stacked-activations"},
    ),
    "operations": (
        network(dense(4), keras.ops.softmax, keras.ops.sigmoid),
        {"stacked-activations"},
    ),
    "an operation": (
        network(dense(4), keras.ops.softmax, loss="sparse_categorical_crossentropy"),
        set(),
    ),
    "used twice, once": (shared(first=True), set()),
    "used twice": (shared(first=False), {"stacked-activations"}),
    "nested": (nested(squeeze()), {"stacked-activations"}),
    "softmax inside": (
        network(dense(4, "softmax"), dense(4, "softmax")), {"softmax-inside"}
    ),
    "softmax of one": (network(dense(1, "softmax")), {"softmax-of-one"}),
    "relu head": (network(dense(4, "relu")), {"head-is-no-probability"}),
    "logits of a softmax": (
        network(dense(4, "softmax"), loss=LOGITS), {"loss-does-not-fit-head"}
    ),
    "probabilities of logits": (
        network(dense(4), loss="sparse_categorical_crossentropy"),
        {"loss-does-not-fit-head"},
    ),
    "one label, sigmoids": (
        network(dense(4, "sigmoid"), loss="categorical_crossentropy"),
        {"loss-does-not-fit-head"},
    ),
    "multilabel loss, softmax": (
        network(dense(4, "softmax"), loss="binary_crossentropy"),
        {"loss-does-not-fit-head"},
    ),
    "one unit, many classes": (
        network(dense(1, "sigmoid"), loss="sparse_categorical_crossentropy"),
        {"loss-does-not-fit-head"},
    ),
    "softmax": (
        network(dense(4, "softmax"), loss="sparse_categorical_crossentropy"), set()
    ),
    "logits": (network(dense(4), loss=LOGITS), set()),
    "sigmoids": (network(dense(4, "sigmoid"), loss="binary_crossentropy"), set()),
    "one sigmoid": (network(dense(1, "sigmoid"), loss="binary_crossentropy"), set()),
    "another loss": (network(dense(4, "softmax"), loss="mse"), set()),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_heads_and_losses(name: str) -> None:
    model, expected = CASES[name]
    assert names(model) == expected


@pytest.mark.parametrize(
    ("loss", "targets", "message"),
    [
        ("sparse_categorical_crossentropy", np.array([1, 2, 4]), "run from 1 to 4"),
        ("sparse_categorical_crossentropy", np.array([0, 2, 4]), "run from 0 to 4"),
        ("sparse_categorical_crossentropy", np.eye(4), "shape"),
        ("categorical_crossentropy", np.array([[1, 1, 0, 0]]), "rows sum to 2"),
        ("categorical_crossentropy", np.eye(3), "3 columns, and the head 4"),
    ],
)
def test_labels_that_do_not_fit(loss: str, targets: np.ndarray, message: str) -> None:
    (finding,) = check_model(network(dense(4, "softmax"), loss=loss), targets)
    assert finding.name == "wrong-targets"
    assert message in finding.message


@pytest.mark.parametrize("loss", [None, "mse", "kl_divergence"])
def test_one_hot_labels_fit_losses_of_one_label(loss: str | None) -> None:
    assert names(network(dense(3, "softmax"), loss=loss), np.eye(3)) == set()


def test_one_sigmoid_takes_zero_and_one() -> None:
    model = network(dense(1, "sigmoid"), loss="binary_crossentropy")
    assert names(model, np.array([0, 1, 1])) == set()
    assert names(model, np.array([[0], [1]])) == set()
    assert names(model, np.array([1, 2])) == {"wrong-targets"}
    assert names(model, np.eye(2)) == {"wrong-targets"}


def test_labels_may_be_a_list_and_must_be_numbers() -> None:
    model = network(dense(3, "softmax"), loss="sparse_categorical_crossentropy")
    assert names(model, [0, 1, 2]) == set()
    assert names(model, ["anger", "joy"]) == {"wrong-targets"}
    assert names(model, [0, 1.5]) == {"wrong-targets"}


def test_labels_counted_from_one_get_a_cure() -> None:
    model = network(dense(3, "softmax"), loss="sparse_categorical_crossentropy")
    (finding,) = check_model(model, np.array([1, 2, 3]))
    assert finding.cures == ("labels - 1",)
    assert names(model, np.array([0, 1, 2])) == set()


def test_anything_but_a_model_is_an_error() -> None:
    with pytest.raises(ModelError, match=r"takes a keras.Model. Got int"):
        check_model(3)  # type: ignore[arg-type]


def test_a_model_that_cannot_be_checked_is_an_error() -> None:
    with pytest.raises(ModelError, match="layers are not connected"):
        check_model(keras.Sequential([layers.Dense(2)]))
    with pytest.raises(ModelError, match=r"one output of shape \(batch, units\)"):
        check_model(network(layers.Reshape((5, 1))))
