"""Prepare sentences, and fit the networks of a tagger."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from emoclf.aspects.aspect_checkpoints import AspectCheckpoints
from emoclf.aspects.data.sentences import AspectData
from emoclf.aspects.data.tags import tag_names
from emoclf.aspects.terms.aspect_settings import AspectSettings
from emoclf.aspects.terms.sentence_encoder import (
    SentenceEncoder,
    fit_alphabet,
    tagged_examples,
)
from emoclf.aspects.terms.span_metrics import compare
from emoclf.aspects.terms.span_model import SpanModel
from emoclf.aspects.terms.tagger_fit import fit_tagger
from emoclf.aspects.terms.tagger_network import build_tagger
from emoclf.aspects.terms.term_dictionary import TermDictionary
from emoclf.doctor.findings import Finding, first_findings
from emoclf.embeddings.matrix import first_words, pretrained_rows, random_matrix
from emoclf.embeddings.vector_objects import VectorSet, vector_sources
from emoclf.errors import DataError, setting
from emoclf.settings.sections import RANDOM_DIM
from emoclf.text.encoder import fit_encoder, new_tokenizer

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedSpans:
    """A fitted tagger and how it was fitted.

    Parameters
    ----------
    model : SpanModel
    terms : frozenset of str
        Terms of the training set in lower case.
    history : list of dict
        Metrics of each epoch, for each network.
    metrics : dict
        Scores on the validation set, which also chose the epochs, of the tagger and of
        a dictionary of the training terms; numbers of sentences; and coverage of the
        training set by the word vectors.
    findings : tuple of Finding
        Findings of the doctor on the trainings, one of each name; 0.7 had none.
    """

    model: SpanModel
    terms: frozenset[str]
    history: list[dict[str, list[float]]]
    metrics: dict[str, Any]
    findings: tuple[Finding, ...] = ()


def train_spans(
    train: AspectData,
    valid: AspectData,
    settings: AspectSettings,
    *,
    vectors: Sequence[VectorSet] = (),
    callbacks: Callable[[], Sequence[Any]] = tuple,
    checkpoints: AspectCheckpoints | None = None,
) -> TrainedSpans:
    """Fit everything on ``train``; ``valid`` chooses the epoch of each network.

    Parameters
    ----------
    train, valid : AspectData
    settings : AspectSettings
    vectors : sequence of VectorSet
        Sets of vectors, some of them in memory; default: those that the settings name.
    callbacks : function
        Returns the callbacks of each network.
    checkpoints : AspectCheckpoints, optional

    Raises
    ------
    DataError, VectorsError, TrainingError, ResumeError
    """
    tags = tag_names(_labels(train) if settings.typed else [None], settings.scheme)
    tokenizer = new_tokenizer(settings.text)
    sources = vector_sources(
        list(vectors or settings.vector_paths) or None, limit=settings.vectors_limit
    )
    tokens = tokenizer.batch(train.texts)
    words = first_words(sources, settings.vector_words)
    # The tokenizer never produces the other words.
    extra = [word for word in words if tokenizer.tokens(word) == [word]]
    text_encoder = fit_encoder(tokens, settings.text, extra=extra)
    vocabulary = text_encoder.vocabulary
    pretrained = None
    if sources:
        counts = text_encoder.count_tokens(tokens)
        pretrained = pretrained_rows(sources, vocabulary, counts=counts)
    encoder = SentenceEncoder(text_encoder, fit_alphabet(train.texts))
    tag_ids = {tag: number for number, tag in enumerate(tags)}
    examples = tagged_examples(
        train, encoder, tag_ids, scheme=settings.scheme, typed=settings.typed
    )
    if not any(row.any() for row in examples.tags):
        raise DataError(
            f"{train.source} has no terms to learn from. Mark the terms of some "
            "sentences."
        )
    if examples.n_moved or examples.n_dropped:
        logger.info(
            "%d of %d terms do not lie on borders of tokens and got whole tokens; %d "
            "share their only token with another term and were left out.",
            examples.n_moved,
            train.n_terms,
            examples.n_dropped,
        )
    networks, histories = [], []
    findings: list[Finding] = []
    for member in range(settings.members):
        seed = settings.seed + 1000 * member
        matrix = (
            pretrained.matrix(len(vocabulary), seed=seed)
            if pretrained
            else random_matrix(vocabulary, settings.dim or RANDOM_DIM, seed=seed)
        )
        network = build_tagger(
            settings,
            tags,
            shape=matrix.shape,
            n_characters=encoder.n_characters,
            matrix=matrix,
            seed=seed,
        )
        single = SpanModel(settings, encoder, tuple(tags), (network,))
        history, member_findings = fit_tagger(
            network,
            examples,
            settings,
            lambda single=single: single.evaluate(valid).f1,  # type: ignore[misc]
            seed=seed,
            callbacks=callbacks(),
            checkpoints=None
            if checkpoints is None
            else checkpoints.of(
                f"tagger-{member}",
                settings.to_dict(),
                [[part.texts, part.spans] for part in (train, valid)],
                network.training.weights,
            ),
            resume=bool(checkpoints and checkpoints.resume),
        )
        networks.append(network)
        histories.append(history)
        findings += member_findings
    # One network keeps its graph: tracing another takes seconds.
    model = single
    if settings.members > 1:
        model = SpanModel(settings, encoder, tuple(tags), tuple(networks))
    terms = frozenset(seen_terms(train))
    scores = model.evaluate(valid, terms)
    if not scores.n_predicted:
        logger.warning(
            "The tagger finds no term in the validation set, which has %d. Train on "
            "more sentences, for more epochs, or with word vectors that have their "
            "words: %s.",
            scores.n_gold,
            setting("vectors"),
        )
    dictionary = TermDictionary(tokenizer).fit(train)
    baseline = compare(valid, dictionary.predict(valid.texts), seen=terms)
    metrics = {
        "validation": {"tagger": scores.to_dict(), "dictionary": baseline.to_dict()},
        "sentences": {"train": len(train), "valid": len(valid)},
        "coverage": pretrained.coverage.to_dict() if pretrained else None,
    }
    return TrainedSpans(model, terms, histories, metrics, first_findings(findings))


def seen_terms(data: AspectData) -> set[str]:
    """Return the terms of a training set in lower case."""
    return {s.words(term).lower() for s in data for term in s.terms}


def _labels(train: AspectData) -> list[str | None]:
    sentence = next((s for s in train if any(t.label is None for t in s.terms)), None)
    if sentence is not None:
        raise DataError(
            f"{train.source}, sentence {sentence.id}: a term has no label, and a "
            "typed tagger learns the labels of terms. Add it, or leave 'typed' out."
        )
    return [*sorted(train.label_counts())]
