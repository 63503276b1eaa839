"""Check for duplicates within and across sets, and for conflicting labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from emoclf.audit.audited_texts import MAX_EXAMPLES, AuditedTexts
from emoclf.datasets.audit_report import conflicting
from emoclf.datasets.split import PART_NAMES, leaking_texts
from emoclf.doctor.findings import Finding

#: Share of duplicates within a set from which they are more than a note.
DUPLICATE_SHARE = 0.05
#: Share of a later set's texts from which duplicates across sets are an error.
LEAK_SHARE = 0.001
#: Share of texts from which conflicting labels are an error.
CONFLICT_SHARE = 0.01


def check_duplicates(texts: AuditedTexts) -> Iterator[Finding]:
    """Yield the findings about duplicates and near-duplicates.

    Parameters
    ----------
    texts : AuditedTexts
    """
    yield from _repeated(texts)
    yield from _leaks(texts)
    exact = _conflicting(texts, texts.exact)
    yield from texts.finding(
        "conflicting-labels",
        "error" if texts.share(exact) > CONFLICT_SHARE else "warning",
        exact,
        "have a duplicate with another label",
        ("annotators who disagree", "texts that mean nothing without their context"),
        ("give each text one label, by majority vote or by labelling it again",),
    )
    near = np.setdiff1d(_conflicting(texts, texts.near), exact)
    yield from texts.finding(
        "near-conflicts",
        "note",
        near,
        "have a near-duplicate with another label",
        ("annotators who disagree", "texts that differ in a decisive word"),
        ("check the labels of these texts",),
    )


def _repeated(texts: AuditedTexts) -> list[Finding]:
    """Return the finding about repetitions within sets."""
    # A group has one number in each set, so that only repetitions within one count.
    keys = texts.near * len(texts.parts) + texts.part_numbers
    first = np.unique(keys, return_index=True)[1]
    repeated = np.setdiff1d(np.arange(len(texts)), first)
    largest = int(np.bincount(texts.near).max(initial=0))
    return texts.finding(
        "duplicates",
        "warning" if texts.share(repeated) > DUPLICATE_SHARE else "note",
        repeated,
        "are duplicates or near-duplicates of an earlier text of the same set; the "
        f"largest group has {largest:,} texts",
        ("texts that were collected twice", "templates or quotations"),
        ("one text of each group, unless repetitions are natural here",),
        largest_group=largest,
    )


def _leaks(texts: AuditedTexts) -> Iterator[Finding]:
    """Yield a finding for each pair of sets that have texts in common."""
    groups = {name: texts.near[texts.of_part(name)] for name in texts.parts}
    for (early, late), positions in leaking_texts(groups).items():
        share = len(positions) / len(groups[late])
        severity = "error" if share > LEAK_SHARE else "warning"
        start = texts.of_part(late).start
        pairs = []
        for position in positions[:MAX_EXAMPLES].tolist():
            twin = int(np.flatnonzero(groups[early] == groups[late][position])[0])
            twin = texts.of_part(early).start + twin
            pairs.append(
                f"{texts.example(start + position)}; {texts.place(twin)}: "
                "the same or nearly so"
            )
        late_name, early_name = PART_NAMES[late], PART_NAMES[early]
        dataset = texts.parts[late]
        yield Finding(
            "leaks",
            severity,
            f"{len(positions):,} of {len(groups[late]):,} {late_name} texts "
            f"({share:.1%}) are duplicates or near-duplicates of {early_name} texts",
            {
                "texts": len(positions),
                "share": share,
                "sets": [early, late],
                "places": [dataset.place(position) for position in positions.tolist()],
                "examples": pairs,
            },
            ("a split that was made without looking for duplicates",),
            (
                f"delete them from the {late_name} set",
                "split again with emoclf, which keeps duplicates in the same set",
            ),
        )


def _conflicting(texts: AuditedTexts, groups: np.ndarray) -> np.ndarray:
    positions = np.array(conflicting(groups, texts.labels), dtype=np.int64)
    # Texts of a group together, so that examples show the contradiction.
    return positions[np.argsort(groups[positions], kind="stable")]
