"""Fit the linear part of a network: logistic regressions of words and word pairs.

Averaged with a network, a linear classifier of n-grams gains most on small training
sets, where a network alone is not better than it is (tests/benchmarks/README.md).

Each class has a regression of its own. Its features are multiplied by the logarithm of
how much more frequent an n-gram is in texts with the class than in the others, the
weights of a naive Bayes classifier, so that n-grams that tell the class from the others
count most (Wang and Manning, 2012, "Baselines and Bigrams: Simple, Good Sentiment and
Topic Classification").
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from emoclf.batching import lengths_of
from emoclf.models.heads import MIN_PRIOR
from emoclf.models.ngram_scores import NGRAMS
from emoclf.text.word_pairs import HASH_MULTIPLIER, MIN_SQUARE
from emoclf.training.batches import Examples

#: Inverse strength of the regularization.
C = 10.0
MAX_ITERATIONS = 100
#: Number that is added to the count of texts with an n-gram.
PRIOR_COUNT = 1.0


def fit_ngram_scores(
    model: keras.Model, train: Examples, share: float, *, multilabel: bool
) -> None:
    """Fit the linear classifier on the training set, and mix it with the network.

    The logits become a weighted mean of both. Features are TF-IDF: each occurrence of
    an n-gram counts with its inverse document frequency, and the features of a text
    are divided by the root of the sum of their squares.

    Parameters
    ----------
    model : keras.Model
        Fitted network with a layer of :class:`emoclf.models.ngram_scores.NgramScores`.
    train : Examples
        Training set. With soft targets a text counts twice for each class: with it
        and without it, weighed by the probabilities.
    share : float in [0, 1]
        Share of the linear classifier in the logits.
    multilabel : bool
        Whether a text has several labels.
    """
    layer: Any = model.get_layer(NGRAMS)
    features, idf = _features(train.token_ids, layer.vocabulary, layer.buckets)
    targets = train.targets
    if targets.ndim == 1:
        targets = np.eye(int(layer.bias.shape[0]))[targets]
    table, bias = _fit_each(features, targets, train.weights, multilabel=multilabel)
    table = np.column_stack([share * idf[:, None] * table, idf**2])
    words, pairs = np.split(table.astype(np.float32), [layer.vocabulary])
    layer.words.assign(words)
    layer.pairs.assign(np.concatenate([np.zeros_like(pairs[:1]), pairs]))
    layer.bias.assign((share * bias).astype(np.float32))
    layer.share.assign(1 - share)


def _features(
    token_ids: Sequence[np.ndarray], vocabulary: int, buckets: int
) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Return TF-IDF, shape (n_texts, n_ngrams), and the idf of each n-gram.

    The idf of n-grams that no text has is 0, so that they do not count.
    """
    lengths = lengths_of(token_ids)
    flat = np.concatenate([np.empty(0, np.int64), *token_ids]).astype(np.int64)
    texts = np.repeat(np.arange(len(lengths)), lengths)
    is_pair = texts[1:] == texts[:-1]
    # As emoclf.models.mean_embedding.hashed_pairs does, without the row 0.
    hashed = (flat[:-1] * HASH_MULTIPLIER + flat[1:])[is_pair] % buckets
    columns = np.concatenate([flat, vocabulary + hashed])
    rows = np.concatenate([texts, texts[1:][is_pair]])
    shape = (len(lengths), vocabulary + buckets)
    counts = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape)
    frequencies = np.bincount(counts.indices, minlength=shape[1])
    idf = np.log((1 + len(lengths)) / (1 + frequencies)) + 1
    idf[frequencies == 0] = 0.0
    norms = np.sqrt(np.maximum(counts @ idf**2, MIN_SQUARE))
    scaled = sparse.diags(1 / norms) @ counts @ sparse.diags(idf)
    return sparse.csr_matrix(scaled), idf


def _fit_each(
    features: sparse.csr_matrix,
    targets: np.ndarray,
    weights: np.ndarray | None,
    *,
    multilabel: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and biases of the regression of each class.

    Parameters
    ----------
    features : csr_matrix, shape (n_texts, n_ngrams)
    targets : ndarray, shape (n_texts, n_classes)
        1 or 0, or probabilities.
    weights : ndarray, shape (n_texts,), optional
    multilabel : bool

    Returns
    -------
    table : ndarray, shape (n_ngrams, n_classes)
    bias : ndarray, shape (n_classes,)
    """
    if targets.shape[1] == 2 and not multilabel:
        # The difference of two logits is the logit of a regression, not twice as much.
        table, bias = _fit_each(features, targets[:, 1:], weights, multilabel=True)
        return np.hstack([-table, table]) / 2, np.hstack([-bias, bias]) / 2
    table = np.zeros((features.shape[1], targets.shape[1]))
    share = np.clip(targets.mean(0), MIN_PRIOR, 1 - MIN_PRIOR)
    bias = np.log(share / (1 - share))
    if weights is None:
        weights = np.ones(len(targets))
    ngrams = np.flatnonzero(features.getnnz(axis=0))
    features = features[:, ngrams]
    has_ngram = (features > 0).astype(float)
    for number, column in enumerate(targets.T):
        # A text with a soft target counts twice: with the label, and without it.
        column = np.clip(column, 0, 1)
        shares = np.stack([column, 1 - column], axis=1) * weights[:, None]
        counts = PRIOR_COUNT + has_ngram.T @ shares
        with_label, without = np.log(counts / counts.sum(0)).T
        ratio = with_label - without
        rows = np.flatnonzero(shares)
        has_label = rows % 2 == 0
        if len(ngrams) and 0 < has_label.sum() < len(rows):
            scaled = features[rows // 2] @ sparse.diags(ratio)
            model = fit_regression(scaled, has_label, shares.ravel()[rows], strength=C)
            table[ngrams, number] = ratio * model.coef_[0]
            bias[number] = model.intercept_[0]
    return table, bias


def fit_regression(
    features: sparse.csr_matrix | np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    strength: float,
) -> LogisticRegression:
    """Return a logistic regression; ``strength`` is the inverse of its penalty's."""
    model = LogisticRegression(C=strength, max_iter=MAX_ITERATIONS)
    with warnings.catch_warnings():
        # It need not converge completely.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(features, targets, sample_weight=weights)
