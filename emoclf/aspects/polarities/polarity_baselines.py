"""Baselines of the polarity towards a term."""

from __future__ import annotations

import numpy as np

from emoclf.aspects.polarities.polarity_data import Part
from emoclf.aspects.polarities.polarity_metrics import accuracy_and_f1
from emoclf.aspects.polarities.polarity_targets import marked_windows
from emoclf.evaluation.baselines import TFIDF_SVM, fit_baselines
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
    of_windows = {TFIDF_SVM: f"{TFIDF_SVM}, {BASELINE_WINDOW} tokens around"}
    return {
        of_windows.get(name, name): [names[i] for i in predict(windows[1])]
        for name, predict in fit_baselines(windows[0], ids).items()
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
