"""Check the names of labels, the number of texts of each, and rows without any."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from itertools import combinations

import numpy as np

from emoclf.audit.audited_texts import AuditedTexts
from emoclf.datasets.audit_report import plain_name
from emoclf.datasets.cells import shorten
from emoclf.datasets.rows import names_of
from emoclf.datasets.split import PART_NAMES
from emoclf.doctor.data import check_imbalance
from emoclf.doctor.findings import Finding

#: Share of equal letters (difflib) from which two names are alike.
ALIKE_RATIO = 0.8
#: Shorter names, such as "pos" and "neg" or "1" and "10", differ in few letters anyway.
MIN_NAME_LETTERS = 4
#: A name that is a typing error of another has at most this share of its texts.
TYPO_SHARE = 0.1


def check_labels(texts: AuditedTexts) -> Iterator[Finding]:
    """Yield the findings about labels.

    Parameters
    ----------
    texts : AuditedTexts
    """
    counts = {name: part.counts() for name, part in texts.parts.items()}
    totals = {
        label: sum(count.get(label, 0) for count in counts.values())
        for label in texts.label_names
    }
    yield from _classes(totals)
    yield from _missing(counts)
    yield from _alike(totals, texts)
    unlabelled = [i for i, label in enumerate(texts.labels) if not names_of(label)]
    yield from texts.finding(
        "without-label",
        "note",
        unlabelled,
        "have no label",
        ("texts to which no label applies", "texts that nobody has labelled"),
        ("read some of them",),
    )
    yield from _skipped(texts)


def _classes(totals: dict[str, int]) -> Iterator[Finding]:
    present = {name: count for name, count in totals.items() if count}
    if len(present) < 2:
        yield Finding(
            "one-class",
            "error",
            f"all texts have the same label, {next(iter(present), 'none')!r}",
            {"classes": len(present)},
            ("the wrong column", "a file that is sorted by label and cut"),
            ("another column of labels", "texts of other classes"),
        )
        return
    single = [name for name, count in present.items() if count == 1]
    if single:
        yield Finding(
            "single-labels",
            "error",
            f"{len(single):,} labels have only one text: {shorten(single)}",
            {"labels": single},
            ("misspelt labels", "a class that is too rare to be learnt"),
            ("correct them, or add texts of these classes", "skip_bad_rows=True"),
        )
    imbalance = check_imbalance(np.array([*present.values()]), [*present])
    if imbalance is not None:
        yield imbalance


def _missing(counts: dict[str, dict[str, int]]) -> Iterator[Finding]:
    """Yield a finding for each set that has other classes than the training set."""
    first, *other_parts = counts
    trained = {name for name, count in counts[first].items() if count}
    for part in other_parts:
        present = {name for name, count in counts[part].items() if count}
        for names, where, missing_in in (
            (present - trained, part, first),
            (trained - present, first, part),
        ):
            if not names:
                continue
            # What is not in the training set cannot be learnt.
            severity = "error" if missing_in == first else "warning"
            yield Finding(
                "classes-differ",
                severity,
                f"the {PART_NAMES[where]} set has labels that the "
                f"{PART_NAMES[missing_in]} set does not have: {shorten(sorted(names))}",
                {"labels": sorted(names), "in": where, "missing_in": missing_in},
                ("a split that is not stratified", "misspelt labels"),
                ("a stratified split", "one spelling for each label"),
            )


def _alike(totals: dict[str, int], texts: AuditedTexts) -> Iterator[Finding]:
    for one, other in combinations(totals, 2):
        rare, frequent = sorted((one, other), key=lambda name: totals[name])
        same = plain_name(one) == plain_name(other)
        if not (same or _is_typo(rare, frequent, totals)):
            continue
        severity = "error" if same else "warning"
        where = [i for i, x in enumerate(texts.labels) if rare in names_of(x)]
        yield Finding(
            "similar-labels",
            severity,
            f"the labels {rare!r} ({totals[rare]:,} texts) and {frequent!r} "
            f"({totals[frequent]:,}) are spelt alike",
            {"labels": [rare, frequent], **texts.evidence(where)},
            ("one label in two spellings",),
            ("use one spelling for both",),
        )


def _is_typo(rare: str, frequent: str, totals: dict[str, int]) -> bool:
    shorter, longer = sorted((len(rare), len(frequent)))
    if shorter < MIN_NAME_LETTERS - 1 or longer < MIN_NAME_LETTERS:
        return False
    if totals[rare] > TYPO_SHARE * totals[frequent]:
        return False
    ratio = difflib.SequenceMatcher(None, rare.casefold(), frequent.casefold()).ratio()
    return ratio >= ALIKE_RATIO


def _skipped(texts: AuditedTexts) -> Iterator[Finding]:
    """Yield a finding about the rows of each set that cannot be used."""
    for name, part in texts.parts.items():
        for skip in part.skips:
            locations = [f"{part.unit} {number}" for number in skip.first]
            yield Finding(
                "unusable-rows",
                "error",
                f"{skip.count:,} rows of the {PART_NAMES[name]} set cannot be used: "
                f"{skip.reason} ({', '.join(locations)}{', …' * (skip.count > 5)})",
                {"rows": skip.count, "reason": skip.reason, "examples": locations},
                ("rows that were not filled in", "a file that was damaged"),
                ("correct or delete these rows", "skip_bad_rows=True"),
            )
