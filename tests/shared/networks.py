"""Untrained classifiers of every architecture, whose probabilities are no ties."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from contracts import settings_for

from emoclf.bundle.bundle import Bundle
from emoclf.datasets.sample import load_sample
from emoclf.models.build import build_model
from emoclf.predictor import Predictor
from emoclf.text.encoder import TextEncoder
from emoclf.text.tokenizer import Tokenizer
from emoclf.text.vocabulary import FIRST_TOKEN_ID, Vocabulary

LABELS = ("anger", "fear", "joy")
# LiteRT rounds the weights of an int8 export from 1,024 numbers on.
SIZE, DIM = 402, 6


def untrained(architecture: str, **flat: Any) -> Predictor:
    """Return a classifier with random weights, for the words of the bundled corpus."""
    tokenizer = Tokenizer("words")
    counts: Counter[str] = Counter()
    for tokens in tokenizer.batch(load_sample().texts):
        counts.update(tokens)
    words = [word for word, _ in counts.most_common(SIZE - FIRST_TOKEN_ID)]
    settings = settings_for(architecture, "non-static", **flat)
    matrix = np.random.default_rng(0).normal(size=(SIZE, DIM)).astype(np.float32)
    matrix[0] = 0
    model = build_model(settings, n_classes=len(LABELS), matrix=matrix)
    kernel = model.get_layer("logits").kernel
    kernel.assign(kernel * 8)
    encoder = TextEncoder(tokenizer, Vocabulary(words), max_length=24)
    return Predictor(Bundle(model, encoder, LABELS, False, settings))
