"""Baselines that a network has to beat, trained and evaluated on the same texts."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from emoclf.datasets.dataset import Dataset
from emoclf.text.tokenizer import Tokenizer

MAJORITY = "majority class"
TFIDF_SVM = "TF-IDF + linear SVM"
VECTORS_SVM = "mean vector + linear SVM"

#: From token lists, or vectors of texts, to class ids, or 0 and 1 for each label.
Predict = Callable[[Sequence[Any]], np.ndarray]


def majority_baseline(targets: np.ndarray) -> Predict:
    """Predict the most frequent class of the training set for every text.

    For multilabel texts: the labels that more than half of the texts have, or the most
    frequent label alone.
    """
    if targets.ndim == 1:
        prediction = np.asarray(np.bincount(targets).argmax())
    else:
        shares = targets.mean(0)
        prediction = (shares > 0.5).astype(np.int64)
        if not prediction.any():
            prediction[shares.argmax()] = 1
    shape = prediction.shape
    return lambda texts: np.broadcast_to(prediction, (len(texts), *shape)).copy()


def tfidf_baseline(
    token_lists: Sequence[Sequence[str]], targets: np.ndarray
) -> Predict:
    """Fit TF-IDF of tokens and token pairs, and a linear support vector machine.

    The strongest classical baseline on small sets of sentences; Wang and Manning
    (2012), "Baselines and Bigrams". It gets the same tokens as the network. Trained on
    texts without tokens, or with one class, it predicts as the majority baseline does,
    so that a trained network is not lost because a baseline cannot be fitted.
    """
    vectorizer = TfidfVectorizer(analyzer=tokens_and_pairs, sublinear_tf=True)
    return _svm_baseline(vectorizer, token_lists, targets)


def _svm_baseline(features: Any, inputs: Sequence[Any], targets: np.ndarray) -> Predict:
    """Fit a linear support vector machine on the features of the inputs."""
    if not any(map(len, inputs)) or len(np.unique(targets, axis=0)) < 2:
        return majority_baseline(targets)
    svm: LinearSVC | OneVsRestClassifier = LinearSVC(C=0.5, random_state=0)
    if targets.ndim == 2:
        # Without class weights a rare label would never be predicted.
        svm = OneVsRestClassifier(svm.set_params(class_weight="balanced"))
    pipeline = make_pipeline(features, svm)
    with warnings.catch_warnings():
        # A baseline need not converge completely.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # One-versus-rest warns when a label is on no or on every training text.
        warnings.filterwarnings("ignore", "Label .* is present", UserWarning)
        pipeline.fit(inputs, targets)

    def predict(inputs: Sequence[Any]) -> np.ndarray:
        predicted = np.asarray(pipeline.predict(inputs)).astype(np.int64)
        # scikit-learn drops the axis of a single label.
        return predicted.reshape(len(inputs), *targets.shape[1:])

    return predict


def _mean_vectors(vectors: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean vector of each text, of length one, shape (n_texts, dim)."""
    means = np.zeros((len(vectors), vectors[0].shape[1]))
    for mean, rows in zip(means, vectors, strict=True):
        if len(rows):
            mean[:] = rows.mean(0, dtype=np.float64)
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)


def tokens_and_pairs(tokens: Sequence[str]) -> list[str]:
    """Return tokens and pairs of neighbours; tokens contain no space."""
    return [*tokens, *map(" ".join, itertools.pairwise(tokens))]


def fit_baselines(inputs: Sequence[Any], targets: np.ndarray) -> dict[str, Predict]:
    """Fit all baselines on the training set, and return them by name.

    Parameters
    ----------
    inputs : sequence of token lists, or of ndarray of shape (length, dim)
        As :func:`baseline_inputs` returns them, also for predictions.
    targets : ndarray
        Class ids, shape (n,); or 0 and 1, shape (n, n_classes).
    """
    baselines = {MAJORITY: majority_baseline(targets)}
    if isinstance(inputs[0], np.ndarray):
        mean_vectors = FunctionTransformer(_mean_vectors)
        return {**baselines, VECTORS_SVM: _svm_baseline(mean_vectors, inputs, targets)}
    return {**baselines, TFIDF_SVM: tfidf_baseline(inputs, targets)}


def baseline_inputs(dataset: Dataset, tokenizer: Tokenizer) -> Sequence[Any]:
    """Return the tokens of each text; or its vectors, where the text is not known."""
    if dataset.vectors is not None and not dataset.has_texts:
        return dataset.vectors
    return tokenizer.batch(dataset.texts)
