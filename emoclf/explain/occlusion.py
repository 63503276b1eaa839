"""Occlusion: what a prediction loses when a word is left out (Zeiler and Fergus, 2014).

It needs predictions only, so that it explains a classifier of any kind.
"""

from __future__ import annotations

import numpy as np

from emoclf.classifier import Classifier
from emoclf.explain.text_tokens import Token

#: Probabilities nearer to 0 or 1 have no log-odds in float32.
MIN_PROBABILITY = 1e-7
DESCRIPTION = (
    "Not exact (occlusion): the contribution of a word is the change of the log-odds "
    "when the word is left out. Contributions do not sum to the log-odds, because "
    "words interact. The bias is the log-odds of an empty text."
)


def occlude(
    classifier: Classifier, text: str, tokens: list[Token]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predict a text without each of its words.

    A space takes the place of the word, so that its neighbours stay as they are:
    tokens do not cross spaces.

    Parameters
    ----------
    classifier : Classifier
    text : str
    tokens : list of Token
        Tokens to leave out, one at a time.

    Returns
    -------
    log_odds, bias : ndarray of float32, shape (n_classes,)
        Log-odds of the text, and of an empty text.
    words : ndarray of float32, shape (n_tokens, n_classes)
        What each word changes.
    """
    # Beyond the last token is what was cut; it must not take a word's place.
    end = max((token.stop for token in tokens), default=0)
    texts = [f"{text[: t.start]} {text[t.stop : end]}" for t in tokens]
    text_log_odds = log_odds(
        classifier.predict_proba(["", text, *texts]), multilabel=classifier.multilabel
    )
    empty, whole, without = text_log_odds[0], text_log_odds[1], text_log_odds[2:]
    return whole, empty, whole - without


def log_odds(probabilities: np.ndarray, *, multilabel: bool) -> np.ndarray:
    """Return the logarithm of each class's odds, float32 of shape (n, n_classes)."""
    values = probabilities.astype(np.float64)
    # Rounded to float32, 1 - p would be 0 before the other labels' probabilities are.
    total = 1.0 if multilabel else values.sum(1, keepdims=True)
    complements = np.maximum(total - values, MIN_PROBABILITY)
    return np.log(np.maximum(values, MIN_PROBABILITY) / complements).astype(np.float32)
