"""Small classifiers with random weights: what folding must reproduce, not learn."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from emoclf.bundle.bundle import Bundle
from emoclf.datasets.sample import load_sample
from emoclf.models.build import build_model
from emoclf.models.ngram_scores import NGRAMS
from emoclf.predictor import Predictor
from emoclf.settings import RunSettings
from emoclf.text.encoder import fit_encoder, new_tokenizer

LABELS = ("anger", "disgust", "fear", "joy", "sadness")
DIM = 12


@cache
def texts() -> tuple[str, ...]:
    """Return sentences of the bundled corpus."""
    return load_sample().texts[:300]


def random_predictor(*, multilabel: bool = False, **flat: Any) -> Predictor:
    """Return a classifier none of whose weights is zero by chance."""
    rng = np.random.default_rng(0)
    settings = RunSettings.from_flat(**flat)
    encoder = fit_encoder(new_tokenizer(settings.text).batch(texts()), settings.text)
    matrix = rng.normal(0, 0.5, (len(encoder.vocabulary), DIM)).astype(np.float32)
    matrix[0] = 0
    model = build_model(settings, n_classes=5, multilabel=multilabel, matrix=matrix)
    for weight in model.weights:
        name = weight.path.rpartition("/")[2]
        shape = weight.shape
        if name in ("gamma", "moving_variance"):
            # Batch normalisation may turn a filter's sign.
            signs = rng.choice([-1, 1], shape) if name == "gamma" else 1
            weight.assign(signs * rng.uniform(0.5, 1.5, shape))
        elif name in ("bias", "beta", "moving_mean"):
            weight.assign(rng.normal(0, 0.2, shape))
        elif "bigrams" in weight.path:
            weight.assign(rng.normal(0, 0.5, shape))
        elif weight.path.startswith(NGRAMS):
            # The last column of the tables has squares, and row 0 is padding.
            values = np.abs(rng.normal(0, 0.5, shape))
            if values.ndim == 2:
                values[0] = 0
            weight.assign(values)
    thresholds = tuple(rng.uniform(0.3, 0.7, 5)) if multilabel else None
    return Predictor(
        Bundle(model, encoder, LABELS, multilabel, settings, thresholds=thresholds)
    )
