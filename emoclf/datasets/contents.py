"""Digests of the texts of a search, and how other texts differ from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from emoclf.datasets.dataset import Dataset
from emoclf.fingerprint import digest

#: Letters of a text in a message.
EXCERPT_LETTERS = 40


def contents_of(parts: Mapping[str, Dataset]) -> dict[str, str]:
    """Return digests of the texts of each part, by their names in messages."""
    return {
        f"{name} texts": digest(
            list(part.texts), list(part.labels), *(part.vectors or ())
        )
        for name, part in parts.items()
    }


def rows_of(part: Dataset) -> list[str]:
    """Return a short digest of each text with its label."""
    pairs = zip(part.texts, part.labels, strict=True)
    return [digest(text, label)[:16] for text, label in pairs]


def describe_changes(before: Iterable[str], parts: Mapping[str, Dataset]) -> str:
    """Return a message about how the texts and labels differ from those before.

    Parameters
    ----------
    before : iterable of str
        Digests of all parts before, from :func:`rows_of`.
    parts : mapping of str to Dataset
        Parts now.
    """
    remaining = Counter(before)
    total = remaining.total()
    rows = [
        (part.source, part.lines[i] if part.lines else i, row, part, i)
        for part in parts.values()
        for i, row in enumerate(rows_of(part))
    ]
    new = []
    # In the order of the file: of equal texts the later ones are new.
    for *_, row, part, i in sorted(rows, key=lambda row: row[:2]):
        if remaining[row]:
            remaining[row] -= 1
        else:
            new.append((part, i))
    if not remaining.total() and not new:
        return "The texts are the same, in another order or in other parts."
    first = ""
    if new:
        part, i = new[0]
        text = part.texts[i]
        if len(text) > EXCERPT_LETTERS:
            text = f"{text[:EXCERPT_LETTERS]}…"
        first = f" (first {part.place(i)} of {part.source}: {text!r})"
    return (
        f"Texts with their labels: {remaining.total():,} of {total:,} gone, "
        f"{len(new):,} new{first}."
    )
