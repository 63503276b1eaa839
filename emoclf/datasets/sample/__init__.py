"""The corpus in the package, with which every example runs offline."""

from __future__ import annotations

from pathlib import Path

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.readers import read_dataset


def sample_path() -> Path:
    """Return the path of the bundled CSV file."""
    return Path(__file__).with_name("emotions.csv")


def load_sample() -> Dataset:
    """Return the bundled sentences with their emotions."""
    return read_dataset(sample_path())
