"""Training of small networks: metrics, early stopping, averages, interruptions.

Covers training/fit.py, training/best_weights.py and training/schedules.py.
"""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest
from killed_run import examples
from sklearn.metrics import f1_score, log_loss

from emoclf.errors import TrainingError
from emoclf.models.build import build_model
from emoclf.models.inference import BatchedModel
from emoclf.settings import RunSettings
from emoclf.training import best_weights as best
from emoclf.training.batches import Examples
from emoclf.training.best_weights import validation_metrics
from emoclf.training.fit import TrainingResult, fit_model

TRAIN, VALID = examples(1, 120), examples(2, 40)


def fit(callbacks=(), train=TRAIN, **flat) -> tuple[keras.Model, TrainingResult]:
    small = {"epochs": 4, "batch_size": 16, "filters": 4, "learning_rate": 0.01}
    settings = RunSettings.from_flat(**{**small, "ema": None, **flat})
    matrix = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    matrix[0] = 0
    model = build_model(settings, n_classes=2, matrix=matrix)
    result = fit_model(
        model, train, VALID, settings.training, seed=0, callbacks=list(callbacks)
    )
    return model, result


def metrics_of(model: keras.Model) -> dict[str, float]:
    probabilities = np.clip(BatchedModel(model)(VALID.token_ids), 1e-7, 1)
    return validation_metrics(np.log(probabilities), VALID.targets)


def test_metrics_equal_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(50, 3)), rng.integers(0, 3, 50)
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    metrics = validation_metrics(logits, targets)
    assert metrics["loss"] == pytest.approx(log_loss(targets, chances))
    assert metrics["accuracy"] == (logits.argmax(1) == targets).mean()
    expected = f1_score(targets, logits.argmax(1), average="macro")
    assert metrics["macro_f1"] == pytest.approx(expected)


def test_multilabel_metrics() -> None:
    logits = np.array([[2.0, -1.0], [-3.0, 1.0]])
    targets = np.array([[1, 0], [0, 0]], np.float32)
    metrics = validation_metrics(logits, targets)
    chances = 1 / (1 + np.exp(-logits))
    expected = -(targets * np.log(chances) + (1 - targets) * np.log(1 - chances)).mean()
    assert metrics["loss"] == pytest.approx(expected)
    assert metrics["accuracy"] == 0.5


@pytest.mark.slow
@pytest.mark.parametrize("monitor", ["accuracy", "loss"])
def test_the_best_epoch_gives_the_weights(monitor: str) -> None:
    model, result = fit(monitor=monitor, epochs=6, learning_rate=0.05)
    series = result.history[f"val_{monitor}"]
    best = min(series) if monitor == "loss" else max(series)
    assert series[result.best_epoch - 1] == best
    assert metrics_of(model)[monitor] == pytest.approx(best, abs=1e-5)


@pytest.mark.slow
def test_early_stopping() -> None:
    _, result = fit(epochs=50, patience=2, learning_rate=0.05)
    assert result.ended == "early"
    assert result.epochs == result.best_epoch + 2 < 50


@pytest.mark.slow
def test_histories_have_a_number_for_each_epoch_and_equal_seeds_equal_weights() -> None:
    first, result = fit()
    assert result.ended == "all epochs"
    names = {"loss", "accuracy", "val_loss", "val_accuracy", "val_macro_f1"}
    names |= {"learning_rate", "seconds", "gradient_norm", "update_ratio"}
    assert set(result.history) == names
    assert all(len(values) == 4 for values in result.history.values())
    assert result.seconds > 0
    second, _ = fit()
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_callbacks_of_the_user_see_validation_metrics_and_may_stop() -> None:
    class Stop(keras.callbacks.Callback):
        seen: list[dict]

        def on_epoch_end(self, epoch: int, logs=None) -> None:
            self.seen = [*getattr(self, "seen", []), dict(logs)]
            self.model.stop_training = epoch == 1

    stop = Stop()
    _, result = fit([stop])
    assert result.epochs == len(stop.seen) == 2
    assert "val_macro_f1" in stop.seen[0]


@pytest.mark.slow
def test_averaged_weights_are_evaluated() -> None:
    plain, _ = fit(epochs=3)
    model, result = fit(ema=0.9, epochs=3)
    assert any(
        (one != other).any()
        for one, other in zip(plain.get_weights(), model.get_weights(), strict=True)
    )
    best = result.history["val_macro_f1"][result.best_epoch - 1]
    assert metrics_of(model)["macro_f1"] == pytest.approx(best)


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["cosine", "exponential", "plateau"])
def test_schedules_lower_the_rate(schedule: str) -> None:
    _, result = fit(
        schedule=schedule,
        epochs=14,
        patience=14,
        monitor="accuracy",
        learning_rate=0.05,
    )
    rates = result.history["learning_rate"]
    assert rates[0] == pytest.approx(0.0 if schedule == "cosine" else 0.05)
    assert rates[-1] < 0.6 * max(rates)
    assert max(rates) <= 0.05 + 1e-9


def test_an_interruption_keeps_the_best_so_far() -> None:
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs=None) -> None:
            if self.params["epochs"] and self.epoch == 2 and batch == 1:
                raise KeyboardInterrupt

        def on_epoch_begin(self, epoch: int, logs=None) -> None:
            self.epoch = epoch

    model, result = fit([Interrupt()], epochs=9)
    assert result.ended == "interrupted"
    assert result.epochs == 2
    best = result.history["val_macro_f1"][result.best_epoch - 1]
    assert metrics_of(model)["macro_f1"] == pytest.approx(best)


def test_a_loss_that_is_not_finite_ends_the_training() -> None:
    with pytest.raises(TrainingError, match="Try a lower learning_rate"):
        fit(learning_rate=1e38, clip_norm=None, max_norm=None, monitor="loss")


@pytest.mark.slow
def test_the_best_weights_come_back_after_a_loss_of_nan() -> None:
    class Poison(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs=None) -> None:
            if epoch == 2:
                bias = self.model.get_layer("logits").bias
                bias.assign([math.nan, math.nan])

    model, result = fit([Poison()], epochs=9)
    assert result.ended == "loss not finite"
    assert result.epochs == 3
    assert result.best_epoch in (1, 2)
    assert np.isfinite(BatchedModel(model)(VALID.token_ids)).all()


@pytest.mark.slow
def test_class_weights_change_the_predictions() -> None:
    from dataclasses import replace

    weights = np.where(TRAIN.targets == 1, 20.0, 0.05).astype(np.float32)
    model, _ = fit(train=replace(TRAIN, weights=weights), monitor="loss")
    plain, _ = fit(monitor="loss")
    ids = VALID.token_ids
    assert (
        BatchedModel(model)(ids)[:, 1].mean()
        > BatchedModel(plain)(ids)[:, 1].mean() + 0.05
    )


@pytest.mark.slow
def test_ties_go_to_the_smaller_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With many labels the first epochs predict none, while the loss falls."""
    losses = iter([0.5, 0.4, 0.3, 0.2, 0.25, 0.3, 0.4, 0.5])

    def no_label_predicted(logits: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        return {"loss": next(losses), "accuracy": 0.0, "macro_f1": 0.0}

    monkeypatch.setattr(best, "validation_metrics", no_label_predicted)
    _, result = fit(epochs=8, patience=2)
    assert result.best_epoch == 4
    assert result.epochs == 6


def test_multilabel_accuracy_counts_texts_with_all_labels_right() -> None:
    targets = (np.random.default_rng(0).random((60, 12)) < 0.1).astype(np.float32)
    data = Examples([TRAIN.token_ids[i] for i in range(60)], targets)
    settings = RunSettings.from_flat(epochs=1, filters=4)
    matrix = np.zeros((40, 6), np.float32)
    model = build_model(settings, n_classes=12, multilabel=True, matrix=matrix)
    history = fit_model(model, data, data, settings.training).history
    # Nine in ten single labels are right: those that a text does not have.
    assert history["accuracy"][0] < 0.5


@pytest.mark.slow
def test_averaged_weights_satisfy_the_max_norm_of_the_head() -> None:
    model, _ = fit(ema=0.9, max_norm=0.5, learning_rate=0.5)
    kernel = model.get_layer("logits").kernel.numpy()
    assert np.linalg.norm(kernel, axis=0).max() <= 0.5 + 1e-6
