"""Baselines that a network has to beat, trained and evaluated on the same texts."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Sequence

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

MAJORITY = "majority class"
TFIDF_SVM = "TF-IDF + linear SVM"


#: From token lists to class ids, or 0 and 1 for each label.
Predict = Callable[[Sequence[Sequence[str]]], np.ndarray]


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
    if not any(map(len, token_lists)) or len(np.unique(targets, axis=0)) < 2:
        return majority_baseline(targets)
    vectorizer = TfidfVectorizer(analyzer=_tokens_and_pairs, sublinear_tf=True)
    svm: LinearSVC | OneVsRestClassifier = LinearSVC(C=0.5, random_state=0)
    if targets.ndim == 2:
        # Without class weights a rare label would never be predicted.
        svm = OneVsRestClassifier(svm.set_params(class_weight="balanced"))
    pipeline = make_pipeline(vectorizer, svm)
    with warnings.catch_warnings():
        # A baseline need not converge completely.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # One-versus-rest warns when a label is on no or on every training text.
        warnings.filterwarnings("ignore", "Label .* is present", UserWarning)
        pipeline.fit(token_lists, targets)

    def predict(texts: Sequence[Sequence[str]]) -> np.ndarray:
        predicted = np.asarray(pipeline.predict(texts)).astype(np.int64)
        # scikit-learn drops the axis of a single label.
        return predicted.reshape(len(texts), *targets.shape[1:])

    return predict


def _tokens_and_pairs(tokens: Sequence[str]) -> list[str]:
    """Return tokens and pairs of neighbours; tokens contain no space."""
    return [*tokens, *map(" ".join, itertools.pairwise(tokens))]


def fit_baselines(
    token_lists: Sequence[Sequence[str]], targets: np.ndarray
) -> dict[str, Predict]:
    """Fit all baselines on the training set, and return them by name.

    Parameters
    ----------
    token_lists : sequence of token lists
    targets : ndarray
        Class ids, shape (n,); or 0 and 1, shape (n, n_classes).
    """
    return {
        MAJORITY: majority_baseline(targets),
        TFIDF_SVM: tfidf_baseline(token_lists, targets),
    }
