"""Terms of the logits of a bundle's Keras network, from its weights as they are."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from emoclf.bundle.bundle import Bundle
from emoclf.explain.text_terms import (
    FilterTerms,
    NgramTerms,
    TermsOf,
    TextTerms,
    average_terms,
    normed_terms,
)
from emoclf.export.folded import POOLINGS
from emoclf.export.network_weights import NetworkWeights
from emoclf.folded.head import MAX_UNTHREADED_PRODUCT
from emoclf.folded.word_rows import kernel_by_shift
from emoclf.models.mean_embedding import BIGRAMS
from emoclf.models.ngram_scores import NGRAMS
from emoclf.text.word_pairs import pair_rows

#: Architectures that are linear in their words and word pairs.
LINEAR = ("mean_embedding", "ngram_linear")


def bundle_terms(bundle: Bundle) -> TermsOf | str:
    """Return the function of a network's terms, or why there is none."""
    architecture = bundle.settings.architecture
    settings: Any = bundle.settings.model
    if architecture in LINEAR:
        return lambda token_ids: _mean_terms(bundle.model, token_ids)
    if architecture != "text_cnn":
        return f"{architecture} is not a sum over n-grams"
    if settings.pooling not in POOLINGS:
        return f"with {settings.pooling} pooling a text_cnn is not a sum over n-grams"
    if settings.hidden:
        return "a hidden layer mixes its n-grams"
    return lambda token_ids: _cnn_terms(bundle.model, settings, token_ids)


def ngram_terms(
    weights: NetworkWeights, token_ids: np.ndarray, n_classes: int
) -> tuple[list[NgramTerms], np.ndarray]:
    """Return the terms and the bias of the linear part beside a network, if any."""
    if f"{NGRAMS}/words" not in weights:
        return [], np.zeros(n_classes, np.float32)
    words = weights.rows(f"{NGRAMS}/words", token_ids)
    pairs = _pair_rows(weights, f"{NGRAMS}/pairs", token_ids)
    return [normed_terms(words, pairs)], weights[f"{NGRAMS}/bias"]


def _cnn_terms(model: keras.Model, settings: Any, token_ids: np.ndarray) -> TextTerms:
    weights = NetworkWeights(model)
    # Each token once: a product may round equal rows differently, and of windows with
    # the same tokens the first one has to be the largest, as in a folded export.
    distinct_ids, rows = np.unique(token_ids, return_inverse=True)
    vectors = weights.embedding(distinct_ids)
    filters = []
    for windows, kernels, filter_bias in weights.convolutions(settings):
        products = {size: _products(vectors, x) for size, x in kernels.items()}
        terms = kernel_by_shift(windows, products)
        filters.append(FilterTerms(windows, terms[rows], filter_bias))
    head_kernel, bias = weights.head()
    ngrams, ngram_bias = ngram_terms(weights, token_ids, len(bias))
    return TextTerms(
        filters,
        settings.pooling,
        settings.activation,
        head_kernel,
        ngrams,
        bias + ngram_bias,
    )


def _products(vectors: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return ``vectors @ kernel``, (size, n, filters), computed in this thread."""
    rows = max(MAX_UNTHREADED_PRODUCT // kernel[0].size, 1)
    parts = range(0, max(len(vectors), 1), rows)
    return np.concatenate([vectors[i : i + rows] @ kernel for i in parts], axis=1)


def _mean_terms(model: keras.Model, token_ids: np.ndarray) -> TextTerms:
    weights = NetworkWeights(model)
    kernel, bias = weights.head()
    words, pairs = weights.embedding(token_ids) @ kernel, None
    path = f"{BIGRAMS}/embeddings"
    if path in weights:
        pairs = _pair_rows(weights, path, token_ids) @ kernel
    ngrams, ngram_bias = ngram_terms(weights, token_ids, len(bias))
    ngrams.insert(0, average_terms(words, pairs))
    none = np.zeros((0, len(bias)), np.float32)
    return TextTerms([], "average", "relu", none, ngrams, bias + ngram_bias)


def _pair_rows(weights: NetworkWeights, path: str, token_ids: np.ndarray) -> np.ndarray:
    """Return the rows of the pairs of neighbours in a table whose row 0 is no pair."""
    buckets = weights.shape(path)[0] - 1
    return weights.rows(path, pair_rows(token_ids[:-1], token_ids[1:], buckets))
