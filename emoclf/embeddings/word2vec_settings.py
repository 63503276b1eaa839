"""How word2vec is trained."""

from __future__ import annotations

from dataclasses import dataclass

from emoclf.settings.base import Settings, option


@dataclass(frozen=True, kw_only=True)
class Word2VecSettings(Settings):
    """Settings of word2vec (Mikolov et al., 2013)."""

    algorithm: str = option(
        "skip-gram", "skip-gram or CBOW", choices=("skip-gram", "cbow")
    )
    dim: int = option(100, "width of a vector", low=1, high=4096)
    window: int = option(5, "words looked at on each side", low=1)
    negative: int = option(5, "words drawn against each one seen", low=1)
    sample: float = option(
        1e-3, "frequency above which words are left out at times", low=0.0, high=1.0
    )
    min_count: int = option(2, "leave out rarer words", low=1)
    epochs: int = option(10, "passes over the texts", low=1)
    learning_rate: float = option(0.025, "step size at the start", above=0.0)
    seed: int = option(0, "drives the first vectors and all draws", low=0)
    workers: int = option(
        1, "threads; with more than one, results differ from run to run", low=1
    )
