"""Out-of-fold probabilities, from classifiers that are trained in seconds.

Three classifiers whose errors differ: naive Bayes of words and word pairs (Wang and
Manning 2012, "Baselines and Bigrams"), and logistic regressions of character n-grams
and of averaged word vectors. The geometric mean of their probabilities ranks wrong
labels better than a TextCNN with word vectors does (``tests/benchmarks/README.md``),
and needs no network.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from emoclf.embeddings.starter import StarterVectors
from emoclf.evaluation.baselines import tokens_and_pairs

#: Inverse strengths of the regularization, of n-grams and of averaged vectors.
NGRAM_C, VECTOR_C = 4.0, 0.01
MAX_CHARACTER_NGRAMS = 60_000
MAX_ITERATIONS = 300
#: Probabilities are kept this far from 0 and 1, so that no single model decides.
MIN_PROBABILITY = 1e-6

#: Targets of the training set, its positions and those of a fold → log odds there.
FitAndPredict = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def out_of_fold_probabilities(
    texts: Sequence[str],
    token_lists: Sequence[Sequence[str]],
    targets: np.ndarray,
    folds: np.ndarray,
    *,
    multilabel: bool,
) -> np.ndarray:
    """Return probabilities of classifiers that were trained on the other folds.

    Parameters
    ----------
    texts : sequence of str
    token_lists : sequence of token lists
        Tokens of the texts.
    targets : ndarray of int, shape (n_texts, n_classes)
        A 1 for each label that applies.
    folds : ndarray of int, shape (n_texts,)
        Number of each text's fold.
    multilabel : bool

    Returns
    -------
    probabilities : ndarray of float, shape (n_texts, n_classes)
        They sum to 1 unless ``multilabel``.
    """
    # One classifier tells two classes apart.
    is_binary = not multilabel and targets.shape[1] == 2
    labels = targets.T[1:] if is_binary else targets.T
    logs = np.zeros((2, len(texts), len(labels)))
    # The features need no labels, so that they are computed once for all folds.
    models = _models(texts, token_lists)
    for fit_and_predict in models:
        for label, target in enumerate(labels):
            scores = np.zeros(len(target))
            for number in np.unique(folds):
                train, held = folds != number, folds == number
                scores[held] = _scores(fit_and_predict, target, train, held)
            p = _calibrated(scores, target)
            logs[:, :, label] += np.log(np.clip([1 - p, p], MIN_PROBABILITY, 1))
    # The probability of each label, one against the rest.
    absent, present = np.exp(logs / len(models))
    present = present / (absent + present)
    if is_binary:
        return np.hstack([1 - present, present])
    return present if multilabel else present / present.sum(1, keepdims=True)


def _scores(
    fit_and_predict: FitAndPredict, target: np.ndarray, train: np.ndarray, held: Any
) -> np.ndarray:
    """Return log odds of one label for the texts of a fold."""
    share = float(target[train].mean())
    if share in (0.0, 1.0):
        return np.full(held.sum(), np.log(MIN_PROBABILITY) * (1 - 2 * share))
    return fit_and_predict(target[train], train, held)


def _calibrated(scores: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return probabilities for log odds of any scale (Platt 1999).

    Naive Bayes counts words as if they were independent, and is too sure.
    """
    if target.min() == target.max():
        return target.astype(float)
    columns = scores[:, None]
    return LogisticRegression().fit(columns, target).predict_proba(columns)[:, 1]


def _models(
    texts: Sequence[str], token_lists: Sequence[Sequence[str]]
) -> list[FitAndPredict]:
    """Return the classifiers: functions of training targets, and of both sets."""
    words = CountVectorizer(analyzer=tokens_and_pairs, binary=True, min_df=2)
    characters = TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(2, 5),
        sublinear_tf=True,
        min_df=3,
        max_features=MAX_CHARACTER_NGRAMS,
        dtype=np.float32,
    )
    # liblinear is the faster solver of sparse features, lbfgs of dense ones.
    by_ngrams = LogisticRegression(C=NGRAM_C, solver="liblinear", random_state=0)
    by_vectors = LogisticRegression(C=VECTOR_C, max_iter=MAX_ITERATIONS)
    models: list[FitAndPredict] = [
        partial(_regression, by_vectors, _averaged_vectors(token_lists))
    ]
    # Neither exists where no word or n-gram occurs often enough, in a handful of texts.
    with suppress(ValueError):
        models.append(partial(_naive_bayes, words.fit_transform(token_lists)))
    with suppress(ValueError):
        models.append(partial(_regression, by_ngrams, characters.fit_transform(texts)))
    return models


def _naive_bayes(
    features: Any, target: np.ndarray, train: np.ndarray, held: np.ndarray
) -> np.ndarray:
    """Return the log odds of multinomial naive Bayes with add-one smoothing."""
    counts = features[train]
    present, absent = (1 + counts[target == x].sum(axis=0) for x in (1, 0))
    ratios = np.log(present / present.sum()) - np.log(absent / absent.sum())
    return np.asarray(features[held] @ np.asarray(ratios).ravel()).ravel()


def _regression(
    model: LogisticRegression,
    features: Any,
    target: np.ndarray,
    train: np.ndarray,
    held: np.ndarray,
) -> np.ndarray:
    """Return the log odds of a logistic regression."""
    with warnings.catch_warnings():
        # It need not converge completely.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features[train], target)
    return model.decision_function(features[held])


def _averaged_vectors(token_lists: Sequence[Sequence[str]]) -> np.ndarray:
    """Return the mean starter vector of each text, standardized; 0 without any."""
    source = StarterVectors()
    wanted = frozenset(token for tokens in token_lists for token in tokens)
    vector_of = dict(source.rows(wanted))
    means = np.zeros((len(token_lists), source.dim), dtype=np.float32)
    for row, tokens in zip(means, token_lists, strict=True):
        if vectors := [vector_of[token] for token in tokens if token in vector_of]:
            row[:] = np.mean(vectors, axis=0)
    return StandardScaler().fit_transform(means)
