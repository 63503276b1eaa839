"""The embedding matrix: word vectors in the order of a vocabulary."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping

import numpy as np

from emoclf.embeddings.coverage import CoverageReport
from emoclf.embeddings.forms import AS_IT_STANDS, SUB_WORDS, WAYS, forms_of
from emoclf.embeddings.vectors import WordVectors, as_vectors
from emoclf.errors import VectorsError
from emoclf.text.vocabulary import FIRST, Vocabulary

#: Kim (2014), process_data.py: random words are uniform in [-0.25, 0.25].
RANDOM_SCALE = 0.25
SHOWN_MISSING = 15


def random_matrix(vocabulary: Vocabulary, dim: int, *, seed: int = 0) -> np.ndarray:
    """Draw a matrix uniformly from [-0.25, 0.25], as in Kim (2014).

    Returns
    -------
    matrix : ndarray of float32, shape (len(vocabulary), dim)
        Row 0, padding, is zero.
    """
    return _draw(len(vocabulary), dim, RANDOM_SCALE, seed)


def embedding_matrix(
    vectors: WordVectors | str | os.PathLike[str],
    vocabulary: Vocabulary,
    *,
    counts: Mapping[str, int] | None = None,
    seed: int = 0,
) -> tuple[np.ndarray, CoverageReport]:
    """Place word vectors in the order of a vocabulary; draw the missing ones.

    A word is looked for as it stands, in other cases and spellings, as parts that the
    file's own tokenizer would have made of it, and from fastText's sub-words.

    Parameters
    ----------
    vectors : WordVectors or path
        Of a file only the rows that are needed are kept.
    vocabulary : Vocabulary
        Row i of the matrix belongs to token id i; row 0 (padding) stays zero.
    counts : mapping of str to int, optional
        How often each word stands in the training part; else each counts once.
    seed : int
        Draws the rows of words without a vector, uniformly and with the variance of
        the rows that were found.

    Returns
    -------
    matrix : ndarray of float32, shape (len(vocabulary), dim)
    coverage : CoverageReport

    Raises
    ------
    VectorsError
        If the file is unusable, or no word of the vocabulary has a vector.
    """
    forms = {word: list(forms_of(word)) for word in vocabulary.tokens}
    wanted = {part for ways in forms.values() for _, parts in ways for part in parts}
    given = as_vectors(vectors, wanted, vocabulary.tokens)
    rows = {word: number for number, word in enumerate(given.words)}
    found: dict[str, np.ndarray] = {}
    served: Counter[str] = Counter()
    for word, ways in forms.items():
        for way, parts in ways:
            if all(part in rows for part in parts):
                found[word] = given.matrix[[rows[part] for part in parts]].mean(0)
                made = way == AS_IT_STANDS and word in given.composed
                served[SUB_WORDS if made else way] += 1
                break
    if not found:
        raise VectorsError(
            f"{given.source} knows none of the {len(vocabulary.tokens)} words of the "
            f"vocabulary, such as {', '.join(vocabulary.tokens[:5])}. Are the vectors "
            "of another language?"
        )
    spread = float(np.sqrt(3 * np.var(np.stack(list(found.values())))))
    matrix = _draw(len(vocabulary), given.dim, spread, seed)
    for number, word in enumerate(vocabulary.tokens, FIRST):
        if word in found:
            matrix[number] = found[word]
    return matrix, _coverage(given, vocabulary, found, served, counts)


def _draw(size: int, dim: int, scale: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    matrix = rng.uniform(-scale, scale, (size, dim)).astype(np.float32)
    matrix[0] = 0.0
    return matrix


def _coverage(
    given: WordVectors,
    vocabulary: Vocabulary,
    found: Mapping[str, np.ndarray],
    served: Mapping[str, int],
    counts: Mapping[str, int] | None,
) -> CoverageReport:
    often = {
        word: (counts or {}).get(word, 0 if counts else 1) for word in vocabulary.tokens
    }
    missing = sorted(
        ((word, often[word]) for word in vocabulary.tokens if word not in found),
        key=lambda pair: (-pair[1], pair[0]),
    )
    return CoverageReport(
        source=os.path.basename(given.source),
        dim=given.dim,
        types=len(vocabulary.tokens),
        types_found=len(found),
        running=sum(often.values()),
        running_found=sum(often[word] for word in found),
        served={way: served[way] for way in WAYS if served.get(way)},
        missing=tuple(missing[:SHOWN_MISSING]),
    )
