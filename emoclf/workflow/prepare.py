"""Prepare labelled texts: vocabulary, token ids, embedding matrix, sample weights."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from emoclf.contextual.input_vectors import InputVectors
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.trainable import check_trainable
from emoclf.doctor.data import (
    check_coverage,
    check_cut,
    check_label_names,
    check_texts,
)
from emoclf.doctor.findings import Finding
from emoclf.embeddings.coverage import CoverageReport
from emoclf.embeddings.matrix import (
    PretrainedRows,
    first_words,
    pretrained_rows,
    random_matrix,
)
from emoclf.embeddings.vector_io import VectorSource
from emoclf.embeddings.vector_objects import VectorSet, vector_sources
from emoclf.errors import DataError, SettingsError, setting
from emoclf.settings import RunSettings
from emoclf.settings.sections import RANDOM_DIM
from emoclf.text.encoder import TextEncoder, fit_encoder, new_tokenizer
from emoclf.text.tokenizer import Tokenizer
from emoclf.text.vocabulary import UNKNOWN
from emoclf.training.batches import Examples
from emoclf.training.sample_weights import example_weights

logger = logging.getLogger(__name__)

# Default number of words that vectors add to the vocabulary: enough for most words of
# new texts; 24 MB at 300 dimensions.
DEFAULT_VECTOR_WORDS = 20_000


@dataclass(frozen=True)
class EncodedParts:
    """Training and validation set as token ids: what is equal for all seeds.

    Parameters
    ----------
    encoder : TextEncoder
        Encoder, fitted on the training set alone.
    train_ids, valid_ids : sequence of ndarray of int32, each of shape (length,)
    pretrained : PretrainedRows or None
        Tokens with a vector; None where the embedding is random.
    cut : dict of str to int
        Number of texts that were cut, per part.
    findings : tuple of Finding
        Problems of the texts and the vectors, known before any training.
    inputs : InputVectors or None
        Vectors that the network takes in the place of token ids.
    train_vectors, valid_vectors : sequence of ndarray, each of shape (length, dim)
        Those vectors of each text; empty without ``inputs``.
    """

    encoder: TextEncoder
    train_ids: Sequence[np.ndarray]
    valid_ids: Sequence[np.ndarray]
    pretrained: PretrainedRows | None
    cut: dict[str, int]
    findings: tuple[Finding, ...]
    inputs: InputVectors | None = None
    train_vectors: Sequence[np.ndarray] = ()
    valid_vectors: Sequence[np.ndarray] = ()

    @property
    def coverage(self) -> CoverageReport | None:
        """Coverage of the training set by the vectors; None without vectors."""
        return self.pretrained.coverage if self.pretrained else None

    def prepared(
        self,
        train: Dataset,
        valid: Dataset,
        settings: RunSettings,
        *,
        sample_weight: np.ndarray | None = None,
    ) -> Prepared:
        """Draw the missing rows of the matrix, and weigh the texts.

        Parameters
        ----------
        train, valid : Dataset
            The datasets that were encoded.
        settings : RunSettings
            Settings with the text settings and vectors of the encoding.
        sample_weight : array of float, shape (len(train),), optional
        """
        weights = example_weights(
            train.label_ids,
            train.label_names,
            class_weight=settings.training.class_weight,
            sample_weight=sample_weight,
        )
        vocabulary, seed = self.encoder.vocabulary, settings.seed
        train_inputs, valid_inputs = self.train_ids, self.valid_ids
        matrix = None
        if self.inputs is not None:
            train_inputs, valid_inputs = self.train_vectors, self.valid_vectors
        elif self.pretrained is None:
            matrix = random_matrix(
                vocabulary, settings.embedding.dim or RANDOM_DIM, seed=seed
            )
        else:
            matrix = self.pretrained.matrix(len(vocabulary), seed=seed)
        return Prepared(
            **vars(self),
            matrix=matrix,
            train=Examples(train_inputs, train.label_ids, weights),
            valid=Examples(valid_inputs, valid.label_ids),
        )


@dataclass(frozen=True, kw_only=True)
class Prepared(EncodedParts):
    """Everything that a network is built from and fitted on.

    Parameters
    ----------
    matrix : ndarray of float32, shape (vocabulary, dim), or None
        None where the network takes vectors in the place of token ids.
    train, valid : Examples
    """

    matrix: np.ndarray | None
    train: Examples
    valid: Examples


def prepare(
    train: Dataset,
    valid: Dataset,
    settings: RunSettings,
    *,
    vectors: Sequence[VectorSet] = (),
    sample_weight: np.ndarray | None = None,
    words: Sequence[str] = (),
) -> Prepared:
    """Prepare texts for a network; everything is fitted on ``train`` alone.

    Parameters
    ----------
    train, valid : Dataset
    settings : RunSettings
    vectors : sequence of VectorSet
        Sets of vectors, some of them in memory; default: the files that the settings
        name.
    sample_weight : array of float, shape (len(train),), optional
    words : sequence of str
        Tokens to add to the vocabulary, such as those of unlabelled texts.

    Raises
    ------
    DataError, SettingsError, VectorsError
    """
    encoded = encode_parts(train, valid, settings, vectors=vectors, words=words)
    return encoded.prepared(train, valid, settings, sample_weight=sample_weight)


def encode_parts(
    train: Dataset,
    valid: Dataset,
    settings: RunSettings,
    *,
    vectors: Sequence[VectorSet] = (),
    words: Sequence[str] = (),
) -> EncodedParts:
    """Fit the vocabulary on ``train``, encode both datasets, and look up the vectors.

    Parameters
    ----------
    train, valid : Dataset
    settings : RunSettings
    vectors : sequence of VectorSet
        Sets of vectors, some of them in memory; default: the files that the settings
        name.
    words : sequence of str
        Tokens to add to the vocabulary, such as those of unlabelled texts.

    Raises
    ------
    DataError, SettingsError, VectorsError
    """
    check_parts(train, valid)
    tokenizer = new_tokenizer(settings.text)
    tokens = {
        "train": tokenizer.batch(train.texts),
        "valid": tokenizer.batch(valid.texts),
    }
    sources = _vector_sources(vectors, settings)
    extra = [*words, *_vector_words(tokenizer, sources, settings)]
    encoder = fit_encoder(tokens["train"], settings.text, extra=extra)
    pretrained = None
    if sources:
        counts = encoder.count_tokens(tokens["train"])
        pretrained = pretrained_rows(sources, encoder.vocabulary, counts=counts)
    train_ids, valid_ids = map(encoder.encode_tokens, tokens.values())
    cut = {part: encoder.count_cut(lists) for part, lists in tokens.items()}
    findings = [
        check_texts(train_ids, unknown_id=UNKNOWN, part="training"),
        check_texts(valid_ids, unknown_id=UNKNOWN, part="validation"),
        check_cut(cut["train"], len(train_ids), max_length=encoder.max_length),
    ]
    if train.vectors is not None or settings.embedding.encoder is not None:
        # The network does not read these words.
        findings, cut = [], dict.fromkeys(cut, 0)
    findings.append(check_label_names(train.label_names))
    if pretrained is not None:
        share = pretrained.coverage.share_of_running
        missing = [token for token, _ in pretrained.coverage.missing]
        findings.append(check_coverage(share, missing=missing))
    encoded = EncodedParts(
        encoder, train_ids, valid_ids, pretrained, cut, tuple(filter(None, findings))
    )
    return with_input_vectors(encoded, train, valid, settings)


def with_input_vectors(
    encoded: EncodedParts, train: Dataset, valid: Dataset, settings: RunSettings
) -> EncodedParts:
    """Add the vectors that the network takes in the place of token ids, if any.

    Those of a transformer encoder are computed once and kept on disk.

    Raises
    ------
    ModelError
        If the encoder cannot be loaded.
    DataError
        If only one of the datasets has vectors of its own, or of another width.
    SettingsError
        If an encoder is given for texts that have vectors of their own.
    """
    name = settings.embedding.encoder
    if train.vectors is None and valid.vectors is None:
        if name is None:
            return encoded
        pooled = getattr(settings.model, "takes_pooled", False)
        inputs = InputVectors.of_encoder(name, pooled=pooled)
        return replace(
            encoded,
            inputs=inputs,
            train_vectors=inputs.embed(train.texts, keep=True),
            valid_vectors=inputs.embed(valid.texts, keep=True),
        )
    if name is not None:
        raise SettingsError(
            f"{train.source} contains vectors of its own, so that "
            f"{setting('encoder', name)} is not used. Leave it out."
        )
    widths = [
        None if x.vectors is None else x.vectors[0].shape[1] for x in (train, valid)
    ]
    if widths[0] is None or widths[0] != widths[1]:
        raise DataError(
            "The training and the validation set must have vectors of one width. Got "
            f"{widths[0]} and {widths[1]}."
        )
    assert train.vectors is not None
    assert valid.vectors is not None
    return replace(
        encoded,
        inputs=InputVectors(widths[0]),
        train_vectors=train.vectors,
        valid_vectors=valid.vectors,
    )


def check_parts(train: Dataset, valid: Dataset) -> None:
    """Check that the training and the validation set can be used.

    Raises
    ------
    DataError
    """
    check_trainable(train)
    if valid.label_names != train.label_names:
        raise DataError(
            f"The validation set has the labels {', '.join(valid.label_names)}; the "
            f"training set has {', '.join(train.label_names)}. Read both with the same "
            f"{setting('label_names')}."
        )
    if len(valid) and valid.multilabel != train.multilabel:
        kinds = ("one label for each text", "lists of labels")
        raise DataError(
            f"The validation set has {kinds[valid.multilabel]}, and the training set "
            f"has {kinds[train.multilabel]}. Give both in the same form."
        )
    if not len(valid):
        raise DataError(
            "The validation set is empty, but it is needed to choose the epoch. Raise "
            f"{setting('valid_fraction')}, or give a validation file."
        )


def _vector_sources(
    vectors: Sequence[VectorSet], settings: RunSettings
) -> tuple[VectorSource, ...]:
    """Return the sets of vectors of the embedding; none for a random one."""
    embedding = settings.embedding
    given = list(vectors or embedding.vector_paths)
    if given and embedding.embedding == "random":
        logger.warning("The embedding is random: the vectors are not used.")
    elif given:
        # Settings that were written before 0.4 always have the default.
        if embedding.dim not in (None, RANDOM_DIM):
            raise SettingsError(
                f"{setting('dim', embedding.dim)} is for a random embedding, but word "
                "vectors have their own number of dimensions. Leave it out, or use a "
                f"random embedding with {setting('vectors', 'none')}."
            )
        return vector_sources(given, limit=embedding.vectors_limit)
    elif embedding.embedding not in (None, "random"):
        raise SettingsError(
            f"The embedding {embedding.embedding!r} needs word vectors. Give a file of "
            f"word vectors with {setting('vectors', 'vectors.bin')}, or choose "
            f"{setting('embedding', 'random')}."
        )
    return ()


def _vector_words(
    tokenizer: Tokenizer, sources: Sequence[VectorSource], settings: RunSettings
) -> list[str]:
    """Return frequent words with a vector, which later texts may contain."""
    wanted = settings.text.vector_words
    if not sources:
        if wanted:
            raise SettingsError(
                f"{setting('vector_words')} adds words of the vectors to the "
                "vocabulary, but there are no vectors. Give a file of word vectors "
                f"with {setting('vectors', 'vectors.bin')}."
            )
        return []
    words = first_words(sources, DEFAULT_VECTOR_WORDS if wanted is None else wanted)
    # The tokenizer never produces the other words.
    return [word for word in words if tokenizer.tokens(word) == [word]]
