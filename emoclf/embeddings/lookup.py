"""Find each word of a vocabulary in vectors, by the best of its candidates."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from emoclf.embeddings.spellings import (
    EVIDENCE_WORDS,
    EXACT,
    SUB_WORDS,
    candidates,
    case_variants,
    find_conventions,
)
from emoclf.embeddings.vector_io import VectorRows, VectorSource


class Match(NamedTuple):
    """The vector of a word, and the kind of match that gave it."""

    kind: str
    vector: np.ndarray


def find_words(source: VectorSource, words: Sequence[str]) -> dict[str, Match]:
    """Return a match for each word that can be found.

    The order of preference is that of
    :func:`~emoclf.embeddings.spellings.candidates`; a word without a candidate in the
    file is composed of sub-words, where the file has any.
    """
    # Words of the file that can serve, and those that show conventions.
    every_candidate = chain.from_iterable(map(candidates, words))
    parts = chain.from_iterable(candidate.parts for candidate in every_candidate)
    variants = chain.from_iterable(map(case_variants, parts))
    rows = source.read(EVIDENCE_WORDS.union(variants))
    conventions = find_conventions(rows)
    matches: dict[str, Match] = {}
    for word in words:
        for candidate in candidates(word):
            if candidate.convention and candidate.convention not in conventions:
                continue
            numbers = _row_numbers(candidate.parts, rows, exact=candidate.kind == EXACT)
            if numbers is not None:
                matches[word] = Match(candidate.kind, rows.matrix[numbers].mean(0))
                break
    composed = source.compose([word for word in words if word not in matches])
    for word, vector in composed:
        matches[word] = Match(SUB_WORDS, vector)
    return matches


def _row_numbers(
    parts: tuple[str, ...], rows: VectorRows, *, exact: bool
) -> list[int] | None:
    """Return a row for each part; None if a part has none."""
    numbers = []
    for part in parts:
        variants = [part] if exact else case_variants(part)
        variant = next((variant for variant in variants if variant in rows), None)
        if variant is None:
            return None
        numbers.append(rows.numbers[variant])
    return numbers
