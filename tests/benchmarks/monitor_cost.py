"""What does the doctor cost? Epochs with it and without it, in turns.

EMOCLF_DATA=FOLDER python tests/benchmarks/monitor_cost.py --rounds 3
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from statistics import median
from typing import Any

from emoclf.datasets.sample import load_sample
from emoclf.datasets.split import split_dataset
from emoclf.job import read_parts
from emoclf.pipeline import fit_prepared, prepare
from emoclf.settings import RunSettings
from emoclf.training import train as training
from emoclf.training.monitor import Monitor


class Blind(Monitor):
    """A monitor that neither looks nor speaks."""

    def _nothing(self, *args: Any, **kwargs: Any) -> None:
        return None

    on_epoch_begin = on_epoch_end = _nothing
    on_train_batch_begin = on_train_batch_end = _nothing
    tell = last_word = _nothing


def main() -> None:
    """Print the median time of an epoch, both ways."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--architecture", default="text_cnn")
    args = parser.parse_args()
    flat: dict[str, Any] = {"epochs": args.epochs, "patience": args.epochs}
    flat["architecture"] = args.architecture
    folder = os.environ.get("EMOCLF_DATA")
    if folder:
        root = Path(folder)
        flat["vectors"] = str(root / "vectors/imdb-w2v-300-cut.bin")
        settings = RunSettings.from_flat(**flat)
        _, split = read_parts(root / "isear/train.csv", settings.data)
    else:
        settings = RunSettings.from_flat(**flat)
        split = split_dataset(load_sample(), settings.data, seed=0)
    prepared = prepare(split.train, split.valid, settings)
    seconds: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(args.rounds):
        for name, kind in (("with", Monitor), ("without", Blind)):
            training.Monitor = kind  # type: ignore[misc]
            result = fit_prepared(prepared, split.train, settings).result
            # The first epoch traces the graphs.
            seconds[name] += result.history["seconds"][1:]
    with_it, without = median(seconds["with"]), median(seconds["without"])
    print(f"{args.architecture}: {with_it:.3f} s an epoch with the doctor, "
          f"{without:.3f} s without: {with_it / without - 1:+.1%}")  # fmt: skip


if __name__ == "__main__":
    main()
