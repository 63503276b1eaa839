"""Find labels that are probably wrong, by confident learning.

Each text gets probabilities from classifiers that were trained without it and without
its near-duplicates. A label is an issue if these probabilities contradict it more than
is usual for its class (Northcutt, Jiang, Chuang 2021: "Confident Learning: Estimating
Uncertainty in Dataset Labels"); the package cleanlab decides and ranks.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from emoclf.audit.audited_texts import AuditedTexts
from emoclf.audit.quick_classifier import out_of_fold_probabilities
from emoclf.datasets.rows import names_of
from emoclf.datasets.stratify import deal_groups
from emoclf.display import HtmlLines, printable, shorten_text
from emoclf.doctor.findings import Finding
from emoclf.errors import DataError
from emoclf.optional import require

if TYPE_CHECKING:
    import pandas as pd

N_FOLDS = 5
#: Of cleanlab's filters the one with the fewest false alarms (tests/benchmarks).
FILTER = "confident_learning"
SHOWN_LABELS = 10


@dataclass(frozen=True)
class LabelledText:
    """A text, its label, and how probable the label is.

    Parameters
    ----------
    source : str
        Name of the file or dataset.
    place : str
        Place in it, such as ``line 18``.
    text : str
    given_label, predicted_label : tuple of str
        Labels in the data, and those that are more probable; one or several.
    probability : float in [0, 1]
        Probability of the predicted label; of several labels the lowest.
    label_score : float in [0, 1]
        Quality of the given label; low scores are probably wrong.
    is_label_issue : bool
        Whether confident learning calls the label wrong.
    """

    source: str
    place: str
    text: str
    given_label: tuple[str, ...]
    predicted_label: tuple[str, ...]
    probability: float
    label_score: float
    is_label_issue: bool


@dataclass(frozen=True, repr=False)
class WrongLabels(HtmlLines):
    """All texts, ranked from the most probably mislabelled one.

    The names of columns are those of cleanlab.

    Parameters
    ----------
    ranked : tuple of LabelledText
        First those that are label issues, by their scores; then the others.
    accuracy : float
        Share of texts whose predicted label is the given one: where it is low, the
        ranking is not worth much.
    multilabel : bool
    """

    ranked: tuple[LabelledText, ...]
    accuracy: float
    multilabel: bool

    def __len__(self) -> int:
        return len(self.ranked)

    def __iter__(self) -> Iterator[LabelledText]:
        return iter(self.ranked)

    @property
    def issues(self) -> tuple[LabelledText, ...]:
        """The texts whose labels are probably wrong, the most probable first."""
        return tuple(one for one in self.ranked if one.is_label_issue)

    def _facts(self) -> dict[str, object]:
        return {"texts": f"{len(self):,}", "label issues": f"{len(self.issues):,}"}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, without the texts whose labels seem right."""
        return {
            "accuracy": self.accuracy,
            "issues": [
                {
                    **vars(one),
                    "given_label": list(one.given_label),
                    "predicted_label": list(one.predicted_label),
                }
                for one in self.issues
            ],
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with a row for each text, in the order of the ranking."""
        import pandas as pd  # Most programs need no frames.

        frame = pd.DataFrame([vars(one) for one in self.ranked])
        if not self.multilabel:
            for column in ("given_label", "predicted_label"):
                frame[column] = [labels[0] for labels in frame[column]]
        return frame

    def lines(self) -> list[str]:
        """Return the first label issues as text."""
        issues = self.issues
        lines = [
            f"Labels that may be wrong: {len(issues):,} of {len(self):,}, those most "
            "probably wrong first. The classifiers that predict another label have an "
            f"accuracy of {self.accuracy:.1%} on all texts; if that is low, many of "
            "these labels are correct."
        ]
        for one in issues[:SHOWN_LABELS]:
            given, better = map(_joined, (one.given_label, one.predicted_label))
            text = shorten_text(" ".join(one.text.split()))
            lines.append(
                printable(
                    f"  {one.place}: {given}, probably {better} "
                    f"({one.probability:.0%}): {text!r}"
                )
            )
        return lines


def _joined(labels: Sequence[str]) -> str:
    return ", ".join(labels) or "no label"


def find_wrong_labels(texts: AuditedTexts, *, seed: int = 0) -> WrongLabels:
    """Rank texts by how probably their labels are wrong.

    Parameters
    ----------
    texts : AuditedTexts
        Texts of all sets; the label of any of them may be wrong.
    seed : int
        Seed of the folds.

    Raises
    ------
    DataError
        If there are fewer than two classes or too few texts for the folds.
    MissingDependency
        If cleanlab is not installed.
    """
    # Before any training, so that a missing package is known at once.
    filters, ranks = require_cleanlab(multilabel=texts.multilabel)
    names = _names(texts)
    labels = [[names.index(name) for name in names_of(x)] for x in texts.labels]
    probabilities = _out_of_fold(texts, labels, len(names), seed=seed)
    given: Any = labels if texts.multilabel else np.array([x[0] for x in labels])
    with warnings.catch_warnings():
        # About classes without issues, and the like.
        warnings.simplefilter("ignore")
        is_issue = filters.find_label_issues(
            given, probabilities, filter_by=FILTER, n_jobs=1
        )
        scores = ranks.get_label_quality_scores(given, probabilities)
    predicted = _predicted(probabilities, multilabel=texts.multilabel)
    ranked = []
    # The score alone decides; issues are a part of the ranking, nearly its beginning.
    for position in np.lexsort((scores, ~is_issue)).tolist():
        _, dataset, index = texts.origin(position)
        row, chosen = probabilities[position], predicted[position]
        ranked.append(
            LabelledText(
                source=dataset.source,
                place=dataset.place(index),
                text=texts.texts[position],
                given_label=names_of(texts.labels[position]),
                predicted_label=tuple(names[i] for i in chosen),
                probability=_probability(row, chosen),
                label_score=float(scores[position]),
                is_label_issue=bool(is_issue[position]),
            )
        )
    agree = [set(x) == set(y) for x, y in zip(labels, predicted, strict=True)]
    return WrongLabels(tuple(ranked), float(np.mean(agree)), texts.multilabel)


def require_cleanlab(*, multilabel: bool = False) -> tuple[Any, Any]:
    """Return cleanlab's modules for filtering and ranking.

    Raises
    ------
    MissingDependency
    """
    package = "cleanlab.multilabel_classification" if multilabel else "cleanlab"
    purpose = "The search for wrong labels"
    filters, ranks = (
        require(f"{package}.{module}", extra="audit", needed_by=purpose)
        for module in ("filter", "rank")
    )
    return filters, ranks


def _names(texts: AuditedTexts) -> list[str]:
    """Return the classes that have texts."""
    present = {name for label in texts.labels for name in names_of(label)}
    names = [name for name in texts.label_names if name in present]
    if len(names) < 2:
        raise DataError(
            "The search for wrong labels needs at least two classes. Got "
            f"{len(names)}: {', '.join(names)}. Leave out --wrong-labels, or add texts "
            "of other classes."
        )
    return names


def _out_of_fold(
    texts: AuditedTexts, labels: list[list[int]], n_classes: int, *, seed: int
) -> np.ndarray:
    """Return probabilities of classifiers that have not seen a text, (n, classes)."""
    n_groups = int(texts.near.max()) + 1
    if n_groups < 2 * N_FOLDS:
        raise DataError(
            f"Wrong labels are found by {N_FOLDS} classifiers, which need at least "
            f"{2 * N_FOLDS} different texts. Got {n_groups}. Add texts."
        )
    folds = deal_groups(texts.near, labels, (1 / N_FOLDS,) * N_FOLDS, seed=seed)
    targets = np.zeros((len(texts), n_classes), dtype=np.int64)
    for position, ids in enumerate(labels):
        targets[position, ids] = 1
    return out_of_fold_probabilities(
        texts.texts,
        texts.tokens,
        targets,
        np.array(folds)[texts.near],
        multilabel=texts.multilabel,
    )


def _predicted(probabilities: np.ndarray, *, multilabel: bool) -> list[list[int]]:
    if not multilabel:
        return [[i] for i in probabilities.argmax(1).tolist()]
    return [np.flatnonzero(row >= 0.5).tolist() for row in probabilities]


def _probability(row: np.ndarray, chosen: Sequence[int]) -> float:
    """Return the lowest probability of the predicted labels, or of having none."""
    return float(min(row[i] for i in chosen) if chosen else 1 - row.max())


def check_wrong_labels(ranking: WrongLabels) -> Iterator[Finding]:
    """Yield the finding that labels may be wrong.

    Parameters
    ----------
    ranking : WrongLabels
    """
    issues = ranking.issues
    if issues:
        share = len(issues) / len(ranking)
        yield Finding(
            "wrong-labels",
            "note",
            f"{len(issues):,} labels ({share:.1%}) may be wrong; classifiers that were "
            f"trained on the other texts predict {ranking.accuracy:.0%} of all labels",
            {"texts": len(issues), "share": share, "accuracy": ranking.accuracy},
            ("slips of annotators", "texts that may be read in several ways"),
            ("look at the first texts of the ranking, and correct their labels",),
        )
