"""The corpus that comes with the package, so that every example runs offline."""

from __future__ import annotations

from importlib.resources import as_file, files

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.tables import read_dataset


def load_sample() -> Dataset:
    """Return the bundled sentences with their emotions."""
    with as_file(files(__name__) / "emotions.csv") as path:
        return read_dataset(path)
