"""A small training that a test kills: ``killed_run.py FOLDER VARIANT [--resume]``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from emoclf.models.build import build_model
from emoclf.settings import RunSettings
from emoclf.training.batches import Examples
from emoclf.training.checkpoint import CheckpointFolder
from emoclf.training.fit import fit_model

VARIANTS = {
    "plain": {"patience": 3},
    "ema": {"ema": 0.9, "patience": 12, "schedule": "plateau"},
    "cosine": {"patience": 12, "schedule": "cosine", "embedding": "two-channel"},
    "long": {"patience": 500, "epochs": 500},
}
EPOCHS = 12


def examples(seed: int, count: int) -> Examples:
    rng = np.random.default_rng(seed)
    ids = [
        rng.integers(1, 40, rng.integers(2, 30)).astype(np.int32) for _ in range(count)
    ]
    targets = np.array([int(row.max() > 37) for row in ids], np.int32)
    return Examples(ids, targets)


def main(folder: Path, variant: str, resume: bool) -> None:
    small = {"vectors": "given", "epochs": EPOCHS, "batch_size": 8, "filters": 6}
    settings = RunSettings.from_flat(**{**small, **VARIANTS[variant]})
    matrix = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
    matrix[0] = 0
    model = build_model(settings, n_classes=2, matrix=matrix)
    result = fit_model(
        model,
        examples(1, 200),
        examples(2, 60),
        settings.training,
        seed=settings.seed,
        checkpoints=CheckpointFolder(
            folder / variant, {"settings": settings.to_dict()}
        ),
        resume=resume,
    )
    weights = {weight.path: weight.numpy() for weight in model.weights}
    history = {
        name: values for name, values in result.history.items() if name != "seconds"
    }
    np.savez(
        folder / f"{variant}.npz",
        best=result.best_epoch,
        history=np.array([history[name] for name in sorted(history)]),
        **weights,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], "--resume" in sys.argv)
