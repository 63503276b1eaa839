"""Settings of every stage except the network, in the order in which data pass them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from emoclf.errors import SettingsError, setting
from emoclf.evaluation.metric_names import MAIN_METRIC, MONITORS
from emoclf.settings.base import NONE_TEXT, Settings, option

#: Value of the setting ``vectors`` that leaves the choice to the training set.
AUTO = "auto"
TOKENIZERS = ("words", "characters", "jieba")
EMBEDDINGS = ("random", "static", "non-static", "two-channel")
LOSSES = ("cross-entropy", "focal", "mse")
# The learning rate of each optimizer where none is given.
RATES = {
    "adam": 1e-3,
    "adamw": 1e-3,
    "rmsprop": 1e-3,
    "sgd": 0.1,
    "momentum": 0.05,
    "adadelta": 1.0,
}
QUOTING = ("auto", "csv", "none")
ENCODING_ERRORS = ("strict", "replace", "skip")
SCHEDULES = ("constant", "cosine", "exponential", "plateau")


#: Width of a random embedding where none is given.
RANDOM_DIM = 100
#: Training sets below this size learn in smaller batches: more steps in an epoch.
SMALL_SET = 1000
SMALL_BATCH, BATCH = 16, 50
#: Longest line of a file of texts, unless another limit is set.
MAX_LINE_BYTES = 1 << 24


@dataclass(frozen=True, kw_only=True)
class DataSettings(Settings):
    """Reading of a labelled file, and its split.

    Training, validation and test set are stratified, and duplicates and near-duplicates
    of a text are in the same set.
    """

    text_column: str | None = option(
        None, "column with the texts (default: found by its name)"
    )
    label_column: str | None = option(
        None, "column with the labels (default: found by its name)"
    )
    label_columns: tuple[str, ...] = option(
        (), "columns of 0 and 1, one for each label: anger,joy or a pattern: label_*"
    )
    split_column: str | None = option(
        None, "column that contains train, valid or test for each row"
    )
    label_separator: str | None = option(
        None, "separator of labels in multilabel cells, such as ','"
    )
    label_names: dict | None = option(
        None, "names of labels that are numbers: 0=anger,1=joy"
    )
    labels_file: str | tuple[str, ...] | None = option(
        None,
        "file with one label a line, where the data file contains the texts alone; one "
        "for each of the data, validation and test files",
    )
    header: bool | None = option(
        None,
        "whether the first row contains the column names, else columns are counted "
        "from 1 (default: recognised where certain)",
    )
    separator: str | None = option(
        None,
        "separator of cells: a character, tab, comma, semicolon or bar (default: by "
        "the ending, or recognised where certain)",
    )
    quoting: str = option(
        "auto",
        "quotes around cells that contain separators: csv: allowed; none: part of the "
        "text; auto: csv, but with tabs only if all quotes of the file are balanced",
        choices=QUOTING,
    )
    format: str | None = option(
        None, "file format, such as csv, jsonl or fasttext (default: by the ending)"
    )
    encoding: str = option("utf-8", "character encoding of the file")
    encoding_errors: str = option(
        "strict",
        "reaction to bytes that are not of the encoding: stop; replace them by U+FFFD; "
        "or skip the rows and count them",
        choices=ENCODING_ERRORS,
    )
    max_line_bytes: int | None = option(
        None,
        "longest line, or cell of CSV, that is read; a longer one is a bad row "
        f"(default: {MAX_LINE_BYTES} for lines, 131072 for cells)",
        low=1,
    )
    skip_bad_rows: bool = option(False, "leave out and count rows that are unusable")
    valid_fraction: float = option(
        0.17, "share of the texts in the validation set", low=0.0, high=0.9
    )
    test_fraction: float = option(
        0.15, "share of the texts in the test set", low=0.0, high=0.9
    )
    near_duplicates: float = option(
        0.8,
        "smallest Jaccard similarity of near-duplicates, which stay in the same set; "
        "1: exact duplicates only",
        low=0.1,
        high=1.0,
    )

    language: str | None = option(
        None, "language of the texts, for the model card: en, de, …"
    )
    license: str | None = option(
        None, "licence of the data, for the model card: cc-by-4.0, …"
    )

    def __post_init__(self) -> None:
        if isinstance(self.label_columns, str):
            # As on the command line.
            names = [name.strip() for name in self.label_columns.split(",")]
            object.__setattr__(self, "label_columns", tuple(filter(None, names)))
        super().__post_init__()


@dataclass(frozen=True, kw_only=True)
class TextSettings(Settings):
    """Conversion of texts to token ids."""

    tokenizer: str = option(
        "words", "unit of the tokens; jieba: Chinese words", choices=TOKENIZERS
    )
    lowercase: bool = option(True, "convert letters to lower case")
    stop_words: tuple[str, ...] = option((), "tokens to leave out")
    min_count: int = option(1, "minimum count of a token in the vocabulary", low=1)
    max_size: int | None = option(
        None, "maximum number of tokens in the vocabulary", low=1
    )
    vector_words: int | None = option(
        None,
        "number of words of the vectors to add to the vocabulary (default with "
        "vectors: 20000)",
        low=0,
    )
    max_length: int | None = option(
        None,
        "maximum number of tokens per text; longer texts are cut (default: by "
        "percentile)",
        low=1,
    )
    length_percentile: float = option(
        99.0,
        "percentile of the training lengths at which texts are cut (16 to 512 tokens)",
        low=1.0,
        high=100.0,
    )


@dataclass(frozen=True, kw_only=True)
class WordVectorSettings(Settings):
    """Embedding matrix: its source, and its training."""

    vectors: str | tuple[str, ...] | None = option(
        AUTO,
        "file of word vectors (word2vec, GloVe, …), a name such as glove-twitter-25, "
        "or starter: those of the package, for English; several are concatenated; "
        "none: a random embedding; auto: starter if it covers the training set",
    )
    vectors_limit: int | None = option(
        None,
        "number of words to read from each file, the first ones (default: all)",
        low=1,
    )
    embedding: str | None = option(
        None,
        "kind of embedding (default: non-static with vectors, else random)",
        choices=EMBEDDINGS,
    )
    dim: int | None = option(
        None,
        f"number of dimensions of a random embedding (default: {RANDOM_DIM})",
        low=1,
        high=4096,
    )

    def __post_init__(self) -> None:
        vectors = self.vectors
        if vectors == NONE_TEXT:
            vectors = None
        paths = vectors if isinstance(vectors, list | tuple) else (vectors,)
        for path in paths:
            if not isinstance(path, str | os.PathLike | None):
                # The value may be gigabytes of numbers.
                raise SettingsError(
                    "The setting 'vectors' must be the path of a file, or a list of "
                    f"paths. Got {type(path).__name__} instead. Pass an object as the "
                    "argument vectors= of the function, beside the settings."
                )
        paths = tuple(os.fspath(path) for path in paths if path is not None)
        if len(paths) > 1 and (reserved := {AUTO, NONE_TEXT} & {*paths}):
            raise SettingsError(
                f"The setting 'vectors' contains {min(reserved)!r} beside others. Name "
                "files, 'starter', or names of gensim's downloader."
            )
        value = paths if len(paths) > 1 else next(iter(paths), None)
        object.__setattr__(self, "vectors", value)
        super().__post_init__()

    @property
    def vector_paths(self) -> tuple[str, ...]:
        """Paths or names of all sets of word vectors; none where they are "auto"."""
        if self.vectors is None or self.vectors == AUTO:
            return ()
        return (self.vectors,) if isinstance(self.vectors, str) else self.vectors

    def with_paths(self, change: Callable[[str], str]) -> Self:
        """Return a copy in which every path of word vectors is changed."""
        if not self.vector_paths:
            return self
        return replace(self, vectors=tuple(map(change, self.vector_paths)))


@dataclass(frozen=True, kw_only=True)
class EmbeddingSettings(WordVectorSettings):
    """Vectors of a text: those of its words, or those of a transformer encoder."""

    encoder: str | None = option(
        None,
        "folder of a transformer encoder, or its name on the Hugging Face Hub; its "
        "token vectors replace the word vectors",
    )

    def __post_init__(self) -> None:
        if isinstance(self.encoder, os.PathLike):
            object.__setattr__(self, "encoder", os.fspath(self.encoder))
        super().__post_init__()
        if self.encoder is not None:
            self._check_encoder()

    def _check_encoder(self) -> None:
        """Check that nothing else is asked for in the place of an encoder's vectors."""
        for name in ("embedding", "dim", "vectors"):
            value = getattr(self, name)
            if value is not None and value != AUTO:
                raise SettingsError(
                    f"{setting(name, value)} is for word vectors, and "
                    f"{setting('encoder', self.encoder)} takes their place. Leave one "
                    "of them out."
                )


@dataclass(frozen=True, kw_only=True)
class TrainSettings(Settings):
    """Training of a network.

    The network gets the weights of the epoch with the best ``monitor`` on the
    validation set.
    """

    epochs: int = option(20, "maximum number of epochs", low=1)
    batch_size: int | None = option(
        None,
        f"texts per training step (default: {SMALL_BATCH} for fewer than "
        f"{SMALL_SET} training texts, else {BATCH})",
        low=1,
    )
    loss: str = option("cross-entropy", "training loss", choices=LOSSES)
    label_smoothing: float = option(0.0, "label smoothing", low=0.0, high=0.9)
    focal_gamma: float = option(
        2.0, "focusing parameter of the focal loss (gamma)", low=0.0, high=10.0
    )
    optimizer: str = option("adam", "optimizer", choices=tuple(RATES))
    learning_rate: float | None = option(
        None,
        "learning rate (default: 0.001 for adam, adamw and rmsprop, 0.1 for sgd, 0.05 "
        "for momentum, 1 for adadelta)",
        above=0.0,
    )
    weight_decay: float = option(
        0.004,
        "weight decay of adamw; not applied to embeddings and biases",
        low=0.0,
        high=1.0,
    )
    embedding_rate: float = option(
        0.5, "learning rate of the embedding, relative to the learning rate", low=0
    )
    schedule: str = option("constant", "learning-rate schedule", choices=SCHEDULES)
    clip_norm: float | None = option(
        5.0, "maximum global norm of the gradients; none: no clipping", above=0.0
    )
    monitor: str = option(
        MAIN_METRIC, "validation metric that selects the epoch", choices=MONITORS
    )
    patience: int = option(4, "epochs without improvement until early stopping", low=1)
    class_weight: str | dict | None = option(
        None, "weights of the classes: balanced, or joy=2,fear=0.5"
    )
    calibrate: bool = option(
        True,
        "scale the logits by a temperature fitted on the validation set, so that "
        "probabilities match the accuracy",
    )
    thresholds: dict | None = option(
        None,
        "decision thresholds of the labels of multilabel data: joy=0.4,fear=0.3 "
        "(default: chosen on the validation set)",
    )
    min_precision: float | None = option(
        None,
        "minimum precision of each label on the validation set; its threshold is then "
        "the one with the highest recall (default: the one with the highest F1)",
        low=0.0,
        high=1.0,
    )
    ema: float | None = option(
        0.99,
        "decay of the weight average; none: use the last weights",
        low=0,
        high=0.99999,
    )

    def texts_per_step(self, n_texts: int) -> int:
        """Return the batch size in force for a training set of this size."""
        if self.batch_size is not None:
            return self.batch_size
        return SMALL_BATCH if n_texts < SMALL_SET else BATCH

    @property
    def rate(self) -> float:
        """The learning rate in force: the one given, or the optimizer's default.

        Examples
        --------
        >>> TrainSettings(optimizer="sgd").rate
        0.1
        """
        if self.learning_rate is not None:
            return self.learning_rate
        return RATES[self.optimizer]
