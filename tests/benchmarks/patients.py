"""Train the sources' networks in today's Keras, to see whether and why they fail.

Each network of ``tests/shared/patients.py`` is trained as it was found: every text
padded to 179, plain ``fit``, one-hot labels. The table shows the accuracy by the
likeliest class, the share of outputs that reach 0.5, and the findings of emoclf.doctor.

    EMOCLF_DATA=FOLDER python tests/benchmarks/patients.py --epochs 5
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "shared"))
from patients import LENGTH, PATIENTS, stacked_lstm

from emoclf import check_model
from emoclf.datasets.sample import load_sample
from emoclf.datasets.split import Split, split_dataset
from emoclf.datasets.split_files import read_split
from emoclf.doctor.gradients import check_units
from emoclf.doctor.predictions import check_collapse, check_stuck
from emoclf.evaluation.text_tables import align
from emoclf.settings import RunSettings
from emoclf.training.watcher import WatchedUnits, class_shares
from emoclf.workflow.prepare import Prepared, prepare

#: The sources' networks, and one of them with single mistakes corrected.
ROWS: dict[str, Any] = {
    **{name: build for name, (build, _) in PATIENTS.items()},
    "stacked_lstm, one softmax": partial(stacked_lstm, squeezed=False),
    "stacked_lstm, masked": partial(stacked_lstm, mask=True),
    "stacked_lstm, both": partial(stacked_lstm, squeezed=False, mask=True),
}


def split_and_settings() -> tuple[Split, RunSettings]:
    """Return ISEAR with word vectors, or the bundled corpus without."""
    folder = os.environ.get("EMOCLF_DATA")
    if not folder:
        settings = RunSettings()
        return split_dataset(load_sample(), settings.data, seed=0), settings
    root = Path(folder)
    settings = RunSettings.from_flat(
        vectors=str(root / "vectors/imdb-w2v-300-cut.bin"), vector_words=0
    )
    _, split = read_split(
        root / "isear/train.csv", settings.data, test=root / "isear/valid.csv"
    )
    return split, settings


def padded(prepared: Prepared, texts: Any) -> np.ndarray:
    """Pad on the right, as the sources did."""
    ids = prepared.encoder.encode(list(texts))
    return keras.utils.pad_sequences(
        ids, LENGTH, padding="post", truncating="post", value=0
    )


def main() -> None:
    """Train every network, and print one row for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--names", nargs="*", default=list(ROWS))
    args = parser.parse_args()
    split, settings = split_and_settings()
    prepared = prepare(split.train, split.valid, settings)
    test = split.test
    assert test is not None
    names = split.train.label_names
    prior = class_shares(split.train.label_ids, len(names))
    inputs, test_inputs = (
        padded(prepared, split.train.texts),
        padded(prepared, test.texts),
    )
    one_hot = np.eye(len(names), dtype=np.float32)[split.train.label_ids]
    rows = [["", "loss", "accuracy", "reach 0.5", "commonest", "s/epoch", "findings"]]
    for name in args.names:
        keras.utils.set_random_seed(0)
        model = ROWS[name](prepared.matrix, len(names))
        model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
        findings = [finding.name for finding in check_model(model, one_hot)]
        began = time.perf_counter()
        history = model.fit(
            inputs, one_hot, epochs=args.epochs, batch_size=50, verbose=0
        ).history
        seconds = (time.perf_counter() - began) / args.epochs
        outputs = model.predict(test_inputs, batch_size=256, verbose=0)
        chosen = outputs.argmax(1)
        probabilities = outputs / outputs.sum(1, keepdims=True)
        after = [
            check_collapse(chosen, test.label_ids, names, prior=prior),
            check_stuck(probabilities, test.label_ids, prior=prior),
        ]
        after += check_units(*WatchedUnits(model, inputs[:256]).shares())
        findings += [finding.name for finding in after if finding]
        rows.append(
            [
                name,
                f"{history['loss'][0]:.2f} to {history['loss'][-1]:.2f}",
                f"{(chosen == test.label_ids).mean():.3f}",
                f"{(outputs >= 0.5).mean():.0%}",
                f"{np.bincount(chosen).max() / len(chosen):.0%}",
                f"{seconds:.0f}",
                ", ".join(findings) or "none",
            ]
        )
        print(align(rows)[-1], flush=True)
    print(*align(rows), sep="\n")


if __name__ == "__main__":
    main()
