"""Groups of texts on which a classifier is worse than on the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.stats import fisher_exact

from emoclf.classifier import Classifier
from emoclf.display import align, shorten_text
from emoclf.errors import DataError
from emoclf.evaluation.predicted_texts import Predictions
from emoclf.text.vocabulary import UNKNOWN

#: Fewer texts are not called weak, however wrong their labels are.
MIN_SEGMENT_TEXTS = 10
#: Probability of naming any segment weak by chance, for each column.
SIGNIFICANCE = 0.05
#: Values of a column with a segment of their own; the others share one.
MAX_VALUES = 12
#: Upper ends of the shares of unknown words.
UNKNOWN_SHARES = (0.0, 0.1, 0.25, 1.0)


@dataclass(frozen=True)
class Segment:
    """Texts with the same value of a column.

    Parameters
    ----------
    column, value : str
    n : int
        Number of texts.
    accuracy : float
        Share of texts whose label is, or whose labels all are, predicted correctly.
    rest : float or None
        The same of all other texts; None if there are none.
    is_weak : bool
        Whether the accuracy is lower than the rest's beyond chance: Fisher's exact
        test, one-sided, with Bonferroni's correction for the segments of the column.
    """

    column: str
    value: str
    n: int
    accuracy: float
    rest: float | None
    is_weak: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def segments(
    predictions: Predictions, columns: Mapping[str, Sequence[Any]]
) -> list[Segment]:
    """Compare the accuracy of each group of texts with that of all others.

    Parameters
    ----------
    predictions : Predictions
        ``evaluation.predictions``, or ``report.network.predictions``.
    columns : mapping of str to sequence
        Value of each text, by the name of the column; see also :func:`text_columns`.

    Returns
    -------
    segments : list of Segment
        Column by column, the lowest accuracy first.

    Raises
    ------
    DataError
        If a column has not one value for each text.
    """
    all_segments = []
    for column, values in columns.items():
        if len(values) != len(predictions):
            raise DataError(
                f"The column {column!r} must have {len(predictions)} values, one for "
                f"each text. Got {len(values)}."
            )
        all_segments += _segments_of(
            column, [str(value) for value in values], predictions
        )
    return all_segments


def _segments_of(
    column: str, values: list[str], predictions: Predictions
) -> list[Segment]:
    names, value_ids = np.unique(np.array(values, object), return_inverse=True)
    counts = np.bincount(value_ids, minlength=len(names))
    if len(names) > MAX_VALUES:
        rare = np.argsort(-counts, kind="stable")[MAX_VALUES:]
        groups = np.arange(len(names))
        groups[rare] = len(names)
        value_ids = groups[value_ids]
        names = np.append(names, f"{len(rare)} other values")
    used_ids = np.unique(value_ids)
    column_segments = []
    for value_id in used_ids.tolist():
        inside = value_ids == value_id
        right, rest = predictions.right[inside], predictions.right[~inside]
        table = [[(~right).sum(), right.sum()], [(~rest).sum(), rest.sum()]]
        by_chance = fisher_exact(table, alternative="greater").pvalue
        column_segments.append(
            Segment(
                column,
                str(names[value_id]),
                len(right),
                float(right.mean()),
                float(rest.mean()) if len(rest) else None,
                bool(
                    len(right) >= MIN_SEGMENT_TEXTS
                    and by_chance < SIGNIFICANCE / len(used_ids)
                ),
            )
        )
    return sorted(column_segments, key=lambda segment: segment.accuracy)


def text_columns(classifier: Classifier, texts: Sequence[str]) -> dict[str, list[str]]:
    """Return columns that the texts have by themselves: length, unknown words.

    Parameters
    ----------
    classifier : Classifier
        Its tokenizer and vocabulary are used.
    texts : sequence of str

    Returns
    -------
    columns : dict of str to list of str
        For :func:`segments`.
    """
    token_ids = classifier.token_ids(list(texts))
    lengths = np.array([len(ids) for ids in token_ids])
    unknown = [(ids == UNKNOWN).mean() if len(ids) else 1.0 for ids in token_ids]
    ends = np.unique(np.quantile(lengths, [0.25, 0.5, 0.75, 1.0]).astype(int))
    firsts = [0, *(ends[:-1] + 1)]
    names = [f"{a} to {b} tokens" for a, b in zip(firsts, ends, strict=True)]
    limits = [f"{100 * share:.0f}" for share in UNKNOWN_SHARES]
    shares = ["none", *(f"{a} to {b} %" for a, b in pairwise(limits))]
    return {
        "length": [names[i] for i in np.searchsorted(ends, lengths)],
        "unknown words": [shares[i] for i in np.searchsorted(UNKNOWN_SHARES, unknown)],
    }


def segment_lines(groups: Sequence[Segment]) -> list[str]:
    """Return groups of texts as a table; an asterisk marks the weak ones."""
    rows = [["", "", "texts", "accuracy", "others"]]
    for segment in groups:
        rest = "–" if segment.rest is None else f"{segment.rest:.3f}"
        mark = "*" if segment.is_weak else ""
        value, accuracy = shorten_text(segment.value, 40), f"{segment.accuracy:.3f}"
        rows.append([segment.column, value, str(segment.n), mark + accuracy, rest])
    lines = ["Accuracy by groups of texts", *align(rows, left=2)]
    if any(segment.is_weak for segment in groups):
        lines.append("* lower than the others' beyond chance")
    return lines
