"""All checks during whole trainings: patients that must be found, healthy controls.

``TABLE`` lists the findings of each patient. A finding that is missing is a miss; any
finding for a control is a false alarm. Both are counted in :func:`test_the_count`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import keras
import numpy as np
import pytest
from tiny import tiny_dataset, tiny_settings

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.sample import load_sample
from emoclf.datasets.split import Split, split_dataset
from emoclf.doctor.findings import Finding
from emoclf.evaluation.text_tables import align
from emoclf.models import ARCHITECTURES
from emoclf.models.build import build_model
from emoclf.settings import RunSettings
from emoclf.training.batches import Examples
from emoclf.training.fit import TrainingResult, fit_model
from emoclf.workflow.fit_classifier import new_network
from emoclf.workflow.prepare import prepare
from emoclf.workflow.train import train_classifier

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
WORDS = [f"w{number}" for number in range(60)]


def sentences(n: int, length: int = 8) -> list[str]:
    return [" ".join(RNG.choice(WORDS, length)) for _ in range(n)]


def trained(data: Dataset, *callbacks: Any, **flat: Any) -> TrainingResult:
    small = {"epochs": 4, "valid_fraction": 0.4, "test_fraction": 0.0, **flat}
    settings = tiny_settings(**small)
    split = split_dataset(data, settings.data, seed=0)
    trained = train_classifier(split.train, split.valid, settings, callbacks=callbacks)
    return trained.result


def unbalanced() -> TrainingResult:
    """Random texts, of which 608 in 1,000 have one label."""
    labels = np.where(np.arange(500) % 1000 < 304, "anger", "joy")
    data = Dataset.from_lists(sentences(500), RNG.permutation(labels).tolist())
    return trained(data, dropout=0.0, learning_rate=0.001, epochs=3, batch_size=16)


def equal_texts() -> TrainingResult:
    """Equal texts with two labels, 0.608 to 0.392: only the shares can be learnt."""
    labels = ["anger"] * 152 + ["joy"] * 98
    data = Dataset.from_lists([f"it was so {n % 2}" for n in range(250)], labels)
    return trained(data, near_duplicates=1.0, tokenizer="characters", epochs=6,
                   learning_rate=0.005)  # fmt: skip


def nineteen_to_one() -> TrainingResult:
    """Two labels, 19 to 1 in the training set and 1 to 1 in the validation set."""
    train = Dataset.from_lists(
        sentences(200), (["anger"] * 19 + ["joy"]) * 10, label_names=["anger", "joy"]
    )
    valid = Dataset.from_lists(
        sentences(60), ["anger", "joy"] * 30, label_names=["anger", "joy"]
    )
    settings = tiny_settings(epochs=3)
    return train_classifier(train, valid, settings).result


def rare_label() -> TrainingResult:
    """A label of 30 in 600 texts, without any token of its own."""
    labels = np.array(["anger", "joy"] * 285 + ["fear"] * 30)
    texts = [
        f"{text} {'bad' if label == 'anger' else 'good'}"
        for text, label in zip(sentences(600), labels, strict=True)
    ]
    return trained(Dataset.from_lists(texts, labels.tolist()), epochs=3)


def matrix(scale: float = 1.0) -> np.ndarray:
    values = np.random.default_rng(0).normal(0, scale, (40, 6)).astype(np.float32)
    values[0] = 0
    return values


def examples(n: int, length: int = 9) -> Examples:
    rng = np.random.default_rng(n)
    targets = (np.arange(n) % 2).astype(np.int32)
    low = np.where(targets[:, None] == 1, 20, 1)
    return Examples(list((low + rng.integers(0, 19, (n, length))).astype(np.int32)),
                    targets)  # fmt: skip


def fitted(
    vectors: np.ndarray, *callbacks: Any, change: Any = None, **flat: Any
) -> TrainingResult:
    small = {"epochs": 4, "batch_size": 16, "vectors": "given", "embedding": "static"}
    small |= {"patience": 9, "monitor": "loss"}
    architecture = flat.get("architecture", "text_cnn")
    if architecture == "text_cnn":
        small |= {"filters": 8, "kernel_sizes": (3, 4, 5)}
    settings = RunSettings.from_flat(**{**small, **flat})
    model = build_model(settings, n_classes=2, matrix=vectors)
    if change is not None:
        change(model)
    return fit_model(
        model,
        examples(160),
        examples(60),
        settings.training,
        run_settings=settings.flat(),
        callbacks=callbacks,
    )


def dead_from_birth() -> TrainingResult:
    def change(model: keras.Model) -> None:
        for size in (3, 4, 5):
            layer = model.get_layer(f"conv_{size}")
            layer.bias.assign(np.full(8, -50.0))

    return fitted(matrix(), change=change)


def saturated_sigmoid() -> TrainingResult:
    """Filters whose output is always 1, so that their gradient is zero."""

    def change(model: keras.Model) -> None:
        for size in (3, 4, 5):
            model.get_layer(f"conv_{size}").bias.assign(np.full(8, 30.0))

    return fitted(matrix(), activation="sigmoid", change=change)


def huge_rate() -> TrainingResult:
    return fitted(matrix(), learning_rate=50.0, clip_norm=None, max_norm=None)


def large_steps() -> TrainingResult:
    return fitted(matrix(), learning_rate=1.0, max_norm=None, ema=None)


def tiny_rate() -> TrainingResult:
    return fitted(matrix(), learning_rate=1e-8)


def no_information() -> TrainingResult:
    """Vectors that are almost zero, and a learning rate that is too low: [0.5, 0.5]."""
    return fitted(matrix(1e-4), learning_rate=1e-6)


class Rising(keras.callbacks.Callback):
    """Make the learning rate negative, which is like a wrong sign in the loss."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.model.optimizer.learning_rate.assign(-0.05 * (epoch + 1))


def uphill() -> TrainingResult:
    return fitted(matrix(), Rising(), optimizer="sgd", ema=None, epochs=6)


class Poison(keras.callbacks.Callback):
    """Make weights so large that the next outputs overflow."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == 2:
            kernel = self.model.get_layer("conv_4").kernel
            kernel.assign(np.full(kernel.shape, 3e38, np.float32))


def overflow() -> TrainingResult:
    return fitted(matrix(), Poison())


def memorized() -> TrainingResult:
    """Random labels, and no dropout."""
    labels = RNG.choice(["anger", "joy"], 200).tolist()
    data = Dataset.from_lists(sentences(200), labels)
    return trained(data, dropout=0.0, epochs=20, patience=20, max_norm=None,
                   filters=60, learning_rate=0.01)  # fmt: skip


def ended_at_once() -> TrainingResult:
    data = tiny_dataset()
    return trained(data, epochs=1, learning_rate=1e-4)


def cut_short() -> TrainingResult:
    return trained(tiny_dataset(), max_length=2, epochs=1)


def another_language() -> TrainingResult:
    settings = tiny_settings(epochs=1)
    train = tiny_dataset()
    foreign = [f"c'était très {n} hier" for n in range(len(train))]
    valid = Dataset.from_lists(foreign, list(train.labels))
    return train_classifier(train, valid, settings).result


TABLE: dict[Callable[[], TrainingResult], set[str]] = {
    equal_texts: {"stuck-at-prior"},
    rare_label: {"label-never-found"},
    dead_from_birth: {"dead-units"},
    saturated_sigmoid: {"saturated-units", "vanishing-gradients"},
    huge_rate: {"exploding-gradients", "learning-rate-out-of-range"},
    large_steps: {"updates-too-large"},
    tiny_rate: {"updates-too-small", "learning-rate-out-of-range"},
    no_information: {"stuck-at-uniform"},
    uphill: {"loss-rises"},
    overflow: {"loss-not-finite"},
    memorized: {"over-fitting"},
    ended_at_once: {"under-fitting"},
    cut_short: {"texts-cut"},
    another_language: {"texts-unknown"},
    unbalanced: {"class-collapse"},
    nineteen_to_one: {"class-collapse"},
}
# Three seeds of the default network, and the first of the others, unless
# EMOCLF_ALL_CONTROLS=1.
CONTROLS = [
    (name, seed)
    for name in ARCHITECTURES
    for seed in range(3)
    if seed == 0 or name == "text_cnn" or os.environ.get("EMOCLF_ALL_CONTROLS")
]


@cache
def patient(make: Callable[[], TrainingResult]) -> TrainingResult:
    return make()


class Listener(keras.callbacks.Callback):
    """Collect the findings during the training, also those that are dropped later."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def on_finding(self, finding: Finding) -> None:
        self.names.add(finding.name)


@cache
def sample_split(seed: int) -> Split:
    return split_dataset(load_sample(), RunSettings().data, seed=seed)


@cache
def control(architecture: str, seed: int) -> set[str]:
    """Train on the bundled corpus for a few epochs, and return all findings.

    Only the network: the linear classifier of n-grams is fitted after the last check.
    """
    settings = RunSettings.from_flat(
        architecture=architecture, seed=seed, dim=32, vectors=None, epochs=6,
        batch_size=32, learning_rate=0.005, embedding_rate=1.0,
        **ARCHITECTURES[architecture].quick,
    )  # fmt: skip
    split = sample_split(seed)
    prepared = prepare(split.train, split.valid, settings)
    listener = Listener()
    fit_model(
        new_network(prepared, split.train, settings),
        prepared.train,
        prepared.valid,
        settings.training,
        seed=seed,
        label_names=split.train.label_names,
        run_settings=settings.flat(),
        callbacks=[listener],
    )
    return listener.names | {finding.name for finding in prepared.findings}


def names(result: TrainingResult) -> set[str]:
    return {finding.name for finding in result.findings}


@pytest.mark.parametrize("make", TABLE, ids=lambda make: make.__name__)
def test_patients_are_found(make: Callable[[], TrainingResult]) -> None:
    assert TABLE[make] <= names(patient(make))


def test_imbalance_is_named_as_the_cause() -> None:
    (collapse,) = (
        finding
        for finding in patient(nineteen_to_one).findings
        if finding.name == "class-collapse"
    )
    assert "imbalance: 95% of the training texts" in collapse.causes[0]
    assert collapse.cures[0] == "class_weight='balanced'"


@pytest.mark.parametrize("make", TABLE, ids=lambda make: make.__name__)
def test_cures_name_existing_settings(
    make: Callable[[], TrainingResult],
) -> None:
    settings = RunSettings().flat()
    for finding in patient(make).findings:
        for cure in finding.cures:
            name, equals, _ = cure.partition("=")
            assert not (equals and name.isidentifier()) or name in settings, cure


@pytest.mark.parametrize(("architecture", "seed"), CONTROLS)
def test_healthy_controls_have_no_findings(architecture: str, seed: int) -> None:
    assert control(architecture, seed) == set()


def test_a_healthy_training_of_the_whole_workflow_has_no_findings() -> None:
    listener = Listener()
    split, quick = sample_split(0), ARCHITECTURES["text_cnn"].quick
    settings = {"epochs": 6, "batch_size": 32, "learning_rate": 0.005, **quick}
    trained = train_classifier(
        split.train, split.valid, settings, callbacks=[listener], verbose=0
    )
    assert trained.bundle.settings.model.ngrams
    assert listener.names == set()
    assert not trained.result.findings


def test_the_count() -> None:
    """Count misses and false alarms; ``-s`` shows them as a table."""
    rows = [["", "expected", "other findings"]]
    misses = alarms = 0
    for make, expected in TABLE.items():
        findings = names(patient(make))
        misses += len(expected - findings)
        rows.append([make.__name__, ", ".join(sorted(expected)),
                     ", ".join(sorted(findings - expected))])  # fmt: skip
    for architecture, seed in CONTROLS:
        findings = control(architecture, seed)
        alarms += len(findings)
        rows.append([f"{architecture}, seed {seed}", "nothing", ", ".join(findings)])
    print("", *align(rows, left=3), f"{misses} misses, {alarms} false alarms", sep="\n")
    assert (misses, alarms) == (0, 0)


@pytest.mark.parametrize(
    ("hook", "part"),
    [
        ("on_train_batch_end", "emoclf.training.watcher._norm"),
        ("on_epoch_end", "emoclf.doctor.gradients.check_gradients"),
        ("check_result", "emoclf.doctor.training_curves.check_fit"),
    ],
)
def test_an_error_of_the_doctor_never_ends_a_training(
    hook: str,
    part: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(part, fail)
    split = split_dataset(tiny_dataset(), tiny_settings().data)
    result = train_classifier(split.train, split.valid, tiny_settings(epochs=3)).result
    assert result.ended == "all epochs"
    assert len(result.history["val_loss"]) == 3
    records = [x for x in caplog.records if "The doctor failed" in x.message]
    assert len(records) == 1
    assert "a bug" in caplog.text


@pytest.mark.parametrize("name", ["learning-rate-out-of-range", "updates-too-large"])
def test_an_error_of_a_listener_is_raised(name: str) -> None:
    """The first finding comes before the training, the second after an epoch."""

    class Listener(keras.callbacks.Callback):
        def on_finding(self, finding: Finding) -> None:
            if finding.name == name:
                raise ZeroDivisionError("a user's bug")

    split = split_dataset(tiny_dataset(), tiny_settings().data)
    with pytest.raises(ZeroDivisionError, match="a user's bug"):
        train_classifier(
            split.train,
            split.valid,
            tiny_settings(learning_rate=100.0, epochs=3),
            callbacks=[Listener()],
        )
