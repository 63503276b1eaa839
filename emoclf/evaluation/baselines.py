"""Baselines that a network has to beat, trained and evaluated on the same texts."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

MAJORITY = "majority class"
TFIDF_SVM = "TF-IDF + linear SVM"


class MajorityBaseline:
    """Predict the most frequent class of the training set for every text.

    For multilabel texts: the labels that more than half of the texts have, or the most
    frequent label alone.
    """

    name = MAJORITY

    def __init__(self, targets: np.ndarray) -> None:
        if targets.ndim == 1:
            self._prediction = np.asarray(np.bincount(targets).argmax())
        else:
            shares = targets.mean(0)
            predicted = shares > 0.5
            if not predicted.any():
                predicted[shares.argmax()] = True
            self._prediction = predicted.astype(np.int64)

    def predict(self, token_lists: Sequence[Sequence[str]]) -> np.ndarray:
        """Return class ids, or 0 and 1 for each label."""
        shape = (len(token_lists), *self._prediction.shape)
        return np.broadcast_to(self._prediction, shape).copy()


class TfidfBaseline:
    """TF-IDF of tokens and token pairs, and a linear support vector machine.

    The strongest classical baseline on small sets of sentences; Wang and Manning
    (2012), "Baselines and Bigrams". It gets the same tokens as the network. Trained on
    texts without tokens, or with one class, it predicts as the majority baseline does,
    so that a trained network is not lost because a baseline cannot be fitted.
    """

    name = TFIDF_SVM

    def __init__(
        self, token_lists: Sequence[Sequence[str]], targets: np.ndarray
    ) -> None:
        self._shape = targets.shape[1:]
        self._fitted: Pipeline | MajorityBaseline
        if not any(map(len, token_lists)) or len(np.unique(targets, axis=0)) < 2:
            self._fitted = MajorityBaseline(targets)
            return
        vectorizer = TfidfVectorizer(analyzer=_tokens_and_pairs, sublinear_tf=True)
        svm: LinearSVC | OneVsRestClassifier = LinearSVC(C=0.5, random_state=0)
        if targets.ndim == 2:
            # Without class weights a rare label would never be predicted.
            svm = OneVsRestClassifier(svm.set_params(class_weight="balanced"))
        self._fitted = make_pipeline(vectorizer, svm)
        with warnings.catch_warnings():
            # A baseline need not converge completely.
            warnings.simplefilter("ignore", ConvergenceWarning)
            # One-versus-rest warns when a label is on no or on every training text.
            warnings.filterwarnings("ignore", "Label .* is present", UserWarning)
            self._fitted.fit(token_lists, targets)

    def predict(self, token_lists: Sequence[Sequence[str]]) -> np.ndarray:
        """Return class ids, or 0 and 1 for each label."""
        predicted = np.asarray(self._fitted.predict(token_lists)).astype(np.int64)
        # scikit-learn drops the axis of a single label.
        return predicted.reshape(len(token_lists), *self._shape)


def _tokens_and_pairs(tokens: Sequence[str]) -> list[str]:
    """Return tokens and pairs of neighbours; tokens contain no space."""
    return [*tokens, *map(" ".join, itertools.pairwise(tokens))]


def fit_baselines(
    token_lists: Sequence[Sequence[str]], targets: np.ndarray
) -> list[MajorityBaseline | TfidfBaseline]:
    """Fit all baselines on the training set.

    Parameters
    ----------
    token_lists : sequence of token lists
    targets : ndarray
        Class ids, shape (n,); or 0 and 1, shape (n, n_classes).
    """
    return [MajorityBaseline(targets), TfidfBaseline(token_lists, targets)]
