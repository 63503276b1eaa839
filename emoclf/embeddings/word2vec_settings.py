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
    dim: int = option(100, "width of a vector", low=1, high=4096)
    window: int = option(5, "number of context words on each side", low=1)
    negative: int = option(5, "number of negative samples per word", low=1)
    sample: float = option(
        1e-3, "frequency above which words are downsampled", low=0.0, high=1.0
    )
    min_count: int = option(2, "minimum count; rarer words are left out", low=1)
    epochs: int = option(10, "number of passes over the texts", low=1)
    learning_rate: float = option(0.025, "initial learning rate", above=0.0)
    seed: int = option(0, "seed of the initial vectors and all draws", low=0)
    workers: int = option(
        1,
        "number of threads; with more than one, results differ from run to run",
        low=1,
    )
