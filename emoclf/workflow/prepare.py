"""From labelled texts to what a network is built from and fitted on."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emoclf.datasets.dataset import Dataset, check_trainable
from emoclf.doctor.data import check_coverage, check_cut, check_texts
from emoclf.doctor.findings import Finding
from emoclf.embeddings.coverage import CoverageReport
from emoclf.embeddings.matrix import KnownRows, known_rows, random_matrix
from emoclf.embeddings.word_vectors import frequent_words
from emoclf.errors import DataError, SettingsError, setting
from emoclf.settings import RunSettings
from emoclf.text.encoder import TextEncoder, fit_encoder, new_tokenizer
from emoclf.text.tokenizer import Tokenizer
from emoclf.text.vocabulary import UNKNOWN
from emoclf.training.batches import Examples
from emoclf.training.sample_weights import example_weights

logger = logging.getLogger(__name__)

TokenLists = Sequence[Sequence[str]]

# Enough for most words of new texts; 24 MB at 300 dimensions.
VECTOR_WORDS = 20_000


@dataclass(frozen=True)
class Prepared:
    """What a network is built from and fitted on.

    Parameters
    ----------
    encoder : TextEncoder
        Fitted on the training part alone.
    matrix : ndarray of float32, shape (vocabulary, dim)
    coverage : CoverageReport or None
        How far the vectors cover the training part; None without vectors.
    train, valid : Examples
    cut : dict of str to int
        Texts of each part that were cut.
    findings : tuple of Finding
        What is wrong with the texts and the vectors, before any training.
    """

    encoder: TextEncoder
    matrix: np.ndarray
    coverage: CoverageReport | None
    train: Examples
    valid: Examples
    cut: dict[str, int]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class EncodedParts:
    """Two parts as token ids: all of :class:`Prepared` that no seed has a part in.

    Parameters
    ----------
    encoder : TextEncoder
        Fitted on the training part alone.
    train_ids, valid_ids : sequence of ndarray of int32, each of shape (length,)
    known : KnownRows or None
        Words with a vector; None where the embedding is drawn at random.
    cut : dict of str to int
    findings : tuple of Finding
    """

    encoder: TextEncoder
    train_ids: Sequence[np.ndarray]
    valid_ids: Sequence[np.ndarray]
    known: KnownRows | None
    cut: dict[str, int]
    findings: tuple[Finding, ...] = ()

    def prepared(
        self,
        train: Dataset,
        valid: Dataset,
        settings: RunSettings,
        *,
        sample_weight: np.ndarray | None = None,
    ) -> Prepared:
        """Draw what is drawn, and weigh the texts.

        Parameters
        ----------
        train, valid : Dataset
            The parts that were encoded.
        settings : RunSettings
            With the text settings they were encoded with, and the same vectors.
        sample_weight : array of float, shape (len(train),), optional
        """
        weights = example_weights(
            train.label_ids,
            train.label_names,
            class_weight=settings.training.class_weight,
            sample_weight=sample_weight,
        )
        vocabulary, seed = self.encoder.vocabulary, settings.seed
        if self.known is None:
            matrix = random_matrix(vocabulary, settings.embedding.dim, seed=seed)
        else:
            matrix = self.known.matrix(len(vocabulary), seed=seed)
        return Prepared(
            encoder=self.encoder,
            matrix=matrix,
            coverage=self.known.coverage if self.known else None,
            train=Examples(self.train_ids, train.label_ids, weights),
            valid=Examples(self.valid_ids, valid.label_ids),
            cut=self.cut,
            findings=self.findings,
        )


def prepare(
    train: Dataset,
    valid: Dataset,
    settings: RunSettings,
    *,
    sample_weight: np.ndarray | None = None,
) -> Prepared:
    """Turn texts into what a network is fitted on; everything is fitted on ``train``.

    Parameters
    ----------
    train, valid : Dataset
    settings : RunSettings
    sample_weight : array of float, shape (len(train),), optional

    Raises
    ------
    DataError, SettingsError, VectorsError
    """
    encoded = encode_parts(train, valid, settings)
    return encoded.prepared(train, valid, settings, sample_weight=sample_weight)


def encode_parts(train: Dataset, valid: Dataset, settings: RunSettings) -> EncodedParts:
    """Fit the vocabulary on ``train``, encode both parts, and look its words up.

    Parameters
    ----------
    train, valid : Dataset
    settings : RunSettings

    Raises
    ------
    DataError, SettingsError, VectorsError
    """
    check_parts(train, valid)
    text = settings.text
    tokenizer = new_tokenizer(text)
    train_tokens = tokenizer.batch(train.texts)
    valid_tokens = tokenizer.batch(valid.texts)
    extra = _words_of_vectors(tokenizer, settings)
    encoder = fit_encoder(train_tokens, text, extra=extra)
    known = _known_rows(encoder, train_tokens, settings)
    train_ids = encoder.encode_tokens(train_tokens)
    valid_ids = encoder.encode_tokens(valid_tokens)
    cut = {
        "train": encoder.count_cut(train_tokens),
        "valid": encoder.count_cut(valid_tokens),
    }
    coverage = known.coverage if known else None
    findings = _data_findings(encoder, train_ids, valid_ids, cut, coverage)
    return EncodedParts(encoder, train_ids, valid_ids, known, cut, findings)


def check_parts(train: Dataset, valid: Dataset) -> None:
    """Refuse parts that nothing can be learnt from, or judged on.

    Raises
    ------
    DataError
    """
    check_trainable(train)
    if valid.label_names != train.label_names:
        raise DataError(
            f"The validation part has the labels {', '.join(valid.label_names)}; the "
            f"training part has {', '.join(train.label_names)}. Read both with the "
            f"same {setting('label_names')}."
        )
    if not len(valid):
        raise DataError(
            "The validation part is empty, and something has to choose the epoch. "
            f"Raise {setting('valid_fraction')}, or give a file of its own."
        )


def _data_findings(
    encoder: TextEncoder,
    train_ids: Sequence[np.ndarray],
    valid_ids: Sequence[np.ndarray],
    cut: Mapping[str, int],
    coverage: CoverageReport | None,
) -> tuple[Finding, ...]:
    """Judge what the network is about to be fitted on."""
    found = [
        check_texts(train_ids, unknown_id=UNKNOWN, part="training"),
        check_texts(valid_ids, unknown_id=UNKNOWN, part="validation"),
        check_cut(cut["train"], len(train_ids), max_length=encoder.max_length),
    ]
    if coverage is not None:
        missing = [word for word, _ in coverage.missing]
        found.append(check_coverage(coverage.share_of_running, missing=missing))
    return tuple(one for one in found if one is not None)


def _words_of_vectors(tokenizer: Tokenizer, settings: RunSettings) -> list[str]:
    """Return words with a vector that may stand in texts that are still to come."""
    wanted, vectors = settings.text.vector_words, settings.embedding.vectors
    if not vectors or settings.embedding.embedding == "random":
        if wanted:
            raise SettingsError(
                f"{setting('vector_words')} adds words of the vectors to the "
                "vocabulary, and there are no vectors. Give a file of them, for "
                f"instance {setting('vectors', 'vectors.bin')}."
            )
        return []
    words = frequent_words(vectors, VECTOR_WORDS if wanted is None else wanted)
    # Only what the tokenizer can produce will ever be looked up.
    return [word for word in words if tokenizer.tokens(word) == [word]]


def _known_rows(
    encoder: TextEncoder, tokens: TokenLists, settings: RunSettings
) -> KnownRows | None:
    embedding = settings.embedding
    if embedding.vectors and embedding.embedding == "random":
        logger.warning("The embedding is drawn at random: the vectors are not used.")
    elif embedding.vectors:
        return known_rows(
            embedding.vectors,
            encoder.vocabulary,
            counts=encoder.count_tokens(tokens),
        )
    elif embedding.embedding not in (None, "random"):
        raise SettingsError(
            f"The embedding {embedding.embedding!r} needs word vectors. Give a file of "
            f"them, for instance {setting('vectors', 'vectors.bin')}, or choose "
            f"{setting('embedding', 'random')}."
        )
    return None
