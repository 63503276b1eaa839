"""Compare new texts with those of a training: has something drifted?

Distances are Jensen-Shannon distances (Lin 1991; the square root of the divergence with
logarithms to base 2, from 0 to 1) between histograms. Two samples of the same texts
differ by chance too, the more the fewer texts there are: how much is simulated, so that
small files give no false alarms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from emoclf.audit.text_counts import TextCounts
from emoclf.classifier import CHUNK_TEXTS
from emoclf.display import HtmlLines, wrap_lines
from emoclf.errors import BundleError, DataError
from emoclf.predictor import Predictor, as_predictor
from emoclf.text.validation import iterate_texts

if TYPE_CHECKING:
    import pandas as pd

#: Key of the counts in the metrics of a bundle.
REFERENCE = "reference"
#: Distance below which a difference is not called a drift, however certain it is. A
#: share of two equal classes that moves from 50 % to 62 % is at this distance.
MIN_DISTANCE = 0.1
#: Share of the simulations that may exceed the limit: five measures together alarm in
#: fewer than 1 of 100 files without a drift.
FALSE_ALARM_RATE = 0.002
N_SIMULATIONS = 2000


@dataclass(frozen=True)
class DriftMeasure:
    """One property of texts, compared with that at the training.

    Parameters
    ----------
    name : str
        ``length``, ``unknown_words``, ``no_known_word``, ``predicted_labels`` or
        ``confidence``.
    before, now : str
        Mean or share at the training and in the new texts.
    distance : float in [0, 1]
        Jensen-Shannon distance of the distributions.
    by_chance : float in [0, 1]
        Distance that equal texts exceed in 2 of 1,000 samples of these sizes.
    """

    name: str
    before: str
    now: str
    distance: float
    by_chance: float

    @property
    def has_drifted(self) -> bool:
        """Whether the distance is large, and larger than chance explains."""
        return self.distance > max(MIN_DISTANCE, self.by_chance)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**vars(self), "has_drifted": self.has_drifted}

    def line(self) -> str:
        """Return the measure as a sentence."""
        verdict = "no drift"
        if self.has_drifted:
            verdict = "drift"
        elif self.distance > self.by_chance:
            verdict = "a small difference"
        return (
            f"{_TITLES[self.name]}: {self.now}, in training {self.before}: "
            f"{verdict} (distance {self.distance:.3f}; expected by chance: up to "
            f"{self.by_chance:.3f})."
        )


_TITLES = {
    "length": "Tokens per text",
    "unknown_words": "Unknown words",
    "no_known_word": "Texts without a known word",
    "predicted_labels": "Predicted labels",
    "confidence": "Mean confidence",
}


@dataclass(frozen=True, repr=False)
class Drift(HtmlLines):
    """Comparison of new texts with those of a training.

    Parameters
    ----------
    n_texts, n_reference : int
        Number of new texts, and of validation texts that they are compared with.
    measures : tuple of DriftMeasure
    """

    n_texts: int
    n_reference: int
    measures: tuple[DriftMeasure, ...]

    @property
    def has_drifted(self) -> bool:
        """Whether any of the measures has drifted."""
        return any(measure.has_drifted for measure in self.measures)

    def _facts(self) -> dict[str, object]:
        drifted = [measure.name for measure in self.measures if measure.has_drifted]
        return {"texts": f"{self.n_texts:,}", "drift": ", ".join(drifted) or "none"}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "texts": self.n_texts,
            "reference_texts": self.n_reference,
            "has_drifted": self.has_drifted,
            "measures": [measure.to_dict() for measure in self.measures],
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with a row for each measure."""
        import pandas as pd  # Most programs need no frames.

        rows = [measure.to_dict() for measure in self.measures]
        return pd.DataFrame(rows).set_index("name")

    def lines(self) -> list[str]:
        """Return the comparison as sentences."""
        drifted = [m for m in self.measures if m.has_drifted]
        verdict = "The new texts look like the training texts."
        if drifted:
            names = ", ".join(_TITLES[measure.name].lower() for measure in drifted)
            verdict = (
                f"The new texts differ from the training texts ({names}), so that the "
                "classifier's test scores do not hold for them. Read some, label a few "
                "hundred, and evaluate the classifier on them."
            )
        return wrap_lines(
            [
                f"{self.n_texts:,} texts, compared with {self.n_reference:,} "
                "validation texts.",
                *(measure.line() for measure in self.measures),
                verdict,
            ]
        )


def reference_counts(
    token_ids: Sequence[np.ndarray], probabilities: np.ndarray, thresholds: Any
) -> dict[str, Any] | None:
    """Return the counts of the validation set, for the metrics of a bundle.

    Validation texts are the right ones to compare with: all words of training texts
    are known, and the network is surer of them.

    Returns
    -------
    counts : dict or None
        None if the network predicts no finite probabilities.
    """
    if not np.isfinite(probabilities).all() or not len(token_ids):
        return None
    return TextCounts.count(token_ids, probabilities, thresholds).to_dict()


def check_drift(predictor: Any, texts: Iterable[str]) -> Drift:
    """Compare texts with the validation texts of a classifier's training.

    Parameters
    ----------
    predictor : Predictor, TrainedClassifier, EmotionClassifier, SearchResult or Bundle
    texts : iterable of str
        New texts, without labels; also a DataFrame. They are read in chunks. Texts of
        the training itself look different: all their words are known.

    Returns
    -------
    drift : Drift

    Raises
    ------
    BundleError
        If the classifier was trained before version 0.5, and keeps no counts.
    DataError
        If there are no texts, or one is not a str.

    Examples
    --------
    >>> from emoclf import Predictor, check_drift
    >>> model = Predictor.load("emotions.emoclf")  # doctest: +SKIP
    >>> print("\\n".join(check_drift(model, texts).lines()))  # doctest: +SKIP
    """
    predictor = as_predictor(predictor)
    inputs = predictor.bundle.inputs
    if inputs is not None and inputs.encoder is None:
        raise DataError(
            "This classifier was trained on precomputed vectors, but drift is measured "
            "on words. Compare the probabilities of old and new vectors instead."
        )
    reference = _reference(predictor)
    counts = _count(predictor, iter(iterate_texts(texts, predictor.text_column)))
    if counts is None:
        raise DataError("There are no texts to compare. Give at least one.")
    names = [*predictor.label_names, "none"]
    return Drift(counts.texts, reference.texts, _measures(reference, counts, names))


def _reference(predictor: Predictor) -> TextCounts:
    values = predictor.bundle.metrics.get(REFERENCE)
    if values is None:
        raise BundleError(
            "This classifier contains no counts of its validation texts: it was "
            "trained by an older emoclf, or refitted on all texts. Train it again, "
            "without --refit, to check for drift."
        )
    try:
        return TextCounts.from_dict(values, n_classes=len(predictor.label_names))
    except ValueError as error:
        raise BundleError(
            f"The counts of this classifier's training texts are damaged: {error}. "
            "Restore the bundle from a copy, or train it again."
        ) from None


def _count(predictor: Predictor, texts: Any) -> TextCounts | None:
    """Count texts in chunks, so that files of any size fit into memory."""
    total = None
    thresholds = predictor.thresholds if predictor.multilabel else None
    while chunk := list(islice(texts, CHUNK_TEXTS)):
        token_ids, probabilities = predictor.predict_with_ids(chunk)
        counts = TextCounts.count(token_ids, probabilities, thresholds)
        total = counts if total is None else total + counts
    return total


def _measures(
    before: TextCounts, now: TextCounts, names: list[str]
) -> tuple[DriftMeasure, ...]:
    both = (before, now)
    unknown_shares = [c.unknown_tokens / max(c.tokens, 1) for c in both]
    shares = [np.array(c.labels) / max(sum(c.labels), 1) for c in both]
    # The label whose share has changed most.
    label = int(np.abs(shares[1] - shares[0]).argmax())
    shown = {
        "length": [f"{c.tokens / c.texts:.1f}" for c in both],
        "unknown_words": [f"{share:.1%}" for share in unknown_shares],
        "no_known_word": [f"{c.unknown[-1] / c.texts:.1%}" for c in both],
        "predicted_labels": [f"{names[label]} {share[label]:.1%}" for share in shares],
        "confidence": [f"{c.confidence_sum / c.texts:.2f}" for c in both],
    }
    histograms: dict[str, list[Any]] = {
        "length": [c.lengths for c in both],
        "unknown_words": [c.unknown for c in both],
        "no_known_word": [(c.texts - c.unknown[-1], c.unknown[-1]) for c in both],
        "predicted_labels": [c.labels for c in both],
        "confidence": [c.confidence for c in both],
    }
    rng = np.random.default_rng(0)

    def measure(name: str) -> DriftMeasure:
        old, new = map(np.array, histograms[name])
        distance = float(jensen_shannon(old, new))
        chance = _chance_distance(old, new, rng)
        return DriftMeasure(name, shown[name][0], shown[name][1], distance, chance)

    return tuple(map(measure, _TITLES))


def jensen_shannon(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the Jensen-Shannon distances of histograms.

    Parameters
    ----------
    first, second : ndarray of numbers >= 0, shape (…, n_bins)

    Examples
    --------
    >>> float(jensen_shannon(np.array([5, 5]), np.array([10, 10])))
    0.0
    >>> float(jensen_shannon(np.array([5, 0]), np.array([0, 10])))
    1.0
    """
    p, q = (x / x.sum(axis=-1, keepdims=True) for x in (first, second))
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = [np.where(x > 0, x * np.log2(x / middle), 0.0) for x in (p, q)]
    return np.sqrt(np.maximum((terms[0] + terms[1]).sum(axis=-1) / 2, 0.0))


def _chance_distance(
    old: np.ndarray, new: np.ndarray, rng: np.random.Generator
) -> float:
    """Return the distance that equal texts seldom exceed, for these sizes.

    Each count is a draw of its own: several labels of one text make the limit a little
    too low.
    """
    together = (old + new) / (old.sum() + new.sum())
    samples = [rng.multinomial(x.sum(), together, N_SIMULATIONS) for x in (old, new)]
    return float(np.quantile(jensen_shannon(*samples), 1 - FALSE_ALARM_RATE))
