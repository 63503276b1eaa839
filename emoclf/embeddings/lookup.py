"""Find each word of a vocabulary in vectors, in the best of its forms."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from emoclf.embeddings.kept_rows import Rows
from emoclf.embeddings.spellings import (
    AS_IT_STANDS,
    SUB_WORDS,
    WITNESSES,
    cases_of,
    conventions_of,
    forms_of,
)
from emoclf.embeddings.vector_files import VectorFile, open_vectors
from emoclf.embeddings.word_vectors import WordVectors

Found = dict[str, tuple[str, np.ndarray]]


def find_words(source: VectorFile, words: Sequence[str]) -> Found:
    """Return the way that served and the vector of each word that can be found.

    The order of preference is that of
    :func:`~emoclf.embeddings.spellings.forms_of`; what no form of it can serve is made
    from sub-words, where the file has any.
    """
    rows = source.read(wanted_words(words))
    conventions = conventions_of(rows)
    found: Found = {}
    for word in words:
        for form in forms_of(word):
            if form.convention is not None and form.convention not in conventions:
                continue
            numbers = _rows_of(form.parts, rows, cased=form.way == AS_IT_STANDS)
            if numbers is not None:
                found[word] = form.way, rows.matrix[numbers].mean(0)
                break
    made = source.compose([word for word in words if word not in found])
    for word, number in made.numbers.items():
        found[word] = SUB_WORDS, made.matrix[number]
    return found


def wanted_words(words: Iterable[str]) -> frozenset[str]:
    """Return every word of the file that could serve, and what tells conventions."""
    wanted = set(WITNESSES)
    for word in words:
        for form in forms_of(word):
            for part in form.parts:
                wanted.update(cases_of(part))
    return frozenset(wanted)


def as_source(vectors: WordVectors | str | os.PathLike[str]) -> VectorFile:
    """Return vectors or a path as something that words are found in."""
    if isinstance(vectors, WordVectors):
        return _InMemory(vectors)
    return open_vectors(vectors)


def _rows_of(parts: tuple[str, ...], rows: Rows, *, cased: bool) -> list[int] | None:
    numbers = []
    for part in parts:
        forms = [part] if cased else cases_of(part)
        known = next((form for form in forms if form in rows), None)
        if known is None:
            return None
        numbers.append(rows.numbers[known])
    return numbers


class _InMemory:
    """Vectors that were read or trained before, as a file of them."""

    def __init__(self, vectors: WordVectors) -> None:
        self.vectors, self.dim = vectors, vectors.dim

    def read(self, wanted: frozenset[str] | None) -> Rows:
        composed = self.vectors.composed
        return self._take(
            lambda word: (wanted is None or word in wanted) and word not in composed
        )

    def first_words(self, n: int) -> list[str]:
        return list(self.vectors.words[:n])

    def compose(self, words: Sequence[str]) -> Rows:
        makeable = self.vectors.composed.intersection(words)
        return self._take(lambda word: word in makeable)

    def _take(self, keep: Callable[[str], bool]) -> Rows:
        rows = Rows(self.dim)
        for word, row in zip(self.vectors.words, self.vectors.matrix, strict=True):
            if keep(word):
                rows.add(word, row)
        return rows
