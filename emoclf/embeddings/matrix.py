"""The embedding matrix: word vectors in the order of a vocabulary."""

from __future__ import annotations

import os
from collections import ChainMap, Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import numpy as np

from emoclf.embeddings.coverage import CoverageReport
from emoclf.embeddings.lookup import find_words
from emoclf.embeddings.spellings import MATCH_LABELS
from emoclf.embeddings.vector_io import VectorSource, require_finite
from emoclf.embeddings.vector_objects import vector_sources
from emoclf.errors import VectorsError
from emoclf.text.vocabulary import FIRST_TOKEN_ID, UNKNOWN, Vocabulary

#: Kim (2014), process_data.py: random words are uniform in [-0.25, 0.25].
RANDOM_SCALE = 0.25
#: Root mean square of each of several sets of vectors, near that of random words.
JOINED_RMS = 0.12
MAX_SHOWN_MISSING = 15
SLICE_ROWS = 1024


def random_matrix(vocabulary: Vocabulary, dim: int, *, seed: int = 0) -> np.ndarray:
    """Draw a matrix uniformly from [-0.25, 0.25], as in Kim (2014).

    Returns
    -------
    matrix : ndarray of float32, shape (len(vocabulary), dim)
        Row 0, padding, is zero; so is row 1 (unknown), the mean of the others.
    """
    matrix = _draw(len(vocabulary), dim, RANDOM_SCALE, seed)
    matrix[UNKNOWN] = 0.0
    return matrix


def embedding_matrix(
    vectors: Any,
    vocabulary: Vocabulary,
    *,
    counts: Mapping[str, int] | None = None,
    seed: int = 0,
    limit: int | None = None,
) -> tuple[np.ndarray, CoverageReport]:
    """Place word vectors in the order of a vocabulary; draw the missing ones.

    A token is looked up as it is, in other cases, as parts, in spellings that the
    file's own tokenizer would have made of it, and from fastText's sub-words.

    Parameters
    ----------
    vectors : path, WordVectors, KeyedVectors, (words, array), mapping or list
        A file, of which only the needed rows are kept in memory; vectors or a model of
        gensim; words and an array of shape (n_words, dim); words and their vectors; or
        a DataFrame with the words as its index. Several of them in a list are placed
        side by side, each scaled to the same root mean square; a token that only some
        of them contain has zeros in the place of the others.
    vocabulary : Vocabulary
        Row i of the matrix belongs to token id i; row 0 (padding) stays zero, and row
        1 (unknown) is the mean of the rows that were found.
    counts : mapping of str to int, optional
        Count of each token in the training set; default: each counts once.
    seed : int
        Seed of the rows of tokens without a vector, which are drawn uniformly and with
        the variance of the rows that were found.
    limit : int >= 1, optional
        Number of words to use of each set of vectors, the first ones; default: all.

    Returns
    -------
    matrix : ndarray of float32, shape (len(vocabulary), dim)
    coverage : CoverageReport

    Raises
    ------
    VectorsError
        If a file is unusable, or has a vector for no token of the vocabulary.
    """
    sources = vector_sources(vectors, limit=limit)
    rows = pretrained_rows(sources, vocabulary, counts=counts)
    return rows.matrix(len(vocabulary), seed=seed), rows.coverage


@dataclass(frozen=True)
class PretrainedRows:
    """The rows of an embedding matrix that come from vectors, without the drawn ones.

    Parameters
    ----------
    ids : ndarray of int64, shape (n_found,)
        Token ids.
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
        # An unknown token is most likely like the others, and the training set may
        # contain none from which its row could be learnt.
        matrix[UNKNOWN] = self.rows.mean(0)
        return matrix


def pretrained_rows(
    sources: Sequence[VectorSource],
    vocabulary: Vocabulary,
    *,
    counts: Mapping[str, int] | None = None,
) -> PretrainedRows:
    """Look up the tokens of a vocabulary, as :func:`embedding_matrix` does.

    Matrices of several seeds need only one such look-up.
    """
    sets = [_rows_of(source, vocabulary, counts) for source in sources]
    if len(sets) == 1:
        return sets[0][0]
    kinds = ChainMap(*(matches for _, matches in sets))
    ids = _ids(vocabulary, kinds)
    dims = [rows.rows.shape[1] for rows, _ in sets]
    joined = np.zeros((len(ids), sum(dims)), np.float32)
    for (rows, _), end, dim in zip(sets, np.cumsum(dims), dims, strict=True):
        rms = np.sqrt(np.mean(rows.rows**2, dtype=np.float64))
        if not 1e-12 < rms < 1e12:
            raise VectorsError(
                f"{rows.coverage.source} cannot be scaled like the other vectors: the "
                f"root mean square of its numbers is {rms:g}. Leave it out."
            )
        scale = JOINED_RMS / rms
        positions = np.searchsorted(ids, rows.ids)
        joined[positions, end - dim : end] = rows.rows * np.float32(scale)
    reports = tuple(rows.coverage for rows, _ in sets)
    name = " + ".join(report.source for report in reports)
    coverage = _coverage(name, sum(dims), vocabulary, kinds, counts)
    return PretrainedRows(ids, joined, replace(coverage, sets=reports))


def first_words(sources: Sequence[VectorSource], n: int) -> list[str]:
    """Return the first ``n`` words of several sources, taken in turns."""
    turns = zip_longest(*(source.first_words(n) for source in sources))
    words = dict.fromkeys(word for turn in turns for word in turn if word is not None)
    return list(words)[:n]


def _rows_of(
    source: VectorSource, vocabulary: Vocabulary, counts: Mapping[str, int] | None
) -> tuple[PretrainedRows, dict[str, str]]:
    """Return the rows of one set, and the kind of match of each token."""
    name = source.source
    matches = find_words(source, vocabulary.tokens)
    if not matches:
        tokens, words = vocabulary.tokens[:5], source.first_words(5)
        raise VectorsError(
            f"{name} has a vector for none of the {len(vocabulary.tokens)} tokens of "
            f"the vocabulary ({', '.join(tokens)}, …); the file begins with "
            f"{', '.join(words)}. Use vectors of the same language, and the tokenizer "
            "that they were made with."
        )
    for token, match in matches.items():
        require_finite(match.vector, token, name)
    kinds = {token: match.kind for token, match in matches.items()}
    ids = _ids(vocabulary, kinds)
    rows = np.stack(
        [matches[vocabulary.tokens[i - FIRST_TOKEN_ID]].vector for i in ids]
    )
    coverage = _coverage(name, source.dim, vocabulary, kinds, counts)
    return PretrainedRows(ids, rows.astype(np.float32, copy=False), coverage), kinds


def _ids(vocabulary: Vocabulary, tokens: Container[str]) -> np.ndarray:
    """Return the ids of these tokens, in ascending order."""
    is_member = [token in tokens for token in vocabulary.tokens]
    return FIRST_TOKEN_ID + np.flatnonzero(is_member)


def _draw(size: int, dim: int, scale: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    matrix = np.empty((size, dim), np.float32)
    # In slices, since draws take 8 bytes each; the numbers are the same.
    for start in range(0, size, SLICE_ROWS):
        part = matrix[start : start + SLICE_ROWS]
        part[:] = rng.uniform(-scale, scale, part.shape)
    matrix[0] = 0.0
    return matrix


def _coverage(
    name: str,
    dim: int,
    vocabulary: Vocabulary,
    kinds: Mapping[str, str],
    counts: Mapping[str, int] | None,
) -> CoverageReport:
    # Tokens of the texts; a vocabulary may contain more, taken from the vectors.
    if counts is None:
        counts = dict.fromkeys(vocabulary.tokens, 1)
    text_counts = {
        token: counts[token] for token in vocabulary.tokens if token in counts
    }
    by_kind = Counter(kinds[t] for t in text_counts if t in kinds)
    missing = sorted(
        ((token, n) for token, n in text_counts.items() if token not in kinds),
        key=lambda pair: (-pair[1], pair[0]),
    )
    return CoverageReport(
        source=os.path.basename(name),
        dim=dim,
        types=len(text_counts),
        types_found=by_kind.total(),
        running=sum(text_counts.values()),
        running_found=sum(n for token, n in text_counts.items() if token in kinds),
        served={kind: by_kind[kind] for kind in MATCH_LABELS if by_kind[kind]},
        missing=tuple(missing[:MAX_SHOWN_MISSING]),
    )
