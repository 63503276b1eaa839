"""Comparing an export with the predictor, before it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from emoclf.classifier import Classifier
from emoclf.datasets.sample import load_sample
from emoclf.errors import ExportError

#: Largest difference of a probability where numbers are not rounded on purpose.
BOUND = 1e-5
#: Least share of equal labels where they are.
EQUAL = 0.99
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


@dataclass(frozen=True)
class Parity:
    """How an export answers, beside the predictor.

    Parameters
    ----------
    n_texts : int
    largest_difference : float
        Of a probability.
    equal_labels : float
        Share of texts with equal labels; where the two likeliest lie within twice the
        bound of each other, either is equal.
    bound : float or None
        What the difference must not exceed; None where numbers are rounded on purpose.
    """

    n_texts: int
    largest_difference: float
    equal_labels: float
    bound: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def parity_texts(texts: Sequence[str] | None = None) -> list[str]:
    """Return what exports are compared on: hard texts, and real ones.

    Parameters
    ----------
    texts : sequence of str, optional
        Such as the classifier will get; else sentences of the bundled corpus.
    """
    if texts is None:
        texts = load_sample().texts[:1000]
    return [*HARD_TEXTS, *texts]


def check_parity(
    predictor: Classifier,
    export: Classifier,
    *,
    what: str,
    bound: float | None = BOUND,
    texts: Sequence[str] | None = None,
) -> Parity:
    """Compare an export with the predictor.

    Parameters
    ----------
    predictor, export : Classifier
    what : str
        The export's name in messages.
    bound : float or None
        Largest difference of a probability; None asks for 99 % equal labels alone, as
        fits rounded numbers.
    texts : sequence of str, optional

    Raises
    ------
    ExportError
        If a probability differs by more, or a label differs where the two likeliest
        are further apart than twice the bound.
    """
    texts = parity_texts(texts)
    expected, found = predictor.predict_proba(texts), export.predict_proba(texts)
    off = np.abs(found - expected).max(1)
    difference = float(off.max())
    if bound is not None and not difference <= bound:
        worst = int(np.nan_to_num(off, nan=np.inf).argmax())
        raise ExportError(
            f"The {what} and the predictor differ by {difference:.2g} on the text "
            f"{texts[worst][:60]!r}; at most {bound:g} is allowed. Please report this."
        )
    labels = predictor.name_labels(expected)
    # Its own way to a label as well: a graph has one inside.
    answers = export.predict(texts)
    near = _near(predictor, expected, 2 * (bound or 0.0))
    differs = [
        i
        for i, (label, answer) in enumerate(zip(labels, answers, strict=True))
        if label != answer and not near[i]
    ]
    equal = 1 - len(differs) / len(texts)
    if equal < (EQUAL if bound is None else 1):
        first = differs[0]
        raise ExportError(
            f"The {what} answers {answers[first]!r} where the predictor answers "
            f"{labels[first]!r}, on the text {texts[first][:60]!r}; {equal:.2%} of the "
            f"labels are equal. {_advice(bound)}"
        )
    return Parity(len(texts), difference, equal, bound)


def _near(predictor: Classifier, expected: np.ndarray, width: float) -> np.ndarray:
    """Say of which texts the label hangs on a difference of this width."""
    if predictor.multilabel:
        return (np.abs(expected - predictor.thresholds) <= width).any(1)
    best = np.sort(expected, axis=1)
    return best[:, -1] - best[:, -2] <= width


def _advice(bound: float | None) -> str:
    if bound is None:
        return f"At least {EQUAL:.0%} must be; export it without rounding."
    return "Please report this."
