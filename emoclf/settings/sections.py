"""The settings of every stage but the network, in the order that data travels."""

from __future__ import annotations

from dataclasses import dataclass

from emoclf.evaluation.metric_names import MAIN_METRIC, MONITORS
from emoclf.settings.base import Settings, option

TOKENIZERS = ("words", "characters", "jieba")
EMBEDDINGS = ("random", "static", "non-static", "two-channel")
LOSSES = ("cross-entropy", "focal", "mse")
# The learning rate that suits each optimizer where none is given.
RATES = {
    "adam": 1e-3,
    "adamw": 1e-3,
    "rmsprop": 1e-3,
    "sgd": 0.1,
    "momentum": 0.05,
    "adadelta": 1.0,
}
SCHEDULES = ("constant", "cosine", "exponential", "plateau")


@dataclass(frozen=True, kw_only=True)
class DataSettings(Settings):
    """Where texts and labels stand in a file, and how they are split.

    The three parts are stratified and keep duplicates and near-duplicates of a text
    on one side.
    """

    text_column: str | None = option(None, "column of the texts; found by its name")
    label_column: str | None = option(None, "column of the labels; found by its name")
    split_column: str | None = option(
        None, "column that says train, valid or test for each row"
    )
    label_separator: str | None = option(
        None, "splits a cell into several labels, for instance ','"
    )
    label_names: dict | None = option(
        None, "names for labels that are only numbers in the file: 0=anger,1=joy"
    )
    encoding: str = option("utf-8", "encoding of the file")
    skip_bad_rows: bool = option(False, "drop and count rows that cannot be used")
    valid_fraction: float = option(
        0.17, "share of the texts that chooses the epoch", low=0.0, high=0.9
    )
    test_fraction: float = option(
        0.15, "share of the texts that is kept for the figures", low=0.0, high=0.9
    )
    near_duplicates: float = option(
        0.8,
        "texts whose word sets have this Jaccard similarity stay on one side; "
        "1 groups exact duplicates only",
        low=0.1,
        high=1.0,
    )


@dataclass(frozen=True, kw_only=True)
class TextSettings(Settings):
    """How texts become token ids."""

    tokenizer: str = option(
        "words", "words, single characters, or jieba for Chinese", choices=TOKENIZERS
    )
    lowercase: bool = option(True, "fold letters to lower case")
    stop_words: tuple[str, ...] = option((), "tokens to leave out")
    min_count: int = option(1, "leave out rarer words of the training part", low=1)
    max_size: int | None = option(None, "keep only so many words", low=1)
    vector_words: int | None = option(
        None,
        "add so many of the most frequent words of the vectors to those of the "
        "training part; 20,000 when there are vectors",
        low=0,
    )
    max_length: int | None = option(
        None, "cut texts after so many tokens; else the training part decides", low=1
    )
    length_percentile: float = option(
        99.0,
        "percentile of the training lengths at which texts are cut (16 to 512 tokens)",
        low=1.0,
        high=100.0,
    )


@dataclass(frozen=True, kw_only=True)
class EmbeddingSettings(Settings):
    """Where the embedding matrix comes from and how it learns."""

    vectors: str | None = option(None, "file of word vectors (word2vec, GloVe, …)")
    embedding: str | None = option(
        None,
        "non-static when there are vectors, random when there are none",
        choices=EMBEDDINGS,
    )
    dim: int = option(100, "width of a random embedding", low=1, high=4096)


@dataclass(frozen=True, kw_only=True)
class TrainSettings(Settings):
    """How a network is fitted.

    The epoch with the best ``monitor`` on the validation part gives the weights.
    """

    epochs: int = option(20, "largest number of epochs", low=1)
    batch_size: int = option(50, "texts in a step", low=1)
    loss: str = option(
        "cross-entropy", "what is made small, from logits", choices=LOSSES
    )
    label_smoothing: float = option(
        0.0, "share of the truth that is spread over all classes", low=0.0, high=0.9
    )
    focal_gamma: float = option(
        2.0, "how far the focal loss forgets what is easy", low=0.0, high=10.0
    )
    optimizer: str = option("adam", "how weights are moved", choices=tuple(RATES))
    learning_rate: float | None = option(
        None,
        "step size; 0.001 for adam, adamw and rmsprop, 0.1 for sgd, 0.05 for momentum "
        "(0.9), 1 for adadelta",
        above=0.0,
    )
    weight_decay: float = option(
        0.004, "of adamw; spares embeddings and biases", low=0.0, high=1.0
    )
    embedding_rate: float = option(
        0.5, "learning rate of the embedding, as a share of learning_rate", low=0.0
    )
    schedule: str = option("constant", "learning-rate schedule", choices=SCHEDULES)
    clip_norm: float | None = option(5.0, "bound of the gradient's norm", above=0.0)
    monitor: str = option(
        MAIN_METRIC, "validation figure that chooses the epoch", choices=MONITORS
    )
    patience: int = option(4, "epochs without a better figure before the end", low=1)
    class_weight: str | dict | None = option(
        None, "'balanced', or a weight for each label name"
    )
    ema: float | None = option(
        0.99, "decay of the averaged weights; none judges the last", low=0, high=0.99999
    )

    @property
    def rate(self) -> float:
        """The learning rate in force: what was asked for, or what suits the optimizer.

        Examples
        --------
        >>> TrainSettings(optimizer="sgd").rate
        0.1
        """
        if self.learning_rate is not None:
            return self.learning_rate
        return RATES[self.optimizer]
