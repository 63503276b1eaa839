"""Vectors that gensim saved with ``KeyedVectors.save`` or ``Word2Vec.save``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from emoclf.embeddings.vector_io import FileStart, Rows, VectorSource
from emoclf.errors import VectorsError

PICKLE_MAGIC = b"\x80"


class GensimFile(VectorSource):
    """A pickle of gensim: loading it can execute code, so load only trusted files."""

    @staticmethod
    def recognises(start: FileStart) -> bool:
        """Return whether the file is a pickle."""
        return start.data.startswith(PICKLE_MAGIC)

    def __init__(self, start: FileStart) -> None:
        from gensim.utils import SaveLoad

        start.require_uncompressed()
        path = start.path
        try:
            # Large matrices are in files of their own, which are mapped, not read.
            saved: Any = SaveLoad.load(str(path), mmap="r")
        except Exception as error:
            # A pickle runs the code of other packages, which may raise anything.
            raise VectorsError(
                f"{path} looks like a gensim file and cannot be loaded "
                f"({type(error).__name__}: {error}). Save it again as word2vec .bin."
            ) from error
        self.vectors = getattr(saved, "wv", saved)
        if not hasattr(self.vectors, "key_to_index"):
            raise VectorsError(
                f"{path} contains a {type(saved).__name__}, not word vectors of gensim "
                "4. Save it again as word2vec .bin."
            )
        self.dim = int(self.vectors.vector_size)
        self.count = len(self.vectors.index_to_key)

    def rows(self, wanted: frozenset[str] | None) -> Rows:
        for word in self.vectors.index_to_key:
            if wanted is None or word in wanted:
                yield word, self.vectors.get_vector(word)

    def compose(self, words: Sequence[str]) -> Rows:
        if hasattr(self.vectors, "buckets_word"):
            for word in words:
                with suppress(KeyError):  # a word without sub-words
                    yield word, self.vectors.get_vector(word)
