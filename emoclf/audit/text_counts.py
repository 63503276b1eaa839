"""Counts of texts and predictions, which a bundle keeps to recognise a drift.

The counts contain no texts and no words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from emoclf.batching import lengths_of
from emoclf.bundle.json_values import JsonObject
from emoclf.text.vocabulary import UNKNOWN

#: Lower limits of the bins of lengths, in tokens.
LENGTHS = (0, 1, 2, 3, 5, 7, 10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448)
#: Lower limits of the bins of a text's share of unknown tokens; the last one contains
#: the texts without any known token.
UNKNOWN_SHARES = (0.0, 1e-9, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
#: Number of equal bins of the highest probability of a text, from 0 to 1.
CONFIDENCE_BINS = 20


@dataclass(frozen=True)
class TextCounts:
    """Numbers of texts by length, unknown tokens, prediction and confidence.

    Parameters
    ----------
    texts, tokens, unknown_tokens : int
        Numbers of all of them; tokens after the cut of long texts.
    confidence_sum : float
        Sum of each text's highest probability.
    lengths, unknown, labels, confidence : tuple of int
        Numbers of texts in the bins of ``LENGTHS``, ``UNKNOWN_SHARES``, of each
        predicted label (the last: none), and in the bins of confidence.
    """

    texts: int
    tokens: int
    unknown_tokens: int
    confidence_sum: float
    lengths: tuple[int, ...]
    unknown: tuple[int, ...]
    labels: tuple[int, ...]
    confidence: tuple[int, ...]

    @classmethod
    def count(
        cls,
        token_ids: Sequence[np.ndarray],
        probabilities: np.ndarray,
        thresholds: np.ndarray | None = None,
    ) -> Self:
        """Count encoded texts and their probabilities.

        Parameters
        ----------
        token_ids : sequence of ndarray of int, each of shape (length,)
        probabilities : ndarray of float, shape (n_texts, n_classes)
        thresholds : ndarray of float, shape (n_classes,), optional
            Of a multilabel classifier: lowest probability of each label.
        """
        lengths = lengths_of(token_ids)
        unknown = np.fromiter(
            ((ids == UNKNOWN).sum() for ids in token_ids), np.int64, len(token_ids)
        )
        # A text without tokens has no known one either.
        shares = np.where(lengths > 0, unknown / np.maximum(lengths, 1), 1.0)
        n_texts, n_classes = probabilities.shape
        if thresholds is None:
            labels = np.bincount(probabilities.argmax(1), minlength=n_classes + 1)
        else:
            chosen = probabilities >= thresholds
            labels = np.append(chosen.sum(0), (~chosen.any(1)).sum())
        highest = probabilities.max(1)
        bins = np.minimum(highest * CONFIDENCE_BINS, CONFIDENCE_BINS - 1).astype(int)
        return cls(
            texts=n_texts,
            tokens=int(lengths.sum()),
            unknown_tokens=int(unknown.sum()),
            confidence_sum=float(highest.sum(dtype=np.float64)),
            lengths=_in_bins(lengths, LENGTHS),
            unknown=_in_bins(shares, UNKNOWN_SHARES),
            labels=tuple(labels.tolist()),
            confidence=tuple(np.bincount(bins, minlength=CONFIDENCE_BINS).tolist()),
        )

    def __add__(self, other: TextCounts) -> TextCounts:
        sums: dict[str, Any] = {}
        for name, value in vars(self).items():
            more = getattr(other, name)
            if isinstance(value, tuple):
                sums[name] = tuple(a + b for a, b in zip(value, more, strict=True))
            else:
                sums[name] = value + more
        return TextCounts(**sums)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
        }

    @classmethod
    def from_dict(cls, values: Any, *, n_classes: int) -> Self:
        """Return the counts of a dict from :meth:`to_dict`.

        Raises
        ------
        ValueError
            If a value is missing or of a wrong type, or bins are of another version.
        """
        given = JsonObject(values, "reference")
        sizes = {
            "lengths": len(LENGTHS),
            "unknown": len(UNKNOWN_SHARES),
            "labels": n_classes + 1,
            "confidence": CONFIDENCE_BINS,
        }
        bins: dict[str, tuple[int, ...]] = {}
        for name, size in sizes.items():
            numbers = given.numbers(name)
            if len(numbers) != size or min(numbers) < 0 or sum(numbers) <= 0:
                raise ValueError(f"reference.{name} must be {size} counts of texts")
            bins[name] = tuple(map(int, numbers))
        return cls(
            texts=given.whole("texts", 1),
            tokens=given.whole("tokens"),
            unknown_tokens=given.whole("unknown_tokens"),
            confidence_sum=given.number("confidence_sum", 0.0),
            **bins,
        )


def _in_bins(values: np.ndarray, limits: Sequence[float]) -> tuple[int, ...]:
    numbers = np.searchsorted(limits, values, side="right") - 1
    return tuple(np.bincount(numbers, minlength=len(limits)).tolist())
