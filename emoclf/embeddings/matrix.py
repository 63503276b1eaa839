"""The embedding matrix: word vectors in the order of a vocabulary."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from emoclf.embeddings.coverage import CoverageReport
from emoclf.embeddings.kept_rows import require_finite
from emoclf.embeddings.lookup import Found, as_source, find_words
from emoclf.embeddings.spellings import WAYS
from emoclf.embeddings.vector_files import VectorFile
from emoclf.embeddings.word_vectors import WordVectors
from emoclf.errors import VectorsError
from emoclf.text.vocabulary import FIRST, UNKNOWN, Vocabulary

#: Kim (2014), process_data.py: random words are uniform in [-0.25, 0.25].
RANDOM_SCALE = 0.25
SHOWN_MISSING = 15
SLICE = 1024


def random_matrix(vocabulary: Vocabulary, dim: int, *, seed: int = 0) -> np.ndarray:
    """Draw a matrix uniformly from [-0.25, 0.25], as in Kim (2014).

    Returns
    -------
    matrix : ndarray of float32, shape (len(vocabulary), dim)
        Row 0, padding, is zero; so is row 1 (unknown), the mean of what is drawn.
    """
    matrix = _draw(len(vocabulary), dim, RANDOM_SCALE, seed)
    matrix[UNKNOWN] = 0.0
    return matrix


def embedding_matrix(
    vectors: WordVectors | str | os.PathLike[str],
    vocabulary: Vocabulary,
    *,
    counts: Mapping[str, int] | None = None,
    seed: int = 0,
) -> tuple[np.ndarray, CoverageReport]:
    """Place word vectors in the order of a vocabulary; draw the missing ones.

    A word is looked for as it stands, in other cases, as parts and in spellings that
    the file's own tokenizer would have made of it, and from fastText's sub-words.

    Parameters
    ----------
    vectors : WordVectors or path
        Of a file only the rows that are needed are kept.
    vocabulary : Vocabulary
        Row i of the matrix belongs to token id i; row 0 (padding) stays zero, and row
        1 (unknown) is the mean of the rows that were found.
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
    known = known_rows(vectors, vocabulary, counts=counts)
    return known.matrix(len(vocabulary), seed=seed), known.coverage


@dataclass(frozen=True)
class KnownRows:
    """What vectors know of a vocabulary; the other rows are yet to be drawn.

    Parameters
    ----------
    ids : ndarray of int64, shape (n_found,)
    rows : ndarray of float32, shape (n_found, dim)
    coverage : CoverageReport
    """

    ids: np.ndarray
    rows: np.ndarray
    coverage: CoverageReport

    def matrix(self, size: int, *, seed: int) -> np.ndarray:
        """Return :func:`embedding_matrix` for a vocabulary of this size."""
        # A uniform distribution on [-a, a] has the variance a²/3.
        spread = float(np.sqrt(3 * np.var(self.rows)))
        matrix = _draw(size, self.rows.shape[1], spread, seed)
        matrix[self.ids] = self.rows
        # A word that is not known yet is most likely like the others; no text of the
        # training part may hold one from which this could be learnt.
        matrix[UNKNOWN] = self.rows.mean(0)
        return matrix


def known_rows(
    vectors: WordVectors | str | os.PathLike[str],
    vocabulary: Vocabulary,
    *,
    counts: Mapping[str, int] | None = None,
) -> KnownRows:
    """Look the words of a vocabulary up, as :func:`embedding_matrix` does.

    Of use where one vocabulary gets several matrices, with a seed each.
    """
    source = as_source(vectors)
    name = vectors.source if isinstance(vectors, WordVectors) else os.fspath(vectors)
    found = find_words(source, vocabulary.tokens)
    if not found:
        raise VectorsError(_no_overlap(name, source, vocabulary))
    for word, (_, row) in found.items():
        require_finite(row, word, name)
    ids = [i for i, word in enumerate(vocabulary.tokens, FIRST) if word in found]
    rows = np.stack([found[vocabulary.tokens[i - FIRST]][1] for i in ids])
    coverage = _coverage(name, source.dim, vocabulary, found, counts)
    return KnownRows(np.array(ids), rows.astype(np.float32, copy=False), coverage)


def _no_overlap(name: str, source: VectorFile, vocabulary: Vocabulary) -> str:
    ours = ", ".join(vocabulary.tokens[:5])
    theirs = ", ".join(source.first_words(5))
    return (
        f"{name} knows 0 of the {len(vocabulary.tokens)} words of the vocabulary "
        f"({ours}, …); it begins with {theirs}. Are the vectors of another language, "
        "or is the tokenizer another?"
    )


def _draw(size: int, dim: int, scale: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    matrix = np.empty((size, dim), np.float32)
    # In slices: the draws have 8 bytes each, and are the same as all at once.
    for start in range(0, size, SLICE):
        part = matrix[start : start + SLICE]
        part[:] = rng.uniform(-scale, scale, part.shape)
    matrix[0] = 0.0
    return matrix


def _coverage(
    name: str,
    dim: int,
    vocabulary: Vocabulary,
    found: Found,
    counts: Mapping[str, int] | None,
) -> CoverageReport:
    # The words of the texts; the vocabulary may have others, of the vectors.
    often = {
        word: 1 if counts is None else counts[word]
        for word in vocabulary.tokens
        if counts is None or word in counts
    }
    served = Counter(found[word][0] for word in often if word in found)
    missing = sorted(
        ((word, count) for word, count in often.items() if word not in found),
        key=lambda pair: (-pair[1], pair[0]),
    )
    return CoverageReport(
        source=os.path.basename(name),
        dim=dim,
        types=len(often),
        types_found=served.total(),
        running=sum(often.values()),
        running_found=sum(often[word] for word in often if word in found),
        served={way: served[way] for way in WAYS if served.get(way)},
        missing=tuple(missing[:SHOWN_MISSING]),
    )
