"""A small distillation that kills itself: ``killed_distillation.py OUTPUT WHEN``.

``WHEN`` is "never", "predictions" (in the middle of the teacher's predictions), or
"first" or "last" (in the middle of a stage).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from small_teacher import WordTeacher
from tiny import tiny_dataset, tiny_settings, tiny_split

from emoclf.distillation import teacher_predictions
from emoclf.distillation.distillation_run import run_distillation
from emoclf.distillation.distillation_settings import DistillationSettings

EPOCHS = {"first": 7, "last": 5}
N_CHOSEN = 40
UNLABELLED = [
    *(f"a splendid gift in the dark, number {i}" for i in range(N_CHOSEN)),
    *(f"stock {i} closed at {i} points" for i in range(30)),
]


class MortalTeacher(WordTeacher):
    """Kills the process in its third chunk."""

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        if len(self.texts) >= 32:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().predict_proba(texts)


class Kill(keras.callbacks.Callback):
    """Kills the process in the fourth epoch of a stage of so many epochs."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.epochs = epochs

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.params["epochs"] == self.epochs and epoch == 3:
            os.kill(os.getpid(), signal.SIGKILL)


def distillation_settings(last_epochs: int) -> DistillationSettings:
    return DistillationSettings(last_epochs=last_epochs, max_unlabelled=N_CHOSEN)


def main(output: Path, when: str) -> None:
    teacher_predictions.CHUNK_TEXTS = 16
    resume = output.with_name(f"{output.name}.checkpoint").exists()
    run_distillation(
        tiny_dataset(),
        tiny_split(),
        tiny_settings(epochs=EPOCHS["first"]),
        teacher=MortalTeacher() if when == "predictions" else WordTeacher(),
        unlabelled=UNLABELLED,
        output=output,
        distillation=distillation_settings(last_epochs=EPOCHS["last"]),
        resume=resume,
        callbacks=[Kill(EPOCHS[when])] if when in EPOCHS else (),
        verbose=False,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
