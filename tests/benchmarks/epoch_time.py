"""Time one training epoch against the naive way; run as a script.

The naive way is what most TextCNN tutorials do: an Embedding for each kernel, every
text padded to the longest, plain ``model.fit`` on arrays. Batch size, filters, kernel
sizes, dropout and learning rate are equal, both judge the validation part after every
epoch, and both run in turns in one process, so that the ratios hold on a busy machine.

    EMOCLF_DATA=/path/to/data python tests/benchmarks/epoch_time.py --rounds 3
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from keras import layers

from emoclf.batching import pad
from emoclf.models.build import build_model
from emoclf.settings import RunSettings
from emoclf.training.batches import Examples
from emoclf.training.fit import fit_model

DIM = 300
SETTINGS = RunSettings.from_flat(vectors="given", epochs=3, patience=99)
WORD = re.compile(r"\w+|[^\w\s]")


def read_corpus(name: str = "isear") -> tuple[Examples, Examples, str]:
    """Read ids and targets of both parts; make them up when there is no corpus."""
    folder = Path(os.environ.get("EMOCLF_DATA", "")) / name
    if "EMOCLF_DATA" not in os.environ or not folder.is_dir():
        return made_up(5300, 0), made_up(1300, 1), "made-up ids, lengths as in ISEAR"
    rows = {}
    for part in ("train", "valid"):
        with open(folder / f"{part}.csv", encoding="utf-8", newline="") as stream:
            rows[part] = [(r["text"], r["label"]) for r in csv.DictReader(stream)]
    words: dict[str, int] = {}
    for text, _ in rows["train"]:
        for word in WORD.findall(text.lower()):
            words.setdefault(word, len(words) + 2)
    labels = sorted({label for _, label in rows["train"]})
    parts = []
    for texts in rows.values():
        ids = [[words.get(w, 1) for w in WORD.findall(t.lower())] for t, _ in texts]
        targets = np.array([labels.index(label) for _, label in texts], np.int32)
        parts.append(Examples([np.array(row, np.int32) for row in ids], targets))
    return parts[0], parts[1], str(folder)


def made_up(count: int, seed: int) -> Examples:
    """Return texts of 25 tokens in the mean, 180 at most; words follow Zipf."""
    rng = np.random.default_rng(seed)
    lengths = np.clip(rng.lognormal(3.0, 0.65, count), 1, 180).astype(int)
    ids = [np.clip(rng.zipf(1.2, n), 1, 9000).astype(np.int32) + 1 for n in lengths]
    return Examples(ids, rng.integers(0, 7, count).astype(np.int32))


class Clock(keras.callbacks.Callback):
    """Note the wall and the CPU seconds of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[np.ndarray] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self.began = np.array([time.perf_counter(), time.process_time()])

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        now = np.array([time.perf_counter(), time.process_time()])
        self.epochs.append(now - self.began)


def time_emoclf(
    mode: str, train: Examples, valid: Examples, matrix: np.ndarray
) -> list[np.ndarray]:
    """Fit for some epochs; the first one, which traces, does not count."""
    settings = SETTINGS.override(embedding=mode)
    model = build_model(settings, n_classes=count_classes(train), matrix=matrix)
    clock = Clock()
    fit_model(model, train, valid, settings.training, callbacks=[clock])
    return clock.epochs[1:]


class Naive:
    """An embedding for each kernel, everything as long as the longest text."""

    def __init__(self, train: Examples, valid: Examples, matrix: np.ndarray) -> None:
        together = pad([*train.token_ids, *valid.token_ids])
        self.train = (together[: len(train)], train.targets)
        self.valid = (together[len(train) :], valid.targets)
        token_ids = keras.Input((together.shape[1],), dtype="int32")
        pooled = []
        for size in SETTINGS.model.kernel_sizes:
            start = keras.initializers.Constant(matrix)
            embedded = layers.Embedding(*matrix.shape, start)(token_ids)
            ngrams = layers.Conv1D(SETTINGS.model.filters, size, activation="relu")
            pooled.append(layers.GlobalMaxPooling1D()(ngrams(embedded)))
        features = layers.Dropout(SETTINGS.model.dropout)(layers.Concatenate()(pooled))
        classes = count_classes(train)
        answer = layers.Dense(classes, activation="softmax")(features)
        self.model = keras.Model(token_ids, answer)
        optimizer = keras.optimizers.Adam(SETTINGS.training.rate)
        self.model.compile(
            optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"]
        )

    def time_epoch(self) -> list[np.ndarray]:
        clock = Clock()
        self.model.fit(
            *self.train,
            validation_data=self.valid,
            batch_size=SETTINGS.training.batch_size,
            callbacks=[clock],
            verbose=0,
        )
        return clock.epochs


def count_classes(examples: Examples) -> int:
    return int(examples.targets.max()) + 1


def report(name: str, epochs: Sequence[np.ndarray], naive: np.ndarray) -> str:
    wall, cpu = np.mean(epochs, axis=0)
    ratios = f"{naive[0] / wall:8.1f}x {naive[1] / cpu:6.1f}x"
    return f"{name:<12} {wall:7.2f} {cpu:7.2f} {ratios}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="turns of each way")
    rounds = parser.parse_args().rounds
    train, valid, source = read_corpus()
    lengths = np.array([len(row) for row in train.token_ids])
    size = 1 + max(int(row.max(initial=1)) for row in train.token_ids)
    print(
        f"{source}: {len(train)} texts to fit, {len(valid)} to judge, {size} words, "
        f"{lengths.mean():.1f} tokens in the mean, {lengths.max()} at most"
    )
    matrix = np.random.default_rng(0).uniform(-0.25, 0.25, (size, DIM))
    matrix[0] = 0
    naive = Naive(train, valid, matrix.astype(np.float32))
    naive.time_epoch()
    found: dict[str, list[np.ndarray]] = {"naive": [], "static": [], "non-static": []}
    for _ in range(rounds):
        found["naive"] += naive.time_epoch()
        for mode in ("static", "non-static"):
            found[mode] += time_emoclf(mode, train, valid, matrix.astype(np.float32))
    slow = np.mean(found["naive"], axis=0)
    print(f"{'one epoch':<12} {'wall s':>7} {'cpu s':>7} {'wall':>9} {'cpu':>7}")
    for name, epochs in found.items():
        print(report(name, epochs, slow))


if __name__ == "__main__":
    main()
