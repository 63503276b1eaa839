"""Texts made from training texts, for want of unlabelled ones.

Words are deleted, or the beginning of one text is joined to the end of another, as in
Tang et al. (2019), "Distilling Task-Specific Knowledge from BERT into Simple Neural
Networks", section 3.3. Such texts say little that is new: real unlabelled text is
better by several points (``tests/benchmarks/README.md``).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

#: Share of the words that are deleted.
DELETED_SHARE = 0.2


def text_variants(texts: Sequence[str], count: int, *, seed: int = 0) -> Iterator[str]:
    """Yield ``count`` variants of each text, the same ones for the same seed.

    Parameters
    ----------
    texts : sequence of str
    count : int
    seed : int
    """
    rng = random.Random(seed)
    for _ in range(count):
        for text in texts:
            if rng.random() < 0.5:
                yield _with_deletions(text, rng)
            else:
                yield _joined(text, rng.choice(texts), rng)


def _with_deletions(text: str, rng: random.Random) -> str:
    units, space = _units(text)
    remaining = [unit for unit in units if rng.random() >= DELETED_SHARE]
    return space.join(remaining or units)


def _joined(text: str, other: str, rng: random.Random) -> str:
    """Return the beginning of a text and the end of another one."""
    (first, space), (second, _) = _units(text), _units(other)
    cut, end = rng.random(), rng.random()
    joined = first[: round(cut * len(first))] + second[round(end * len(second)) :]
    return space.join(joined or first)


def _units(text: str) -> tuple[list[str], str]:
    """Return words, or characters where there are no spaces, and what joins them."""
    words = text.split()
    return (words, " ") if len(words) > 1 else (list(text.strip()), "")
