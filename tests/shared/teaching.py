"""Texts that a tiny encoder learns, and a fine-tuning that a test kills.

``teaching.py ENCODER FOLDER STEP`` kills itself after a step; STEP 0: resume.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np

from emoclf.datasets.dataset import Dataset

FILLERS = "the a it was is at and so".split()
CLASSES = {"happy": "joy", "sad": "sadness"}
#: Settings with which a tiny random encoder learns.
SETTINGS = {
    "epochs": 12,
    "learning_rate": 5e-3,
    "batch_size": 8,
    "patience": 12,
    "held_out": 0.2,
}


def teachable(n: int = 80, *, multilabel: bool = False) -> Dataset:
    """Return texts of four words, of which one, or two, tell the labels."""
    rng = np.random.default_rng(0)
    texts: list[str] = []
    labels: list[object] = []
    words = list(CLASSES)
    while len(texts) < n:
        chosen = [words[len(texts) % 2]]
        if multilabel:
            chosen = words[: len(texts) % 3] if len(texts) % 4 else words[1:]
        text = [*rng.choice(FILLERS, 4 - len(chosen)), *chosen]
        rng.shuffle(text)
        texts.append(" ".join(text))
        names = [CLASSES[word] for word in chosen]
        labels.append(names if multilabel else names[0])
    return Dataset.from_lists(texts, labels)


def main(encoder: str, folder: Path, step: int) -> None:
    from emoclf.contextual.fine_tune import fine_tune_encoder

    def progress(done: int, total: int) -> None:
        if done == step:
            os.kill(os.getpid(), signal.SIGKILL)

    classifier = fine_tune_encoder(
        teachable(),
        encoder,
        SETTINGS | {"epochs": 3, "saved_steps": 3},
        checkpoint=folder / "run",
        resume=not step,
        progress=progress,
    )
    classifier.save(folder / "teacher")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
