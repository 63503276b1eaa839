"""Trials per hour: a plain keras-tuner search, emoclf, and emoclf with two workers.

The plain search is the one of keras-tuner's guide: a HyperModel whose ``fit`` gets
arrays padded to the longest text, and ``tuner.search(x, y, epochs=…)``. It is timed
once more on texts that are cut where emoclf cuts them. All searches draw the same
values in the same order from the same space, train every trial for the same number of
epochs on the same texts, and run one after the other in one process. Then emoclf runs
with one and with two worker processes of one thread each, timed from the beginning of
the first trial to the end of the last. ``--trials 0`` leaves out the first comparison,
``--worker-trials 0`` the second.

    EMOCLF_DATA=/path/to/data python tests/benchmarks/search_speed.py --trials 3
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
from keras import layers

from emoclf.batching import pad
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split
from emoclf.settings import RunSettings
from emoclf.tuning.budget import Budget
from emoclf.tuning.chief.strategies import new_oracle
from emoclf.tuning.folder import SearchFolder
from emoclf.tuning.plan import SearchPlan
from emoclf.tuning.results.outcome import Outcome
from emoclf.tuning.search import Listeners, run_search
from emoclf.tuning.space.space import Space
from emoclf.workflow.prepare import Prepared, prepare


def read_split(data: Path) -> Split:
    """Return the training and validation set of ISEAR."""
    parts = []
    for name in ("train", "valid"):
        with open(data / "isear" / f"{name}.csv", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        parts.append(
            Dataset.from_lists([r["text"] for r in rows], [r["label"] for r in rows])
        )
    return Split(parts[0], parts[1])


class Plain(keras_tuner.HyperModel):
    """A TextCNN as tutorials write it, with the settings of a trial."""

    def __init__(self, plan: SearchPlan, prepared: Prepared) -> None:
        super().__init__()
        self.plan = plan
        self.matrix = prepared.matrix
        self.arrays = pad([*prepared.train.token_ids, *prepared.valid.token_ids])
        self.classes = int(prepared.train.targets.max()) + 1

    def settings(self, hp: Any) -> RunSettings:
        return self.plan.space.settings(self.plan.settings, hp.values, seed=0)

    def build(self, hp: Any) -> keras.Model:
        settings = self.settings(hp)
        model = settings.model
        token_ids = keras.Input((self.arrays.shape[1],), dtype="int32")
        modes = {"static": [False], "non-static": [True], "two-channel": [False, True]}
        channels = [
            layers.Embedding(
                *self.matrix.shape,
                keras.initializers.Constant(self.matrix),
                trainable=trainable,
            )(token_ids)
            for trainable in modes[settings.embedding.embedding or "non-static"]
        ]
        embedded = layers.Concatenate()(channels) if len(channels) > 1 else channels[0]
        pooled = [
            layers.GlobalMaxPooling1D()(
                layers.Conv1D(
                    model.filters, size, activation=model.activation, padding="same"
                )(embedded)
            )
            for size in model.kernel_sizes
        ]
        features = layers.Concatenate()(pooled) if len(pooled) > 1 else pooled[0]
        features = layers.Dropout(model.dropout)(features)
        limit = keras.constraints.MaxNorm(model.max_norm) if model.max_norm else None
        probabilities = layers.Dense(
            self.classes, activation="softmax", kernel_constraint=limit
        )(features)
        network = keras.Model(token_ids, probabilities)
        network.compile(
            keras.optimizers.Adam(settings.training.rate),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        return network

    def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        batch = self.settings(hp).training.batch_size
        return model.fit(*args, batch_size=batch, **kwargs)


def time_plain(
    plan: SearchPlan, split: Split, trials: int, folder: Path, *, cut: bool
) -> tuple[float, int]:
    """Return the seconds of a plain search, and the length that texts are padded to."""
    length = None if cut else max(map(len, split.train.texts))
    settings = plan.settings.override(max_length=length)
    prepared = prepare(split.train, split.valid, settings)
    hypermodel = Plain(plan, prepared)
    n = len(split.train)
    x, y = hypermodel.arrays[:n], prepared.train.targets
    # The values that emoclf draws, in the same order.
    name = "cut" if cut else "longest"
    draws = SearchFolder(folder / f"draws-{name}")
    oracle = new_oracle(plan, draws, trials=trials)
    oracle.objective = keras_tuner.Objective("val_accuracy", "max")
    tuner = keras_tuner.Tuner(
        oracle, hypermodel, directory=str(folder), project_name=name
    )
    began = time.perf_counter()
    tuner.search(
        x,
        y,
        epochs=plan.settings.training.epochs,
        validation_data=(hypermodel.arrays[n:], prepared.valid.targets),
        verbose=0,
    )
    return time.perf_counter() - began, hypermodel.arrays.shape[1]


def time_emoclf(plan: SearchPlan, split: Split, trials: int, folder: Path) -> float:
    """Return the seconds until the last trial has ended, including preparations."""
    ends: list[float] = []

    def begun(chief: Any) -> None:
        chief.listeners.ended = lambda outcome: ends.append(time.perf_counter())

    began = time.perf_counter()
    run_search(plan, split, folder, Budget(trials=trials), listeners=Listeners(begun))
    return ends[-1] - began


def time_workers(
    plan: SearchPlan, split: Split, trials: int, folder: Path, workers: int
) -> tuple[float, tuple[Outcome, ...]]:
    """Return the seconds from the first trial's beginning to the last one's end."""
    budget = Budget(trials=trials, workers=workers)
    outcomes = run_search(plan, split, folder, budget).outcomes
    first = min(outcome.began for outcome in outcomes)
    last = max(outcome.began + outcome.seconds for outcome in outcomes)
    return last - first, outcomes


def compare_with_plain(
    plan: SearchPlan, split: Split, trials: int, folder: Path
) -> None:
    """Print the trials per hour of emoclf and of plain searches."""
    emoclf = time_emoclf(plan, split, trials, folder / "emoclf")
    rows = [("emoclf", emoclf)]
    for cut in (False, True):
        plain, length = time_plain(plan, split, trials, folder, cut=cut)
        rows.append((f"plain, {length} tokens", plain))
    for name, seconds in rows:
        rate = 3600 * trials / seconds
        print(
            f"{name:18} {seconds:7.0f} s  {rate:6.1f} trials per hour; emoclf has "
            f"{seconds / emoclf:.2f} times as many",
            flush=True,
        )


def compare_workers(plan: SearchPlan, split: Split, trials: int, folder: Path) -> None:
    """Print the trials per hour of one worker and of two."""
    rates, scores = [], []
    for workers in (1, 2):
        seconds, outcomes = time_workers(
            plan, split, trials, folder / f"w{workers}", workers
        )
        rates.append(trials / seconds)
        scores.append([outcome.scores("macro_f1") for outcome in outcomes])
        rate = 3600 * rates[-1]
        print(f"{workers} worker(s)        {seconds:7.0f} s  {rate:6.1f} per hour")
    same = "the same" if scores[0] == scores[1] else "NOT the same"
    print(f"{'':18} {rates[1] / rates[0]:7.2f} times as many; scores are {same}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--worker-trials", type=int, default=6)
    args = parser.parse_args()
    data = Path(os.environ["EMOCLF_DATA"])
    settings = RunSettings.from_flat(
        vectors=str(data / "vectors" / "imdb-w2v-300-cut.bin"),
        epochs=args.epochs,
        patience=99,
    )
    plan = SearchPlan(
        settings, Space.load("text_cnn"), kind="seeds", repeats=1, prune=False
    )
    split = read_split(data)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.trials:
            compare_with_plain(plan, split, args.trials, folder)
        if args.worker_trials:
            compare_workers(plan, split, args.worker_trials, folder)
    print(f"epochs {args.epochs}, trials {args.trials}, NumPy {np.__version__}")


if __name__ == "__main__":
    main()
