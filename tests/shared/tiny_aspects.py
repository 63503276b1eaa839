"""Sentences with terms, and settings of a tagger that learns them within seconds."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import numpy as np

from emoclf.aspects.aspect_model import AspectModel
from emoclf.aspects.data.sentences import AspectData
from emoclf.aspects.polarities.polarity_classifier import PolarityClassifier
from emoclf.aspects.polarities.polarity_targets import labelled_targets
from emoclf.aspects.tagger import AspectTagger

TERMS = ("hard disk", "screen", "Waiter", "onion soup", "bill")
OPINIONS = {"positive": ("lovely", "great"), "negative": ("awful", "broken")}
FRAMES = ("the {} is {}", "I found the {} {}, really", "{}: {} !", "well, {} {}")


def tiny_aspects() -> AspectData:
    """Return 80 sentences, each with a term whose label follows from a word."""
    texts, spans = [], []
    opinions = [(word, label) for label, words in OPINIONS.items() for word in words]
    for frame, term, (word, label) in product(FRAMES, TERMS, opinions):
        text = frame.format(term, word)
        start = text.index(term)
        texts.append(text)
        spans.append([(start, start + len(term), label)])
    return AspectData.from_lists(texts, spans)


def tiny_tagger(**parameters: Any) -> AspectTagger:
    """Return an estimator that learns these sentences."""
    small = {
        "vectors": "none",
        "dim": 12,
        "character_filters": 4,
        "character_dim": 4,
        "input_dropout": 0.1,
        "near_duplicates": 1.0,
        "embedding_rate": 1.0,
        "ema": None,
    }
    values: dict[str, Any] = {
        "units": 8,
        "filters": 16,
        "dropout": 0.1,
        "epochs": 12,
        "batch_size": 8,
        "learning_rate": 0.02,
        "settings": small,
        "random_state": 0,
    }
    return AspectTagger(**{**values, **parameters})


def tiny_polarity(**parameters: Any) -> PolarityClassifier:
    """Return a classifier that learns the labels of these terms."""
    small = {"vectors": "none", "dim": 12, "near_duplicates": 1.0, "ema": None}
    values: dict[str, Any] = {
        "members": 1,
        "units": 8,
        "dropout": 0.1,
        "epochs": 15,
        "batch_size": 8,
        "learning_rate": 0.02,
        "settings": {**small, "input_dropout": 0.1, "embedding_rate": 1.0},
        "random_state": 0,
    }
    return PolarityClassifier(**{**values, **parameters})


def polarity_with_vectors() -> PolarityClassifier:
    """Return a classifier with word vectors, and so with a linear part."""
    words = sorted({w for text in tiny_aspects().texts for w in text.lower().split()})
    vectors = words, np.random.default_rng(0).normal(size=(len(words), 8))
    return tiny_polarity(
        vectors=vectors, epochs=1, settings={"sentiment_vectors": False, "ema": None}
    )


@cache
def fitted_linear_polarity() -> PolarityClassifier:
    """Return a fitted classifier with a linear part, which must not be changed."""
    return polarity_with_vectors().fit(*labelled_targets(tiny_aspects()))


@cache
def fitted_polarity() -> PolarityClassifier:
    """Return a fitted classifier, which must not be changed."""
    return tiny_polarity().fit(*labelled_targets(tiny_aspects()))


@cache
def tiny_model() -> AspectModel:
    """Return a tagger and a polarity classifier, which must not be changed."""
    return AspectModel(fitted_tagger(), fitted_polarity())


@cache
def fitted_tagger() -> AspectTagger:
    """Return a fitted tagger, which must not be changed."""
    return tiny_tagger().fit(tiny_aspects())
