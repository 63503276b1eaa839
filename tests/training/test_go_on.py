"""Interrupted, stopped and overflowing trainings, and resuming them.

Covers training/fit.py, training/checkpoint.py, training/epoch_recorder.py,
training/interruption.py, training/monitor.py and training/step_monitor.py.
"""

from __future__ import annotations

import io
import math
import random
import signal
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from killed_run import examples
from warm_process import WarmProcess

from emoclf.doctor.findings import Finding
from emoclf.errors import ResumeError, TrainingError
from emoclf.models.build import build_model
from emoclf.settings import RunSettings
from emoclf.training.batches import Examples
from emoclf.training.checkpoint import FILE, CheckpointFolder
from emoclf.training.fit import TrainingResult, fit_model
from emoclf.training.progress import TrainingProgress

TRAIN, VALID = examples(1, 120), examples(2, 40)
SCRIPT = Path(__file__).parents[1] / "shared" / "killed_run.py"


def fit(
    callbacks: Any = (), folder: Path | None = None, resume: bool = False, **flat: Any
) -> tuple[list[np.ndarray], TrainingResult]:
    """Return the weights and the result of a small training."""
    small = {"epochs": 6, "batch_size": 16, "filters": 3, "vectors": "given"}
    settings = RunSettings.from_flat(**{**small, "patience": 9, **flat})
    matrix = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    matrix[0] = 0
    model = build_model(settings, n_classes=2, matrix=matrix)
    result = fit_model(
        model,
        TRAIN,
        VALID,
        settings.training,
        callbacks=list(callbacks),
        checkpoints=folder and CheckpointFolder(folder, settings.to_dict()),
        resume=resume,
    )
    return model.get_weights(), result


class At(keras.callbacks.Callback):
    """Call a function at the end of an epoch or after one of its batches."""

    def __init__(self, epoch: int, act: Any, batch: int | None = None) -> None:
        super().__init__()
        self.at, self.act, self.batch = epoch, act, batch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if (self.epoch, batch) == (self.at, self.batch):
            self.act(self.model)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == self.at and self.batch is None:
            self.act(self.model)


def interrupt(model: keras.Model) -> None:
    raise KeyboardInterrupt


def stop(model: keras.Model) -> None:
    model.stop_training = True


def poison(model: keras.Model) -> None:
    model.get_layer("logits").bias.assign([math.nan, math.nan])


def metrics(result: TrainingResult) -> dict[str, list[float]]:
    return {k: v for k, v in result.history.items() if k != "seconds"}


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    "flat",
    [
        {"schedule": "plateau", "monitor": "loss", "learning_rate": 2.0, "epochs": 10},
        {"schedule": "cosine", "ema": 0.9, "embedding": "two-channel"},
        {"schedule": "exponential", "embedding": "static"},
        {"ema": 0.8, "clip_norm": None, "learning_rate": 0.05},
    ],
    ids=["plateau", "cosine+ema+two-channel", "exponential+static", "ema"],
)
def test_an_interrupted_and_resumed_training_equals_an_undisturbed_one(
    tmp_path: Path, flat: dict
) -> None:
    calm, expected = fit(**flat)
    fit([At(3, interrupt, batch=2)], tmp_path / "run", **flat)
    resumed, result = fit([], tmp_path / "run", resume=True, **flat)
    assert same(resumed, calm)
    assert metrics(result) == metrics(expected)
    if flat.get("schedule") == "plateau":
        rates = result.history["learning_rate"]
        assert rates[-1] < rates[0]


@pytest.mark.slow
def test_an_interruption_after_the_evaluation_keeps_the_epoch() -> None:
    _, result = fit([At(2, interrupt)], monitor="loss")
    losses = result.history["val_loss"]
    assert result.ended == "interrupted"
    assert losses[result.best_epoch - 1] == min(losses)


@pytest.mark.slow
def test_an_interruption_before_the_first_evaluation_is_raised() -> None:
    with pytest.raises(KeyboardInterrupt):
        fit([At(0, interrupt, batch=1)])


@pytest.mark.slow
def test_a_run_that_a_callback_stopped_is_not_continued(tmp_path: Path) -> None:
    weights, first = fit([At(2, stop)], tmp_path / "run")
    again, second = fit([], tmp_path / "run", resume=True)
    assert first.ended == second.ended == "callback"
    assert first.history == second.history
    assert same(weights, again)


@pytest.mark.slow
def test_resuming_a_run_that_stopped_early_gives_the_same_result(
    tmp_path: Path,
) -> None:
    flat = {"patience": 1, "epochs": 12, "learning_rate": 0.5, "monitor": "loss"}
    weights, first = fit([], tmp_path / "run", **flat)
    again, second = fit([], tmp_path / "run", resume=True, **flat)
    assert first.ended == "early"
    assert first.best_epoch > 1
    assert second == first
    assert same(weights, again)


@pytest.mark.slow
@pytest.mark.parametrize("monitor", ["macro_f1", "loss"])
def test_not_a_number_is_never_the_best(tmp_path: Path, monitor: str) -> None:
    bad = At(1, poison, batch=3)
    weights, first = fit([bad], tmp_path / "run", monitor=monitor)
    assert first.best_epoch == 1
    assert first.ended == "loss not finite"
    assert all(np.isfinite(weight).all() for weight in weights)
    _, again = fit([], tmp_path / "run", resume=True, monitor=monitor)
    assert again.epochs == first.epochs
    assert again.ended == first.ended


@pytest.mark.slow
def test_a_gradient_that_overflows_ends_the_training_with_a_finding() -> None:
    def explode(model: keras.Model) -> None:
        kernel = model.get_layer("logits").kernel
        kernel.assign(np.full(kernel.shape, 1e38, np.float32))

    _, result = fit([At(2, explode, batch=1)], max_norm=None)
    assert result.ended == "loss not finite"
    (finding,) = (f for f in result.findings if f.name == "loss-not-finite")
    assert finding.epoch == 3
    assert "logits" in finding.message


@pytest.mark.slow
def test_texts_without_words_can_be_fitted() -> None:
    settings = RunSettings.from_flat(epochs=1, filters=2, vectors="given")
    model = build_model(settings, n_classes=2, matrix=np.zeros((9, 4), np.float32))
    empty = Examples([np.array([], np.int32)] * 8, np.array([0, 1] * 4, np.int32))
    result = fit_model(model, empty, empty, settings.training)
    assert result.epochs == 1


def test_a_label_may_look_like_markup() -> None:
    stream = io.StringIO()
    progress = TrainingProgress(3, stream=stream)
    progress.on_finding(Finding("x", "error", "the label '[/joy]' and '[red]'"))
    assert "'[/joy]' and '[red]'" in stream.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("monitor", ["accuracy", "loss"])
def test_a_training_without_a_finite_epoch_is_an_error(monitor: str) -> None:
    with pytest.raises(TrainingError, match=rf"finite validation {monitor}"):
        fit([At(0, poison, batch=0)], monitor=monitor)


@pytest.mark.slow
def test_a_callback_gets_its_state_back(tmp_path: Path) -> None:
    class Count(keras.callbacks.Callback):
        count = 0

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.count += 1

        def get_state(self) -> dict[str, int]:
            return {"count": self.count}

        def set_state(self, state: dict[str, int]) -> None:
            self.count = state["count"]

    class Other(Count):
        def set_state(self, state: dict[str, int]) -> None:
            raise AssertionError("the state of another callback")

    fit([Count(), At(3, interrupt, batch=0)], tmp_path / "run")
    count = Count()
    # A callback of another class before it does not get the state.
    fit([Other(), count], tmp_path / "run", resume=True)
    assert count.count == 6


@pytest.mark.slow
def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    settings = RunSettings.from_flat(filters=3)
    fit([At(2, interrupt, batch=0)], folder)
    matrix = np.zeros((50, 4), np.float32)
    model = build_model(settings, n_classes=2, matrix=matrix)
    fingerprint = RunSettings.from_flat(
        epochs=6, batch_size=16, filters=3, vectors="given", patience=9
    ).to_dict()
    with pytest.raises(ResumeError, match="belongs to another network"):
        fit_model(
            model,
            TRAIN,
            VALID,
            settings.training,
            checkpoints=CheckpointFolder(folder, fingerprint),
            resume=True,
        )


@pytest.mark.slow
def test_global_random_states_stay() -> None:
    state, numpys = random.getstate(), np.random.get_state()[1].copy()
    fit(epochs=1)
    assert random.getstate() == state
    np.testing.assert_array_equal(np.random.get_state()[1], numpys)


@pytest.mark.slow
def test_a_real_interruption_keeps_the_best_so_far(tmp_path: Path) -> None:
    process = WarmProcess(SCRIPT, tmp_path, "long")
    while process.poll() is None and not (tmp_path / "long" / FILE).is_file():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 0
    with np.load(tmp_path / "long.npz") as saved:
        assert 1 <= saved["best"] <= saved["history"].shape[1] < 500


@pytest.mark.slow
@pytest.mark.parametrize(("epoch", "replaced"), [(2, False), (5, False), (3, True)])
def test_an_interruption_that_is_swallowed_ends_the_training(
    epoch: int, replaced: bool
) -> None:
    class Swallow(At):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            try:
                super().on_epoch_end(epoch, logs)
            except KeyboardInterrupt:
                if replaced:
                    raise TypeError from None

    def press(model: keras.Model) -> None:
        signal.raise_signal(signal.SIGINT)

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _, result = fit([Swallow(epoch, press)])
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, handler)
    assert result.ended == "interrupted"
    # An epoch that ends in an error counts if it was the best.
    assert len(result.history["loss"]) in (
        {epoch, epoch + 1} if replaced else {epoch + 1}
    )
