"""A corpus and a classifier that are small enough to be made in a second."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split, split_dataset
from emoclf.export.folded import export_folded
from emoclf.settings import RunSettings
from emoclf.workflow.train import train_classifier
from emoclf.workflow.trained_classifier import TrainedClassifier

WORDS = {
    "anger": ("furious", "insult", "unfair", "shouted"),
    "fear": ("dark", "trembling", "alone", "threat"),
    "joy": ("lovely", "won", "smiling", "gift"),
}
PLACES = ("at home", "in the street", "at school", "on the train", "by the river")


def tiny_dataset() -> Dataset:
    """Return 60 short texts with three labels, told apart by single words."""
    texts, labels = [], []
    for label, words in WORDS.items():
        for word in words:
            for place in PLACES:
                texts.append(f"it was {word} {place}")
                labels.append(label)
    return Dataset.from_lists(texts, labels)


def tiny_settings(**flat: object) -> RunSettings:
    """Return settings under which the tiny corpus is learnt in a second.

    With vectors the width of a random embedding is left out.
    """
    values: dict[str, object] = {
        "filters": 8,
        "kernel_sizes": (1, 2),
        "dim": 12,
        "epochs": 12,
        "batch_size": 8,
        "learning_rate": 0.02,
        "near_duplicates": 1.0,
        # An average of a few dozen steps lags behind more than it smooths.
        "ema": None,
    }
    if "architecture" not in flat:
        values["ngrams"] = False
    if flat.get("vectors") is not None:
        del values["dim"]
    return RunSettings.from_flat(**{**values, **flat})


def tiny_split() -> Split:
    """Return the three parts of the tiny corpus."""
    return split_dataset(tiny_dataset(), tiny_settings().data, seed=0)


@cache
def tiny_trained() -> TrainedClassifier:
    """Return a classifier of the tiny corpus, trained once for all tests."""
    split = tiny_split()
    return train_classifier(split.train, split.valid, tiny_settings())


def tiny_folded(folder: Path) -> Path:
    """Write an export of the tiny classifier that NumPy alone runs."""
    export = folder / "tiny.folded"
    export.mkdir(parents=True)
    for name, content in _folded_files().items():
        (export / name).write_bytes(content)
    return export


@cache
def _folded_files() -> dict[str, bytes]:
    """Return the files of the export by name."""
    with TemporaryDirectory() as folder:
        export = export_folded(tiny_trained().predictor, Path(folder) / "export")
        return {path.name: path.read_bytes() for path in export.iterdir()}
