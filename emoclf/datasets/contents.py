"""What texts a search was begun with, and how others differ from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from emoclf.datasets.dataset import Dataset
from emoclf.fingerprint import digest

#: Letters of a text in a message.
EXCERPT = 40


def contents_of(parts: Mapping[str, Dataset]) -> dict[str, str]:
    """Return digests of the texts of each part, by names that users know."""
    return {
        f"{name} texts": digest(list(part.texts), list(part.labels))
        for name, part in parts.items()
    }


def rows_of(part: Dataset) -> list[str]:
    """Return a short digest of each text with its label."""
    pairs = zip(part.texts, part.labels, strict=True)
    return [digest(text, label)[:16] for text, label in pairs]


def describe_changes(before: Iterable[str], parts: Mapping[str, Dataset]) -> str:
    """Say how many texts, with their labels, are other ones than before.

    Parameters
    ----------
    before : iterable of str
        What :func:`rows_of` returned of all parts then.
    parts : mapping of str to Dataset
        As they are now.
    """
    left = Counter(before)
    total = left.total()
    rows = [
        (part.source, part.lines[i] if part.lines else i, row, part, i)
        for part in parts.values()
        for i, row in enumerate(rows_of(part))
    ]
    new = []
    # In the order of the file: of equal texts the later ones are new.
    for *_, row, part, i in sorted(rows, key=lambda one: one[:2]):
        if left[row]:
            left[row] -= 1
        else:
            new.append((part, i))
    if not left.total() and not new:
        return "The texts are the same, in another order or in other parts."
    said = f"Texts with their labels: {left.total():,} of {total:,} gone"
    said += f", {len(new):,} new"
    if new:
        part, i = new[0]
        text = part.texts[i]
        text = text if len(text) <= EXCERPT else f"{text[:EXCERPT]}…"
        said += f" (first {part.place(i)} of {part.source}: {text!r})"
    return f"{said}."
