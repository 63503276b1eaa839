"""Vectors of gensim: objects, and files that ``KeyedVectors.save`` and others wrote."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.embeddings.gensim_pickle import (
    StoredArray,
    StoredObject,
    conversion,
    unpickle,
)
from emoclf.embeddings.vector_io import MAX_NGRAM, FileStart, Rows, VectorSource
from emoclf.embeddings.vector_streams import open_stream
from emoclf.errors import VectorsError, setting

PICKLE_PROTOCOLS = range(2, 6)
#: Names of the list of words, the newest first.
WORD_LISTS = ("index_to_key", "index2word", "index2entity")
ARRAYS = ("vectors", "syn0", "vectors_vocab", "vectors_ngrams")


class GensimVectors(VectorSource):
    """The vectors of a gensim object, or of one that was stored in a file.

    FastText composes a word's vector as the mean of its own row and the rows of its
    character n-grams.

    Parameters
    ----------
    keyed : object
        Object with the attributes of gensim's ``KeyedVectors``.
    name : str
        Name of the object or file, for errors.

    Raises
    ------
    VectorsError
        If words or vectors are missing or do not fit each other.
    """

    def __init__(self, keyed: Any, name: str) -> None:
        self.keyed, self.source = keyed, name
        lists = (getattr(keyed, attribute, None) for attribute in WORD_LISTS)
        words: Any = next((x for x in lists if x is not None), [])
        is_list = isinstance(words, list) and bool(words)
        if not is_list or not all(isinstance(word, str) for word in words):
            shown = type(words).__name__
            if is_list:
                # Not the values: a small file can contain lists of endless text.
                kinds = {type(word).__name__ for word in words}
                shown = f"a list of {', '.join(sorted(kinds))}"
            raise VectorsError(
                f"{name} contains no words, but {shown}. Give word vectors, not the "
                "vectors of documents."
            )
        self.words: list[str] = words
        self.matrix = _numbers(keyed, "vectors", "syn0")
        self._own = _numbers(keyed, "vectors_vocab")
        self._ngrams = None
        if getattr(keyed, "bucket", 0) and getattr(keyed, "compatible_hash", False):
            self._ngrams = _numbers(keyed, "vectors_ngrams")
            self._hashing = [
                getattr(keyed, x, -1) for x in ("min_n", "max_n", "bucket")
            ]
        rows = self._own if self.matrix is None else self.matrix
        fits = rows is not None and rows.ndim == 2 and rows.shape[1] > 0
        if rows is None or not fits or len(rows) != len(self.words):
            raise VectorsError(
                f"{name} has {len(self.words)} words, and vectors of the shape "
                f"{None if rows is None else rows.shape}. Save it again with gensim."
            )
        self.count, self.dim = rows.shape
        if self._ngrams is not None:
            sizes, shape = self._hashing, self._ngrams.shape
            whole = all(isinstance(x, int | np.integer) and x >= 0 for x in sizes)
            if not whole or max(sizes[:2]) > MAX_NGRAM or shape != (sizes[2], self.dim):
                raise VectorsError(
                    f"{name} has sub-word vectors of the shape {shape}, which do not "
                    f"fit min_n, max_n and bucket, {sizes}. Save it again with gensim."
                )
        arrays = (self.matrix, self._own, self._ngrams)
        self.arrays = [array for array in arrays if array is not None]

    @property
    def composes(self) -> bool:
        """Whether there are sub-words."""
        return self._ngrams is not None

    def rows(self, wanted: frozenset[str] | None) -> Rows:
        for number, word in enumerate(islice(self.words, self.limit)):
            if wanted is None or word in wanted:
                if self.matrix is not None:
                    yield word, self.matrix[number]
                elif self._own is not None:
                    # gensim 4 does not store what it can compose.
                    own, parts = self._own[number], self._parts(word)
                    yield word, (own + parts.sum(0)) / (1 + len(parts))

    def compose(self, words: Sequence[str]) -> Rows:
        for word in words:
            parts = self._parts(word)
            if len(parts):
                yield word, parts.mean(0)

    def _parts(self, word: str) -> np.ndarray:
        """Return the vectors of a word's character n-grams."""
        if self._ngrams is None:
            return np.empty((0, self.dim), np.float32)
        from gensim.models.fasttext import ft_ngram_hashes

        return self._ngrams[np.array(ft_ngram_hashes(word, *self._hashing), int)]


class GensimFile(GensimVectors):
    """A file that gensim saved; nothing in it is run (:mod:`.gensim_pickle`)."""

    @staticmethod
    def recognises(start: FileStart) -> bool:
        """Return whether the file is a pickle."""
        magic, protocol = start.data[:2].ljust(2, b"\0")
        return magic == 0x80 and protocol in PICKLE_PROTOCOLS

    def __init__(self, start: FileStart) -> None:
        path = start.path
        with open_stream(path) as stream:
            saved = unpickle(stream, path)
        keyed, base = saved, str(path)
        if isinstance(getattr(saved, "wv", None), StoredObject):
            keyed, base = saved.wv, f"{path}.wv"
        if not any(hasattr(keyed, name) for name in WORD_LISTS):
            raise VectorsError(
                f"{path} is a pickle, but not of gensim's word vectors. If gensim can "
                f"load it, {conversion(path)}. Pass vectors of your own as an object: "
                f"{setting('vectors')}=(words, matrix)."
            )
        # Large arrays are in files of their own, which are mapped, not read.
        apart = getattr(keyed, "__numpys", None)
        for name in ARRAYS:
            if isinstance(apart, list) and name in apart:
                setattr(keyed, name, _companion(f"{base}.{name}"))
        super().__init__(keyed, str(path))


def _numbers(keyed: Any, *names: str) -> np.ndarray | None:
    """Return the first of these attributes that is an array."""
    for name in names:
        value = getattr(keyed, name, None)
        if isinstance(value, StoredArray):
            value = value.values
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiu":
            return value
    return None


def _companion(base: str) -> np.ndarray:
    """Return an array that gensim has saved beside its file."""
    path = Path(f"{base}.npy")
    if not path.is_file() and (compressed := Path(f"{base}.npz")).is_file():
        path = compressed
    if not path.is_file():
        raise VectorsError(
            f"There is no file {path}, in which gensim has saved some of the vectors. "
            "Put it beside the other file; all files of one name belong together."
        )
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                return archive["val"]
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:
        # Damaged archives raise almost anything.
        raise VectorsError(
            f"{path} cannot be read ({type(error).__name__}: {error}). Make or "
            "download it again."
        ) from error
