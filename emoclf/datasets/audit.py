"""Say what is in a dataset before anything is learnt from it."""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from emoclf.datasets.cells import Label, shorten
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.duplicates import UNSPACED, group_duplicates
from emoclf.datasets.rows import names_of

# A word, or one character where there are no spaces between words.
_WORD = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")
_BRACKETS = re.compile(r"\s*([\[(<{]).*[\])>}]\s*\.?\s*", re.DOTALL)
_NO_ANSWER = re.compile(
    r"n/?a|nan|none|null|nil|nothing|unknown|no (response|answer)|not applicable"
)
_EXAMPLES = 5


@dataclass(frozen=True)
class Found:
    """How many texts something is true of, and where the first ones stand."""

    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class AuditReport:
    """What is in a dataset.

    Parameters
    ----------
    source : str
    n_texts : int
    counts : dict of str to int
        Texts per class.
    imbalance : float
        Texts of the largest class for one of the smallest.
    labels_per_text : float
    without_label : int
        Texts with no label at all, where several are allowed.
    words : dict
        ``min``, ``median``, ``mean``, ``p95``, ``p99`` and ``max`` length in words
        (characters in scripts without spaces).
    duplicates : Found
        Texts that repeat an earlier one but for case and white space.
    near_duplicates : Found
        Texts that repeat an earlier one, or nearly; includes the duplicates.
    largest_group : int
        Texts in the largest group of near-duplicates.
    conflicts : Found
        Texts in a group of duplicates with different labels.
    near_conflicts : Found
        Texts in a group of near-duplicates with different labels.
    very_short : Found
        Texts of fewer than three words (or characters).
    non_answers : Found
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
    duplicates: Found
    near_duplicates: Found
    largest_group: int
    conflicts: Found
    near_conflicts: Found
    very_short: Found
    non_answers: Found
    similar_labels: tuple[tuple[str, ...], ...]
    skipped: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return dataclasses.asdict(self)

    def lines(self) -> list[str]:
        """Return the report for printing; what is not there is left out."""
        total = max(self.n_texts, 1)
        found = [f"{self.source}: {self.n_texts:,} texts, {len(self.counts)} classes"]
        width = max(map(len, self.counts), default=0)
        found += [
            f"  {name:<{width}}  {count:>7,}  {count / total:6.1%}"
            for name, count in self.counts.items()
        ]
        if self.labels_per_text != 1:
            found.append(
                f"{self.labels_per_text:.2f} labels per text; "
                f"{self.without_label:,} texts have none"
            )
        found.append(f"largest to smallest class: {self.imbalance:.1f} to 1")
        lengths = ", ".join(f"{name} {size:g}" for name, size in self.words.items())
        found.append(f"length in words: {lengths}")
        for what, value in (
            ("repeat an earlier text", self.duplicates),
            ("repeat an earlier text, or nearly", self.near_duplicates),
            ("have a duplicate with another label", self.conflicts),
            ("have a near-duplicate with another label", self.near_conflicts),
            ("have fewer than three words", self.very_short),
            ("look like no answer", self.non_answers),
        ):
            if value.count:
                found.append(
                    f"{value.count:,} texts {what} (first: {value.examples[0]})"
                )
        if self.largest_group > 2:
            found.append(
                f"largest group of near-duplicates: {self.largest_group:,} texts"
            )
        for names in self.similar_labels:
            found.append(f"labels that are spelt alike: {shorten(map(repr, names))}")
        for reason, count in self.skipped.items():
            found.append(f"{count:,} rows dropped: {reason}")
        return found


def audit_dataset(dataset: Dataset, *, near_duplicates: float = 0.8) -> AuditReport:
    """Count what may harm a classifier or flatter its figures.

    Parameters
    ----------
    dataset : Dataset
    near_duplicates : float in (0, 1]
        As in :func:`emoclf.datasets.duplicates.group_duplicates`.
    """
    counts = dataset.counts()
    sizes = [count for count in counts.values() if count]
    lengths = [len(_WORD.findall(text)) for text in dataset.texts]
    exact = group_duplicates(dataset.texts, 1.0)
    near = group_duplicates(dataset.texts, near_duplicates)

    def found(chosen: list[int]) -> Found:
        return Found(len(chosen), tuple(map(dataset.place, chosen[:_EXAMPLES])))

    short = [i for i, length in enumerate(lengths) if length < 3]
    silent = [i for i, text in enumerate(dataset.texts) if _is_no_answer(text)]
    n_labels = [len(names_of(label)) for label in dataset.labels]
    return AuditReport(
        source=dataset.source,
        n_texts=len(dataset),
        counts=counts,
        imbalance=max(sizes) / min(sizes) if sizes else 1.0,
        labels_per_text=sum(n_labels) / max(len(dataset), 1),
        without_label=n_labels.count(0),
        words=_lengths(lengths),
        duplicates=found(_repeated(exact)),
        near_duplicates=found(_repeated(near)),
        largest_group=int(np.bincount(near).max()) if len(near) else 0,
        conflicts=found(_conflicting(exact, dataset.labels)),
        near_conflicts=found(_conflicting(near, dataset.labels)),
        very_short=found(short),
        non_answers=found(silent),
        similar_labels=_similar(dataset.label_names),
        skipped={skip.reason: skip.count for skip in dataset.skips},
    )


def _lengths(lengths: list[int]) -> dict[str, float]:
    if not lengths:
        return {}
    p95, p99 = np.percentile(lengths, [95, 99])
    return {
        "min": min(lengths),
        "median": float(np.median(lengths)),
        "mean": round(float(np.mean(lengths)), 1),
        "p95": round(float(p95), 1),
        "p99": round(float(p99), 1),
        "max": max(lengths),
    }


def _repeated(groups: np.ndarray) -> list[int]:
    _, first = np.unique(groups, return_index=True)
    return np.setdiff1d(np.arange(len(groups)), first).tolist()


def _conflicting(groups: np.ndarray, labels: tuple[Label, ...]) -> list[int]:
    seen: dict[int, set[frozenset[str]]] = defaultdict(set)
    for group, label in zip(groups.tolist(), labels, strict=True):
        seen[group].add(frozenset(names_of(label)))
    return [i for i, group in enumerate(groups.tolist()) if len(seen[group]) > 1]


def _is_no_answer(text: str) -> bool:
    if len(text) > 60:
        return False
    plain = text.strip().rstrip(".!").casefold()
    return bool(_NO_ANSWER.fullmatch(plain) or _BRACKETS.fullmatch(text))


def _similar(names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    alike: dict[str, list[str]] = defaultdict(list)
    for name in names:
        alike[re.sub(r"[\W_]+", "", name.casefold()) or name].append(name)
    return tuple(tuple(group) for group in alike.values() if len(group) > 1)
