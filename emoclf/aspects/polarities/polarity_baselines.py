"""Baselines of the polarity towards a term."""

from __future__ import annotations

import numpy as np

from emoclf.aspects.polarities.polarity_data import Part
from emoclf.aspects.polarities.polarity_metrics import accuracy_and_f1
from emoclf.aspects.polarities.polarity_targets import marked_windows
from emoclf.evaluation.baselines import (
    MAJORITY,
    TFIDF_SVM,
    majority_baseline,
    tfidf_baseline,
)
from emoclf.text.tokenizer import Tokenizer

#: Tokens on each side of a target that the baseline reads.
BASELINE_WINDOW = 8


def baseline_polarities(
    train: Part, test: Part, tokenizer: Tokenizer
) -> dict[str, list[str]]:
    """Return what baselines predict: majority, and TF-IDF + SVM on a window."""
    names = sorted({*train[1]})
    ids = np.array([names.index(label) for label in train[1]])
    windows = [
        list(marked_windows(part[0], tokenizer, BASELINE_WINDOW))
        for part in (train, test)
    ]
    baselines = {
        MAJORITY: majority_baseline(ids),
        f"{TFIDF_SVM}, {BASELINE_WINDOW} tokens around": tfidf_baseline(
            windows[0], ids
        ),
    }
    return {
        name: [names[i] for i in predict(windows[1])]
        for name, predict in baselines.items()
    }


def baseline_scores(
    train: Part,
    test: Part,
    tokenizer: Tokenizer,
) -> dict[str, dict[str, float]]:
    """Return the scores of these baselines."""
    predictions = baseline_polarities(train, test, tokenizer)
    return {
        name: accuracy_and_f1(test[1], labels) for name, labels in predictions.items()
    }
