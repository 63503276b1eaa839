"""Measure the share of a training's time that the doctor's callback takes.

On a busy machine epochs differ by more than the callback takes, so its own time is
added up and divided by that of the same epochs.

    EMOCLF_DATA=FOLDER python tests/benchmarks/monitor_cost.py text_cnn bilstm
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

from emoclf.datasets.sample import load_sample
from emoclf.datasets.split import split_dataset
from emoclf.datasets.split_files import read_split
from emoclf.settings import RunSettings
from emoclf.training.monitor import Monitor
from emoclf.workflow.fit_classifier import fit_prepared
from emoclf.workflow.prepare import prepare

METHODS = (
    "on_epoch_begin",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_epoch_end",
    "check_result",
)


class Clock:
    """Total time spent in some methods of a class."""

    def __init__(self, owner: type, names: tuple[str, ...]) -> None:
        self.seconds = 0.0
        for name in names:
            setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, method: Any) -> Any:
        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return method(*args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - start

        return timed


def main() -> None:
    """Print one line for each architecture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("architectures", nargs="*", default=["text_cnn"])
    parser.add_argument("--epochs", type=int, default=4)
    args = parser.parse_args()
    flat: dict[str, Any] = {"epochs": args.epochs, "patience": args.epochs}
    folder = os.environ.get("EMOCLF_DATA")
    if folder:
        flat["vectors"] = str(Path(folder) / "vectors/imdb-w2v-300-cut.bin")
    settings = RunSettings.from_flat(**flat)
    if folder:
        _, split = read_split(Path(folder) / "isear/train.csv", settings.data)
    else:
        split = split_dataset(load_sample(), settings.data, seed=0)
    prepared = prepare(split.train, split.valid, settings)
    clock = Clock(Monitor, METHODS)
    for name in args.architectures:
        clock.seconds = 0.0
        network = settings.override(architecture=name)
        seconds = fit_prepared(prepared, split.train, network).result.seconds
        share = clock.seconds / seconds
        print(f"{name}: {clock.seconds:.2f} of {seconds:.1f} s, {share:.1%}")


if __name__ == "__main__":
    main()
