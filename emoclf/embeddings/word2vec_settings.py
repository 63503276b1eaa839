"""Settings of word2vec training."""

from __future__ import annotations

from dataclasses import dataclass

from emoclf.settings.base import Settings, option


@dataclass(frozen=True, kw_only=True)
class Word2VecSettings(Settings):
    """Settings of word2vec (Mikolov et al., 2013)."""

    algorithm: str = option(
        "skip-gram", "training algorithm", choices=("skip-gram", "cbow")
    )
    dim: int = option(100, "number of dimensions of a vector", low=1, high=4096)
    window: int = option(5, "context words on each side", low=1)
    negative: int = option(5, "negative samples per context word", low=1)
    sample: float = option(
        1e-3, "threshold for downsampling frequent words", low=0.0, high=1.0
    )
    min_count: int = option(2, "minimum count of a word that gets a vector", low=1)
    epochs: int = option(10, "passes over the texts", low=1)
    learning_rate: float = option(0.025, "initial learning rate", above=0.0)
    seed: int = option(0, "random seed", low=0)
    workers: int = option(
        1, "number of threads; with more than 1, results are not reproducible", low=1
    )
