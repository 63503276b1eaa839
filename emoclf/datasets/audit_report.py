"""Report of a dataset before training: classes, lengths, duplicates, odd texts."""

from __future__ import annotations

import dataclasses
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from emoclf.datasets.cells import shorten
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.labels import Label
from emoclf.datasets.rows import names_of
from emoclf.datasets.trainable import as_dataset
from emoclf.display import HtmlLines
from emoclf.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pandas as pd

_BRACKETS = re.compile(r"\s*([\[(<{]).*[\])>}]\s*\.?\s*", re.DOTALL)
_NO_ANSWER = re.compile(
    r"n/?a|nan|none|null|nil|nothing|unknown|no (response|answer)|not applicable"
)
_MAX_EXAMPLES = 5
#: Description of each kind of matching texts in a report.
_MATCHES = {
    "duplicates": "are duplicates of an earlier text",
    "near_duplicates": "are duplicates or near-duplicates of an earlier text",
    "conflicts": "have a duplicate with another label",
    "near_conflicts": "have a near-duplicate with another label",
    "very_short": "have fewer than three words",
    "non_answers": "look like a missing answer",
}


@dataclass(frozen=True)
class Matches:
    """Number of matching texts and the first few locations."""

    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class AuditReport(HtmlLines):
    """Contents of a dataset, and what may harm a classifier.

    Parameters
    ----------
    source : str
    n_texts : int
    counts : dict of str to int
        Texts per class.
    imbalance : float
        Size of the largest class divided by that of the smallest.
    labels_per_text : float
    without_label : int
        Texts without any label, in multilabel data.
    words : dict
        ``min``, ``median``, ``mean``, ``p95``, ``p99`` and ``max`` length in words
        (characters in scripts without spaces).
    duplicates : Matches
        Texts that differ from an earlier one in case and white space at most.
    near_duplicates : Matches
        Duplicates and near-duplicates of an earlier text.
    largest_group : int
        Texts in the largest group of near-duplicates.
    conflicts : Matches
        Texts in a group of duplicates with different labels.
    near_conflicts : Matches
        Texts in a group of near-duplicates with different labels.
    very_short : Matches
        Texts of fewer than three words (or characters).
    non_answers : Matches
        Texts such as "[No response.]" or "n/a".
    similar_labels : tuple of tuples of str
        Labels that differ in case or punctuation only.
    skipped : dict of str to int
        Rows that were dropped on request, by reason.
    """

    source: str
    n_texts: int
    counts: dict[str, int]
    imbalance: float
    labels_per_text: float
    without_label: int
    words: dict[str, float]
    duplicates: Matches
    near_duplicates: Matches
    largest_group: int
    conflicts: Matches
    near_conflicts: Matches
    very_short: Matches
    non_answers: Matches
    similar_labels: tuple[tuple[str, ...], ...]
    skipped: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return dataclasses.asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with the number and the share of texts of each class."""
        import pandas as pd  # Most programs need no frames.

        texts = pd.Series(self.counts, name="texts", dtype="int64")
        frame = texts.rename_axis("label").to_frame()
        return frame.assign(share=texts / max(self.n_texts, 1))

    def _facts(self) -> dict[str, object]:
        return {
            "source": os.path.basename(self.source),
            "texts": f"{self.n_texts:,}",
            "classes": len(self.counts),
            "near-duplicates": self.near_duplicates.count,
            "with another label": self.near_conflicts.count,
        }

    def contents(self) -> list[str]:
        """Return sizes, classes and lengths for printing."""
        total = max(self.n_texts, 1)
        width = max(map(len, self.counts), default=0)
        lengths = ", ".join(f"{name} {size:g}" for name, size in self.words.items())
        lines = [f"{self.source}: {self.n_texts:,} texts, {len(self.counts)} classes"]
        for name, count in self.counts.items():
            lines.append(f"  {name:<{width}}  {count:>7,}  {count / total:6.1%}")
        if self.labels_per_text != 1:
            lines.append(
                f"{self.labels_per_text:.2f} labels per text; "
                f"{self.without_label:,} texts have none"
            )
        lines.append(f"largest to smallest class: {self.imbalance:.1f} to 1")
        lines.append(f"length in words: {lengths}")
        return lines

    def lines(self) -> list[str]:
        """Return the report for printing, without counts that are 0."""
        lines = self.contents()
        for name, description in _MATCHES.items():
            if (matches := getattr(self, name)).count:
                lines.append(
                    f"{matches.count:,} texts {description} "
                    f"(first: {matches.examples[0]})"
                )
        if self.largest_group > 2:
            lines.append(
                f"largest group of near-duplicates: {self.largest_group:,} texts"
            )
        for names in self.similar_labels:
            lines.append(f"labels with similar spelling: {shorten(map(repr, names))}")
        for reason, count in self.skipped.items():
            lines.append(f"{count:,} rows dropped: {reason}")
        return lines


def report_contents(
    dataset: Dataset | pd.DataFrame, *, near_duplicates: float = 0.8
) -> AuditReport:
    """Count what may harm a classifier or make its scores too optimistic.

    :func:`emoclf.audit_dataset` also judges the counts, and compares several sets.

    Parameters
    ----------
    dataset : Dataset or DataFrame
    near_duplicates : float in (0, 1]
        As in :meth:`Dataset.duplicate_groups`.
    """
    dataset = as_dataset(dataset)
    counts = dataset.counts()
    sizes = [count for count in counts.values() if count] or [1]
    words = Tokenizer().words
    lengths = [sum(map(len, words(text))) for text in dataset.texts]
    exact = dataset.duplicate_groups(1.0)
    near = dataset.duplicate_groups(near_duplicates)
    n_labels = [len(names_of(label)) for label in dataset.labels]
    matches = {
        "duplicates": _repeated(exact),
        "near_duplicates": _repeated(near),
        "conflicts": conflicting(exact, dataset.labels),
        "near_conflicts": conflicting(near, dataset.labels),
        "very_short": [i for i, length in enumerate(lengths) if length < 3],
        "non_answers": [i for i, x in enumerate(dataset.texts) if is_no_answer(x)],
    }
    return AuditReport(
        source=dataset.source,
        n_texts=len(dataset),
        counts=counts,
        imbalance=max(sizes) / min(sizes),
        labels_per_text=sum(n_labels) / max(len(dataset), 1),
        without_label=n_labels.count(0),
        words=_length_summary(lengths),
        largest_group=int(np.bincount(near).max(initial=0)),
        similar_labels=similar_names(dataset.label_names),
        skipped={skip.reason: skip.count for skip in dataset.skips},
        **{
            name: Matches(len(i), tuple(map(dataset.place, i[:_MAX_EXAMPLES])))
            for name, i in matches.items()
        },
    )


def _length_summary(lengths: list[int]) -> dict[str, float]:
    if not lengths:
        return {}
    median, p95, p99 = np.percentile(lengths, [50, 95, 99]).tolist()
    return {
        "min": min(lengths),
        "median": median,
        "mean": round(float(np.mean(lengths)), 1),
        "p95": round(p95, 1),
        "p99": round(p99, 1),
        "max": max(lengths),
    }


def _repeated(groups: np.ndarray) -> list[int]:
    _, first = np.unique(groups, return_index=True)
    return np.setdiff1d(np.arange(len(groups)), first).tolist()


def conflicting(groups: np.ndarray, labels: Sequence[Label]) -> list[int]:
    """Return the positions of texts in a group with different labels."""
    labels_of: dict[int, set[frozenset[str]]] = defaultdict(set)
    for group, label in zip(groups.tolist(), labels, strict=True):
        labels_of[group].add(frozenset(names_of(label)))
    return [i for i, x in enumerate(groups.tolist()) if len(labels_of[x]) > 1]


def is_no_answer(text: str) -> bool:
    """Say whether a text looks like a missing answer, such as "[No response.]"."""
    if len(text) > 60:
        return False
    plain = text.strip().rstrip(".!").casefold()
    return bool(_NO_ANSWER.fullmatch(plain) or _BRACKETS.fullmatch(text))


def plain_name(name: str) -> str:
    """Return a name without case, space and punctuation.

    "C++" is not "C"; and a name without letters, such as "-1", is returned as it is.
    """
    plain = "".join(
        x
        for x in name.casefold()
        if x == "#" or unicodedata.category(x)[0] not in "PZC"
    )
    return plain if any(map(str.isalpha, plain)) else name


def similar_names(names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the groups of names that differ in case, space and punctuation alone."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[plain_name(name)].append(name)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)
