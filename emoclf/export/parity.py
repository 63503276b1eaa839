"""Compare an export with the predictor on hard texts and on real ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from emoclf.classifier import Classifier
from emoclf.datasets.sample import load_sample
from emoclf.errors import ExportError

#: Largest difference of a probability where numbers are not rounded on purpose.
PROBABILITY_BOUND = 1e-5
#: Smallest share of equal labels where they are.
MIN_EQUAL_LABELS = 0.99
N_SAMPLE_TEXTS = 1000
# Beside ordinary sentences: nothing, white space, marks, joined emoji, other scripts.
HARD_TEXTS = (
    "",
    " \t\n",
    "!!! …??",
    "Don't! I can’t — won't.",
    "cafe\u0301 CAFÉ İSTANBUL ΟΔΟΣ",
    "👩‍👩‍👧‍👦 👍🏽 🇫🇷 :-) <3",
    "我很高兴，真的！",
    "שלום עליכם مرحبا",
    "word " * 700,
)


def parity_texts() -> list[str]:
    """Return the texts on which exports are compared: hard ones, then real ones."""
    return [*HARD_TEXTS, *load_sample().texts[:N_SAMPLE_TEXTS]]


def check_parity(
    predictor: Classifier,
    export: Classifier,
    *,
    name: str,
    bound: float | None = PROBABILITY_BOUND,
) -> dict[str, Any]:
    """Compare the predictions of an export with the predictor's, on 1,009 texts.

    Parameters
    ----------
    predictor, export : Classifier
    name : str
        Name of the export in messages.
    bound : float or None
        Largest difference of a probability; None: only 99 % of the labels must be
        equal, for exports with rounded numbers.

    Returns
    -------
    result : dict
        ``n_texts``; ``largest_difference`` of a probability; ``equal_labels``, the
        share of texts with equal labels, where labels that differ count as equal if
        the two likeliest are no more than twice the bound apart; and ``bound``.

    Raises
    ------
    ExportError
        If a probability differs by more, or a label differs where the two likeliest
        are more than twice the bound apart.
    """
    texts = parity_texts()
    expected, actual = predictor.predict_proba(texts), export.predict_proba(texts)
    differences = np.abs(actual - expected).max(1)
    difference = float(differences.max())
    if bound is not None and not difference <= bound:
        worst = int(np.nan_to_num(differences, nan=np.inf).argmax())
        raise ExportError(
            f"The {name} and the predictor differ by {difference:.2g} on the text "
            f"{texts[worst][:60]!r}; at most {bound:g} is allowed. Please report this."
        )
    labels = predictor.name_labels(expected)
    # By predict, not from the probabilities: a graph names labels by itself.
    predicted = export.predict(texts)
    ties = _near_ties(predictor, expected, 2 * (bound or 0.0))
    unequal = [
        i for i in range(len(texts)) if labels[i] != predicted[i] and not ties[i]
    ]
    share = 1 - len(unequal) / len(texts)
    if share < (MIN_EQUAL_LABELS if bound is None else 1):
        first = unequal[0]
        advice = (
            f"At least {MIN_EQUAL_LABELS:.0%} must be; export it without rounding."
            if bound is None
            else "Please report this."
        )
        raise ExportError(
            f"The {name} predicts {predicted[first]!r} and the predictor "
            f"{labels[first]!r} for the text {texts[first][:60]!r}; {share:.2%} of the "
            f"labels are equal. {advice}"
        )
    return {
        "n_texts": len(texts),
        "largest_difference": difference,
        "equal_labels": share,
        "bound": bound,
    }


def _near_ties(
    predictor: Classifier, probabilities: np.ndarray, width: float
) -> np.ndarray:
    """Return for each text whether a difference of this width can change its label."""
    if predictor.multilabel:
        return (np.abs(probabilities - predictor.thresholds) <= width).any(1)
    ordered = np.sort(probabilities, axis=1)
    return ordered[:, -1] - ordered[:, -2] <= width
