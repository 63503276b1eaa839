"""The doctor in ``model.fit``: networks of a user's own."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from emoclf import DataError, DoctorCallback, check_model
from emoclf.doctor.predictions import check_collapse

RNG = np.random.default_rng(0)
X = RNG.random((400, 5)).astype(np.float32)
IDS = X.argmax(1)


@pytest.fixture(autouse=True)
def equal_weights() -> None:
    """Begin each test with the same weights: others may have a dead unit."""
    keras.utils.set_random_seed(0)


def network(
    *layers: Any, rate: float = 1e-3, loss: str = "sparse_categorical_crossentropy"
) -> keras.Model:
    model = keras.Sequential([*layers])
    model.compile(keras.optimizers.Adam(rate), loss)
    return model


def findings(model: keras.Model, y: np.ndarray = IDS, **fit: Any) -> set[str]:
    """Train with the callback, and return the names of its findings."""
    doctor = DoctorCallback((X, y))
    options = {"epochs": 4, "verbose": 0, "callbacks": [doctor], **fit}
    history = model.fit(X, y, **options)
    assert len(history.history["loss"]) == options["epochs"]
    assert not doctor.failed
    return {finding.name for finding in doctor.findings}


def hidden(**options: Any) -> keras.layers.Layer:
    return keras.layers.Dense(16, **{"activation": "relu", **options})


def head(units: int = 5, activation: str | None = "softmax") -> keras.layers.Layer:
    return keras.layers.Dense(units, activation)


@pytest.mark.slow
def test_a_healthy_network_has_no_findings() -> None:
    assert findings(network(keras.Input((5,)), hidden(), head(), rate=0.01)) == set()


@pytest.mark.slow
def test_dead_units_and_one_class_for_all_texts_are_found() -> None:
    negative = keras.initializers.Constant(-50.0)
    # Without an input, a Sequential is built by its first batch.
    for start in ([keras.Input((5,))], []):
        model = network(*start, hidden(bias_initializer=negative), head())
        assert {"dead-units", "stuck-at-uniform"} <= findings(model)


@pytest.mark.slow
def test_rates_out_of_range_and_large_steps_are_found() -> None:
    names = findings(network(keras.Input((5,)), head(), rate=5.0))
    assert {"learning-rate-out-of-range", "updates-too-large"} <= names


@pytest.mark.slow
def test_nan_is_found_and_does_not_end_the_training() -> None:
    model = network(keras.Input((5,)), hidden(), head())
    # Some processors' relu makes 0 of NaN, so that it must be in the last layer.
    model.layers[1].kernel.assign(np.full((16, 5), np.nan))
    assert "loss-not-finite" in findings(model)


@pytest.mark.slow
def test_other_heads_and_models_are_taken() -> None:
    hot, several = np.eye(5)[IDS], (X > 0.5).astype(int)
    inputs = keras.Input((5,))
    for targets, units, activation, loss in (
        (hot, 5, "softmax", "categorical_crossentropy"),
        (several, 5, "sigmoid", "binary_crossentropy"),
        (several[:, 0], 1, "sigmoid", "binary_crossentropy"),
        (several[:, :1], 1, "sigmoid", "binary_crossentropy"),
    ):
        model = network(inputs, hidden(), head(units, activation), rate=0.01, loss=loss)
        assert findings(model, targets, epochs=2) <= {"stuck-at-prior"}

    class Subclassed(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.head = head()

        def call(self, x: Any) -> Any:
            return self.head(x)

    model = Subclassed()
    model.compile("adam", "sparse_categorical_crossentropy")
    assert findings(model) == set()


def test_check_model_sees_the_rate_and_the_imbalance() -> None:
    rare = (np.arange(400) < 10).astype(int)
    model = network(keras.Input((5,)), head(2), rate=10.0)
    found = {finding.name: finding for finding in check_model(model, rare)}
    assert set(found) == {"learning-rate-out-of-range", "class-imbalance"}
    assert "class 0 has 390 texts, and class 1 10" in found["class-imbalance"].message
    one_hot = network(keras.Input((5,)), head(2), loss="categorical_crossentropy")
    assert [one.name for one in check_model(one_hot, np.eye(2)[rare])] == [
        "class-imbalance"
    ]
    assert not check_model(network(keras.Input((5,)), head()), IDS)


def test_a_collapse_names_imbalance_and_too_few_steps() -> None:
    truth = np.array([0] * 6 + [1] * 3 + [2])
    prior = np.array([0.5, 0.3, 0.2])
    collapse = check_collapse(np.zeros(10, int), truth, "abc", prior=prior)
    assert collapse is not None
    causes = "; ".join(collapse.causes)
    assert "imbalance: 50% of the training texts" in causes
    assert "too few steps" in causes


def test_validation_data_must_be_a_pair() -> None:
    with pytest.raises(DataError, match=r"a pair of arrays \(x, y\). Got ndarray"):
        DoctorCallback(X)  # type: ignore[arg-type]
