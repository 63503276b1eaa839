"""Settings of a tagger of aspect terms."""

from __future__ import annotations

from dataclasses import dataclass

from emoclf.aspects.data.tags import SCHEMES
from emoclf.settings import TextSettings, TrainSettings
from emoclf.settings.base import option
from emoclf.settings.sections import SCHEDULES, WordVectorSettings

NETWORKS = ("bilstm", "cnn")


@dataclass(frozen=True, kw_only=True)
class SharedSettings(WordVectorSettings):
    """Settings that the tagger and the polarity classifier have in common."""

    min_count: int = option(1, "minimum count of a token in the vocabulary", low=1)
    vector_words: int = option(
        20000, "number of words of the vectors to add to the vocabulary", low=0
    )
    embedding_rate: float = option(
        0.25, "learning rate of the embedding, relative to the learning rate", low=0.0
    )
    ema: float | None = option(
        0.99,
        "decay of the weight average; none: use the last weights",
        low=0,
        high=0.99999,
    )
    valid_fraction: float = option(
        0.1, "share of the sentences in the validation set", above=0.0, high=0.9
    )
    near_duplicates: float = option(
        0.8,
        "smallest Jaccard similarity of near-duplicates, which stay in the same set",
        low=0.1,
        high=1.0,
    )
    seed: int = option(0, "random seed", low=0, high=2**31 - 1)

    @property
    def training(self) -> TrainSettings:
        """Settings of the training: those that have the same name."""
        names = {*TrainSettings.names()} & {*self.names()}
        return TrainSettings(**{name: getattr(self, name) for name in names})


@dataclass(frozen=True, kw_only=True)
class AspectSettings(SharedSettings):
    """Settings of a tagger: its embedding, its network and its training.

    ``bilstm`` is after Lample et al. (2016) and Ma and Hovy (2016), ``cnn`` after Xu et
    al. (2018), "Double Embeddings and CNN-based Sequence Labeling for Aspect
    Extraction". ``tests/benchmarks/README.md`` has the scores of the defaults on
    SemEval-2014.
    """

    network: str = option("bilstm", "network of the tagger", choices=NETWORKS)
    scheme: str = option("BIO", "scheme of the tags", choices=SCHEMES)
    typed: bool = option(
        False, "put the labels of terms into the tags (B-food), to predict them too"
    )
    crf: bool = option(
        True, "score sequences of tags with a CRF; no: score each tag by itself"
    )
    members: int = option(
        1, "number of networks whose scores are averaged", low=1, high=20
    )
    lowercase: bool = option(
        True, "convert tokens to lower case, but not the characters that are read"
    )
    characters: bool = option(True, "read the characters of each token as well")
    character_dim: int = option(25, "dimensions of a character vector", low=1, high=512)
    character_filters: int = option(
        30, "filters over the characters of a token", low=1, high=1024
    )
    units: int = option(100, "units of the LSTM per direction", low=1, high=4096)
    filters: int = option(256, "filters of each layer of the CNN", low=2, high=4096)
    layers: int = option(4, "layers of the CNN", low=1, high=12)
    input_dropout: float = option(
        0.5, "dropout rate between embedding and first layer", low=0.0, high=0.95
    )
    dropout: float = option(
        0.5, "dropout rate between layers and before the tags", low=0.0, high=0.95
    )
    epochs: int = option(30, "maximum number of epochs", low=1)
    batch_size: int = option(16, "sentences per training step", low=1)
    learning_rate: float = option(2e-3, "learning rate", above=0.0)
    schedule: str = option("constant", "learning-rate schedule", choices=SCHEDULES)
    clip_norm: float | None = option(
        5.0, "maximum global norm of the gradients; none: no clipping", above=0.0
    )
    patience: int = option(6, "epochs without improvement until early stopping", low=1)

    @property
    def text(self) -> TextSettings:
        """Settings of the tokenizer and the vocabulary."""
        # Texts are never cut: every token gets a tag.
        return TextSettings(
            lowercase=self.lowercase, min_count=self.min_count, max_length=2**31 - 1
        )
