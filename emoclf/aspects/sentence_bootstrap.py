"""Bootstrap of sentences: how far the scores of terms vary on other sentences.

Whole sentences are drawn, since the terms of one sentence are not independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

import numpy as np

from emoclf.aspects.terms.span_metrics import SpanScores
from emoclf.evaluation.bootstrap import ratio, resampled_counts


def span_draws(parts: Sequence[SpanScores]) -> dict[str, np.ndarray]:
    """Return the scores of many resampled sets of sentences.

    Parameters
    ----------
    parts : sequence of SpanScores
        Scores of each sentence by itself.

    Returns
    -------
    scores : dict of str to ndarray of float, shape (draws,)
        By the names of the properties of SpanScores; empty without sentences.
    """
    if not parts:
        return {}
    counts = attrgetter(
        "n_gold", "n_predicted", "n_exact", "partial", "n_unseen", "n_unseen_exact"
    )
    rows = np.array([counts(x) for x in parts], float)
    gold, predicted, exact, partial, unseen, unseen_exact = _sums(rows).T
    return {
        "precision": ratio(exact, predicted),
        "recall": ratio(exact, gold),
        "f1": ratio(2 * exact, gold + predicted),
        "partial_f1": ratio(2 * partial, gold + predicted),
        "unseen_recall": ratio(unseen_exact, unseen),
    }


def macro_f1_draws(
    texts: Sequence[str], labels: Sequence[str], predicted: Sequence[str]
) -> np.ndarray:
    """Return the macro-F1 of polarities on many resampled sets of sentences.

    Parameters
    ----------
    texts : sequence of str
        Sentence of each term.
    labels, predicted : sequence of str
        True and predicted polarity of each term.

    Returns
    -------
    scores : ndarray of float, shape (draws,)
        Means over the labels that a draw contains, or that are predicted in it.
    """
    names = np.array(sorted({*labels, *predicted}))
    true_hot = (np.array(labels)[:, None] == names).astype(float)
    predicted_hot = (np.array(predicted)[:, None] == names).astype(float)
    terms = np.hstack([true_hot * predicted_hot, predicted_hot, true_hot])
    sentence = np.unique(np.array(texts, object), return_inverse=True)[1]
    rows = np.zeros((sentence.max() + 1, terms.shape[1]))
    np.add.at(rows, sentence, terms)
    hits, n_predicted, n_true = np.split(_sums(rows), 3, axis=1)
    count = n_predicted + n_true
    return ratio(ratio(2 * hits, count).sum(1), (count > 0).sum(1))


def _sums(rows: np.ndarray) -> np.ndarray:
    """Return the sums of the rows of each draw, shape (draws, columns)."""
    return np.concatenate([counts @ rows for _, counts in resampled_counts(len(rows))])
