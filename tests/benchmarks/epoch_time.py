"""Compare the time of an epoch with that of a naive TextCNN; run as a script.

The naive network is that of most tutorials: an Embedding for each kernel size, every
text padded to the longest, plain ``model.fit`` on arrays. Batch size, filters, kernel
sizes, dropout and learning rate are equal, both evaluate the validation set after every
epoch, and both run in turns in one process, so that ratios hold on a busy machine.

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
    """Read the training and the validation set; without a corpus, draw them."""
    folder = Path(os.environ.get("EMOCLF_DATA", "")) / name
    if "EMOCLF_DATA" not in os.environ or not folder.is_dir():
        return (
            draw_texts(5300, 0),
            draw_texts(1300, 1),
            "random ids, lengths as in ISEAR",
        )
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


def draw_texts(count: int, seed: int) -> Examples:
    """Draw texts of 25 tokens on average, 180 at most; token ids follow Zipf's law."""
    rng = np.random.default_rng(seed)
    lengths = np.clip(rng.lognormal(3.0, 0.65, count), 1, 180).astype(int)
    ids = [np.clip(rng.zipf(1.2, n), 1, 9000).astype(np.int32) + 1 for n in lengths]
    return Examples(ids, rng.integers(0, 7, count).astype(np.int32))


class Clock(keras.callbacks.Callback):
    """Wall and CPU seconds of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[np.ndarray] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self.start = np.array([time.perf_counter(), time.process_time()])

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        now = np.array([time.perf_counter(), time.process_time()])
        self.epochs.append(now - self.start)


def time_emoclf(
    mode: str, train: Examples, valid: Examples, matrix: np.ndarray
) -> list[np.ndarray]:
    """Return the times of all epochs but the first, which traces the network."""
    settings = SETTINGS.override(embedding=mode)
    model = build_model(settings, n_classes=count_classes(train), matrix=matrix)
    clock = Clock()
    fit_model(model, train, valid, settings.training, callbacks=[clock])
    return clock.epochs[1:]


class Naive:
    """TextCNN with an embedding for each kernel size and all texts padded alike."""

    def __init__(self, train: Examples, valid: Examples, matrix: np.ndarray) -> None:
        padded = pad([*train.token_ids, *valid.token_ids])
        self.train = (padded[: len(train)], train.targets)
        self.valid = (padded[len(train) :], valid.targets)
        token_ids = keras.Input((padded.shape[1],), dtype="int32")
        pooled = []
        for size in SETTINGS.model.kernel_sizes:
            initializer = keras.initializers.Constant(matrix)
            embedded = layers.Embedding(*matrix.shape, initializer)(token_ids)
            ngrams = layers.Conv1D(SETTINGS.model.filters, size, activation="relu")
            pooled.append(layers.GlobalMaxPooling1D()(ngrams(embedded)))
        features = layers.Dropout(SETTINGS.model.dropout)(layers.Concatenate()(pooled))
        classes = count_classes(train)
        probabilities = layers.Dense(classes, activation="softmax")(features)
        self.model = keras.Model(token_ids, probabilities)
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
    parser.add_argument("--rounds", type=int, default=3, help="number of turns")
    rounds = parser.parse_args().rounds
    train, valid, source = read_corpus()
    lengths = np.array([len(row) for row in train.token_ids])
    size = 1 + max(int(row.max(initial=1)) for row in train.token_ids)
    print(
        f"{source}: {len(train)} training texts, {len(valid)} validation texts, {size} "
        f"words, {lengths.mean():.1f} tokens on average, {lengths.max()} at most"
    )
    matrix = np.random.default_rng(0).uniform(-0.25, 0.25, (size, DIM))
    matrix[0] = 0
    naive = Naive(train, valid, matrix.astype(np.float32))
    naive.time_epoch()
    times: dict[str, list[np.ndarray]] = {"naive": [], "static": [], "non-static": []}
    for _ in range(rounds):
        times["naive"] += naive.time_epoch()
        for mode in ("static", "non-static"):
            times[mode] += time_emoclf(mode, train, valid, matrix.astype(np.float32))
    naive_mean = np.mean(times["naive"], axis=0)
    print(f"{'one epoch':<12} {'wall s':>7} {'cpu s':>7} {'wall':>9} {'cpu':>7}")
    for name, epochs in times.items():
        print(report(name, epochs, naive_mean))


if __name__ == "__main__":
    main()
