"""Group duplicate and near-duplicate texts, which a split must keep together.

Two texts are near-duplicates when the Jaccard similarity of their word sets reaches
the threshold, and groups are the connected components of that relation. Candidates
come from MinHash signatures cut into bands (Leskovec, Rajaraman, Ullman: Mining of
Massive Datasets, section 3.4); each is then verified on the word sets themselves, so
that no pair is wrong and hardly any is missed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from emoclf.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from emoclf.datasets.dataset import Dataset

# Share of the pairs exactly at the threshold that are missed.
_MISSED_SHARE = 0.002
_MAX_HASHES = 160
# Words that are compared in one step, which limits the memory.
_STEP_WORDS = 4_000_000
# Odd 64-bit factor of a polynomial hash (Knuth's multiplicative constant).
_KEY_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def group_duplicates(
    texts: Sequence[str], threshold: float = 0.8, *, exact: np.ndarray | None = None
) -> np.ndarray:
    """Number the groups of duplicates and near-duplicates.

    Parameters
    ----------
    texts : sequence of str
    threshold : float in (0, 1], default=0.8
        Lowest Jaccard similarity of the word sets of near-duplicates. At 1 only texts
        that differ in nothing but case and white space are grouped. In scripts
        without spaces, pairs of characters are used instead of words. Below 0.5 many
        pairs are compared, which takes long on large sets.
    exact : ndarray of int64, shape (n_texts,), optional
        Groups at the threshold 1, where they are known.

    Returns
    -------
    groups : ndarray of int64, shape (n_texts,)
        Numbers from 0, in the order in which groups first occur.

    Examples
    --------
    >>> group_duplicates(["So sad.", "so  sad.", "What a day!"]).tolist()
    [0, 0, 1]
    """
    if exact is None:
        exact = number_groups([normalise(text) for text in texts])
    if threshold >= 1 or len(texts) == 0:
        return exact
    _, first = np.unique(exact, return_index=True)
    sets = _word_ids(texts[i] for i in first)
    same_set = number_groups(sets)
    distinct = list(dict.fromkeys(sets))
    near = _near_duplicates(_incidence(distinct), threshold)
    return number_groups(near[same_set][exact].tolist())


def group_parts(parts: Sequence[Dataset], near_duplicates: float) -> list[np.ndarray]:
    """Return the groups of the texts of several datasets, which are grouped together.

    Each dataset keeps its groups for :meth:`Dataset.duplicate_groups`.

    Parameters
    ----------
    parts : sequence of Dataset
    near_duplicates : float in (0, 1]

    Returns
    -------
    groups : list of ndarray of int64
        Equal numbers in two arrays are duplicates or near-duplicates across datasets.
    """
    near_duplicates = min(near_duplicates, 1.0)
    texts = [text for part in parts for text in part.grouping_keys()]
    groups = group_duplicates(texts, near_duplicates)
    pieces = np.split(groups, np.cumsum([len(part) for part in parts])[:-1])
    for part, piece in zip(parts, pieces, strict=True):
        part._groups[near_duplicates] = number_groups(piece.tolist())
    return pieces


def normalise(text: str) -> str:
    """Return a text without differences of case and white space."""
    return " ".join(text.split()).casefold()


def shingles(text: str) -> frozenset[str]:
    """Return the words of a text, or pairs of characters where there are no spaces.

    Words are the tokenizer's, without punctuation.

    A text without words or letters (``"!!!"``, an emoji) is its only shingle.

    Examples
    --------
    >>> sorted(shingles("No, no way")), sorted(shingles("非常好"))
    (['no', 'way'], ['常好', '非常'])
    """
    words: set[str] = set()
    for run in _tokenizer().words(text.casefold()):
        if len(run) == 1:
            words.add(run[0])
        else:
            words.update(map("".join, pairwise(run)))
    return frozenset(words or {normalise(text)})


# Made at first use, because its tables are read from a file.
_tokenizer = cache(Tokenizer)


def bands_for(threshold: float) -> tuple[int, int]:
    """Return the number of bands and of hashes per band for a threshold.

    The bands are as long as the largest number of hashes allows, because long bands
    give the fewest wrong candidates.

    Examples
    --------
    >>> bands_for(0.8)
    (21, 6)
    """
    best = (math.ceil(math.log(_MISSED_SHARE) / math.log1p(-threshold)), 1)
    for rows in range(2, _MAX_HASHES):
        bands = math.ceil(math.log(_MISSED_SHARE) / math.log1p(-(threshold**rows)))
        if bands * rows > _MAX_HASHES:
            break
        best = (bands, rows)
    return best


def number_groups(values: Sequence) -> np.ndarray:
    """Number equal values from 0, in the order in which they first occur."""
    ids: dict = {}
    return np.array([ids.setdefault(v, len(ids)) for v in values], dtype=np.int64)


def _word_ids(texts: Iterable[str]) -> list[tuple[int, ...]]:
    """Return the sorted ids of each text's words: small, and equal for equal sets."""
    ids: dict[str, int] = {}
    return [
        # Sorted: the order of a set of strings changes from process to process.
        tuple(sorted(ids.setdefault(word, len(ids)) for word in sorted(shingles(text))))
        for text in texts
    ]


def _incidence(sets: Sequence[tuple[int, ...]]) -> csr_array:
    """Return a sparse matrix with a one for each word of each set."""
    starts = np.cumsum([0, *map(len, sets)])
    words = np.fromiter(chain.from_iterable(sets), np.int32, starts[-1])
    ones = np.ones(len(words), dtype=np.int32)
    return csr_array((ones, words, starts), shape=(len(sets), int(words.max()) + 1))


def _near_duplicates(incidence: csr_array, threshold: float) -> np.ndarray:
    """Return the component of every set of words."""
    n_sets = incidence.shape[0]
    sizes = np.diff(incidence.indptr)
    bands, rows = bands_for(threshold)
    step_pairs = int(_STEP_WORDS / sizes.mean())
    component = np.arange(n_sets)
    for keys in _band_keys(incidence, bands, rows):
        _, bucket = np.unique(keys, return_inverse=True)
        # Neighbours first: they link a large bucket of similar texts in one step, and
        # the pairs of a bucket that is one component are then skipped.
        for furthest in (1, n_sets):
            for a, b in _equal_pairs(bucket, component, furthest, step_pairs):
                keep = component[a] != component[b]
                a, b = _verified(incidence, sizes, a[keep], b[keep], threshold)
                if len(a):
                    pairs = (component[a], component[b])
                    links = coo_array((np.ones(len(a)), pairs), shape=(n_sets, n_sets))
                    joined = connected_components(links, directed=False)[1]
                    component = joined[component]
    return component


def _band_keys(incidence: csr_array, bands: int, rows: int) -> Iterator[np.ndarray]:
    """Yield a hash of each set's MinHash values of each band.

    A hash function is a table of random numbers, one for each word of the vocabulary,
    so that the signatures of all sets are minima of slices of one array.
    """
    rng = np.random.default_rng(0)
    words, starts = incidence.indices, incidence.indptr[:-1]
    for _ in range(bands):
        keys = np.zeros(len(starts), dtype=np.uint64)
        for _ in range(rows):
            hash_of = rng.integers(2**32, size=incidence.shape[1], dtype=np.uint32)
            minima = np.minimum.reduceat(hash_of[words], starts)
            # Equal keys of unequal signatures are only further candidates.
            keys = keys * _KEY_FACTOR + minima
        yield keys


def _verified(
    incidence: csr_array,
    sizes: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    threshold: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Keep the pairs whose sets of words are similar enough."""
    # Pairs whose sizes differ too much are excluded before they are compared.
    small, large = np.minimum(sizes[a], sizes[b]), np.maximum(sizes[a], sizes[b])
    keep = small >= threshold * large - 1e-9
    a, b = a[keep], b[keep]
    shared = incidence[a].multiply(incidence[b]).sum(axis=1)
    near = shared >= threshold * (sizes[a] + sizes[b] - shared) - 1e-9
    return a[near], b[near]


def _equal_pairs(
    bucket: np.ndarray, component: np.ndarray, furthest: int, step_pairs: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the pairs of each bucket that are at most ``furthest`` apart in it."""
    order = np.argsort(bucket, kind="stable")
    counts = np.bincount(bucket)
    ends = np.cumsum(counts)
    lowest = np.minimum.reduceat(component[order], ends - counts)
    highest = np.maximum.reduceat(component[order], ends - counts)
    positions = np.flatnonzero(np.repeat(lowest != highest, counts))
    partners = (np.repeat(ends, counts)[positions] - positions - 1).clip(max=furthest)
    limits = np.arange(step_pairs, partners.sum(), step_pairs)
    cuts = np.searchsorted(np.cumsum(partners), limits)
    for part, sizes in zip(
        np.split(positions, cuts), np.split(partners, cuts), strict=True
    ):
        distance = np.arange(sizes.sum()) + 1
        distance -= np.repeat(np.cumsum(sizes) - sizes, sizes)
        first = np.repeat(part, sizes)
        yield order[first], order[first + distance]
