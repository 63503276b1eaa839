"""The main job: labelled parts in, a trained and judged classifier out.

Command line, estimator, search and notebooks all call these functions.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emoclf.bundle import Bundle, installed_versions
from emoclf.bundle_folder import bundle_place
from emoclf.datasets.dataset import Dataset, check_trainable
from emoclf.embeddings.coverage import CoverageReport
from emoclf.embeddings.matrix import embedding_matrix, random_matrix
from emoclf.embeddings.vectors import frequent_words
from emoclf.errors import DataError, SettingsError
from emoclf.models.answers import Answers
from emoclf.models.build import build_model
from emoclf.predictor import Predictor
from emoclf.settings import RunSettings
from emoclf.text.encoder import TextEncoder, fit_encoder, new_tokenizer
from emoclf.text.tokenizer import Tokenizer
from emoclf.text.vocabulary import UNKNOWN
from emoclf.training.batches import Examples
from emoclf.training.checkpoint import CheckpointFolder, digest
from emoclf.training.findings import Finding, sorted_findings
from emoclf.training.health_of_data import check_coverage, check_cut, check_texts
from emoclf.training.monitor import class_shares
from emoclf.training.thresholds import choose_thresholds
from emoclf.training.train import TrainingResult, fit_model
from emoclf.training.weights import example_weights

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
class Trained:
    """A trained classifier and how it came about."""

    bundle: Bundle
    result: TrainingResult
    prepared: Prepared

    @property
    def predictor(self) -> Predictor:
        """The classifier, ready for texts."""
        return Predictor(self.bundle)


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
    check_trainable(train)
    if valid.label_names != train.label_names:
        raise DataError(
            f"The validation part has the labels {', '.join(valid.label_names)}; the "
            f"training part has {', '.join(train.label_names)}. Read both with the "
            "same label_names."
        )
    if not len(valid):
        raise DataError(
            "The validation part is empty, and something has to choose the epoch. "
            "Raise valid_fraction, or give a file of its own."
        )
    text = settings.text
    tokenizer = new_tokenizer(text)
    train_tokens = tokenizer.batch(train.texts)
    valid_tokens = tokenizer.batch(valid.texts)
    extra = _words_of_vectors(tokenizer, settings)
    encoder = fit_encoder(train_tokens, text, extra=extra)
    matrix, coverage = _matrix(encoder, train_tokens, settings)
    train_ids = encoder.encode_tokens(train_tokens)
    valid_ids = encoder.encode_tokens(valid_tokens)
    weights = example_weights(
        train.label_ids,
        train.label_names,
        class_weight=settings.training.class_weight,
        sample_weight=sample_weight,
    )
    cut = {
        "train": encoder.count_cut(train_tokens),
        "valid": encoder.count_cut(valid_tokens),
    }
    return Prepared(
        encoder=encoder,
        matrix=matrix,
        coverage=coverage,
        train=Examples(train_ids, train.label_ids, weights),
        valid=Examples(valid_ids, valid.label_ids),
        cut=cut,
        findings=_data_findings(encoder, train_ids, valid_ids, cut, coverage),
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
                "vector_words adds words of the vectors to the vocabulary, and there "
                "are no vectors. Give a file of them with vectors=…"
            )
        return []
    words = frequent_words(vectors, VECTOR_WORDS if wanted is None else wanted)
    # Only what the tokenizer can produce will ever be looked up.
    return [word for word in words if tokenizer.tokens(word) == [word]]


def _matrix(
    encoder: TextEncoder, tokens: TokenLists, settings: RunSettings
) -> tuple[np.ndarray, CoverageReport | None]:
    embedding = settings.embedding
    if embedding.vectors and embedding.embedding == "random":
        logger.warning("The embedding is drawn at random: the vectors are not used.")
    elif embedding.vectors:
        return embedding_matrix(
            embedding.vectors,
            encoder.vocabulary,
            counts=encoder.count_tokens(tokens),
            seed=settings.seed,
        )
    elif embedding.embedding not in (None, "random"):
        raise SettingsError(
            f"The embedding {embedding.embedding!r} needs word vectors. Give a file of "
            "them with vectors=…, or choose embedding='random'."
        )
    return random_matrix(encoder.vocabulary, embedding.dim, seed=settings.seed), None


def train_classifier(
    train: Dataset,
    valid: Dataset,
    settings: RunSettings | None = None,
    *,
    sample_weight: np.ndarray | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    on_prepared: Callable[[Prepared], None] | None = None,
) -> Trained:
    """Train a classifier; ``valid`` chooses the epoch and nothing else is looked at.

    Parameters
    ----------
    train, valid : Dataset
        With the same label names.
    settings : RunSettings, optional
    sample_weight : array of float, shape (len(train),), optional
    callbacks : sequence of keras.callbacks.Callback
        Your own, called after each epoch's validation figures were added to the logs.
    checkpoint : path, optional
        Folder for the state after each epoch; removed when the training has ended.
    resume : bool, default=False
        Go on from the checkpoint.
    on_prepared : callable, optional
        Called with the :class:`Prepared` inputs before the network is built.

    Returns
    -------
    trained : Trained

    Raises
    ------
    DataError, SettingsError, VectorsError, TrainingError, ResumeError

    Examples
    --------
    >>> from emoclf import load_sample, split_dataset, train_classifier
    >>> split = split_dataset(load_sample())
    >>> trained = train_classifier(split.train, split.valid)  # doctest: +SKIP
    >>> trained.predictor.predict(["What a day!"])  # doctest: +SKIP
    ['joy']
    """
    settings = settings or RunSettings()
    prepared = prepare(train, valid, settings, sample_weight=sample_weight)
    if on_prepared is not None:
        on_prepared(prepared)
    for finding in prepared.findings:
        logger.warning("%s", finding)
    checkpoints = None
    if checkpoint is not None:
        checkpoints = CheckpointFolder(
            checkpoint, run_fingerprint(train, valid, settings, prepared)
        )
    return fit_prepared(
        prepared,
        train,
        settings,
        callbacks=callbacks,
        checkpoints=checkpoints,
        resume=resume,
    )


def fit_prepared(
    prepared: Prepared,
    train: Dataset,
    settings: RunSettings,
    *,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoints: CheckpointFolder | None = None,
    resume: bool = False,
) -> Trained:
    """Build and fit a network on what was prepared, once for several networks maybe.

    Parameters
    ----------
    prepared : Prepared
        Made with the same data, text and embedding settings.
    train : Dataset
        The training part it was made from.
    settings : RunSettings
    callbacks, checkpoints, resume
        As for :func:`~emoclf.training.train.fit_model`.

    Returns
    -------
    trained : Trained
    """
    model = build_model(
        settings,
        n_classes=len(train.label_names),
        several=train.several,
        matrix=prepared.matrix,
        prior=class_shares(train.label_ids, len(train.label_names)),
    )
    result = fit_model(
        model,
        prepared.train,
        prepared.valid,
        settings.training,
        seed=settings.seed,
        label_names=train.label_names,
        in_force=settings.flat(),
        callbacks=callbacks,
        checkpoints=checkpoints,
        resume=resume,
    )
    findings = sorted_findings([*prepared.findings, *result.findings])
    result = replace(result, findings=findings)
    bundle = Bundle(
        model=model,
        encoder=prepared.encoder,
        label_names=train.label_names,
        several=train.several,
        settings=settings,
        history=result.history,
        figures={
            "best_epoch": result.best_epoch,
            "ended": result.ended,
            "texts": {"train": len(train), "valid": len(prepared.valid)},
            "cut": prepared.cut,
            "findings": [finding.to_dict() for finding in findings],
            "coverage": prepared.coverage.to_dict() if prepared.coverage else None,
        },
        versions=installed_versions(),
        thresholds=_thresholds(model, prepared.valid) if train.several else None,
    )
    return Trained(bundle, result, prepared)


def _thresholds(model: keras.Model, valid: Examples) -> tuple[float, ...]:
    """Choose the thresholds of several labels on what also chose the epoch."""
    chosen = choose_thresholds(Answers(model)(valid.token_ids), valid.targets)
    return tuple(chosen.tolist())


def run_fingerprint(
    train: Dataset, valid: Dataset, settings: RunSettings, prepared: Prepared
) -> dict[str, Any]:
    """Return what must be equal for a training to be resumed."""
    weights = prepared.train.weights
    return {
        "settings": settings.to_dict(),
        "training texts": digest(list(train.texts), list(train.labels)),
        "validation texts": digest(list(valid.texts), list(valid.labels)),
        "sample weights": "none" if weights is None else digest(weights),
        "embedding matrix": digest(prepared.matrix),
        "versions": installed_versions(),
    }


def checkpoint_folder(output: str | os.PathLike[str]) -> Path:
    """Return the folder beside an output that holds its checkpoint."""
    output = bundle_place(output)
    return output.with_name(f"{output.name}.checkpoint")
