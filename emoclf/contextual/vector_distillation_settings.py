"""Settings of the distillation of word vectors."""

from __future__ import annotations

from dataclasses import dataclass

from emoclf.settings.base import Settings, option


@dataclass(frozen=True, kw_only=True)
class VectorDistillationSettings(Settings):
    """Distillation of word vectors from an encoder.

    Without scaling, vectors are too large for a network that is initialized for
    word2vec's.
    """

    dim: int = option(
        256, "number of dimensions; principal components if fewer", low=1, high=4096
    )
    center: bool = option(True, "subtract the mean of all words from each")
    frequency_weight: float = option(
        0.0,
        "a in the weight a/(a + p) of a word with the frequency p, such as 0.001; 0: "
        "equal weights",
        low=0.0,
        high=1.0,
    )
    rms: float = option(
        0.12, "root mean square of all numbers after scaling", above=0.0, high=100.0
    )
    batch_size: int = option(64, "texts per call of the encoder", low=1, high=4096)
