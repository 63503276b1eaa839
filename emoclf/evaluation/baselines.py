"""What a network has to beat: trained on the same texts, judged on the same part."""

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
    """Always answer as the training part mostly does.

    For several labels per text: those that more than half of the texts have, or the
    most frequent one alone.
    """

    name = MAJORITY

    def __init__(self, targets: np.ndarray) -> None:
        if targets.ndim == 1:
            self._answer = np.asarray(np.bincount(targets).argmax())
        else:
            share = targets.mean(0)
            often = share > 0.5
            if not often.any():
                often[share.argmax()] = True
            self._answer = often.astype(np.int64)

    def predict(self, token_lists: Sequence[Sequence[str]]) -> np.ndarray:
        """Return class ids, or 0 and 1 for each label."""
        return np.broadcast_to(
            self._answer, (len(token_lists), *self._answer.shape)
        ).copy()


class TfidfBaseline:
    """TF-IDF of words and word pairs, and a linear support vector machine.

    The strongest classical floor on small sets of sentences; Wang and Manning (2012),
    "Baselines and Bigrams". It sees the same tokens as the network. Trained on texts
    without tokens, or with one class, it answers as the majority floor: a classifier
    that took an hour to train is not lost because its floor cannot be fitted.
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
        vectorizer = TfidfVectorizer(analyzer=_pairs, sublinear_tf=True)
        machine: LinearSVC | OneVsRestClassifier = LinearSVC(C=0.5, random_state=0)
        if targets.ndim == 2:
            # Unweighted, a label of few texts is on the wrong side of every margin:
            # the floor would answer nothing, and be no floor.
            machine = OneVsRestClassifier(
                LinearSVC(C=0.5, random_state=0, class_weight="balanced")
            )
        self._fitted = make_pipeline(vectorizer, machine)
        with warnings.catch_warnings():
            # A floor that has not quite converged is a floor.
            warnings.simplefilter("ignore", ConvergenceWarning)
            # One-versus-rest says so when a label is on no or on every training text.
            warnings.filterwarnings("ignore", "Label .* is present", UserWarning)
            self._fitted.fit(token_lists, targets)

    def predict(self, token_lists: Sequence[Sequence[str]]) -> np.ndarray:
        """Return class ids, or 0 and 1 for each label."""
        found = np.asarray(self._fitted.predict(token_lists)).astype(np.int64)
        # scikit-learn drops the axis of a single label.
        return found.reshape(len(token_lists), *self._shape)


def _pairs(tokens: Sequence[str]) -> list[str]:
    """Return words and pairs of neighbours; tokens hold no space."""
    return [*tokens, *map(" ".join, itertools.pairwise(tokens))]


def fit_baselines(
    token_lists: Sequence[Sequence[str]], targets: np.ndarray
) -> list[MajorityBaseline | TfidfBaseline]:
    """Fit all floors on the training part.

    Parameters
    ----------
    token_lists : sequence of token lists
    targets : ndarray
        Class ids, shape (n,); or 0 and 1, shape (n, n_classes).
    """
    return [MajorityBaseline(targets), TfidfBaseline(token_lists, targets)]
