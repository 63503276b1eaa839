"""Vectors that gensim saved with ``KeyedVectors.save`` or ``Word2Vec.save``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from emoclf.embeddings.formats import Rows
from emoclf.errors import VectorsError


class GensimFile:
    """A pickle of gensim's: it can execute code, so load only what you trust."""

    def __init__(self, path: Path) -> None:
        from gensim.utils import SaveLoad

        self.path = path
        try:
            # Large matrices lie in files of their own, which are mapped, not read.
            saved: Any = SaveLoad.load(str(path), mmap="r")
        except Exception as error:
            raise VectorsError(
                f"{path} looks like a file of gensim's and cannot be loaded "
                f"({type(error).__name__}: {error}). Save it again as word2vec .bin."
            ) from error
        self.vectors = getattr(saved, "wv", saved)
        if not hasattr(self.vectors, "key_to_index"):
            raise VectorsError(
                f"{path} holds a {type(saved).__name__}, not word vectors of gensim 4."
            )
        self.dim = int(self.vectors.vector_size)

    def read(self, wanted: frozenset[str] | None) -> Rows:
        known = self.vectors.key_to_index
        words = known if wanted is None else (word for word in known if word in wanted)
        return {word: np.array(self.vectors[word], np.float32) for word in words}

    def first_words(self, n: int) -> list[str]:
        return list(self.vectors.index_to_key[:n])

    def compose(self, word: str) -> np.ndarray | None:
        if not hasattr(self.vectors, "buckets_word"):
            return None
        try:
            return np.array(self.vectors.get_vector(word), np.float32)
        except KeyError:
            return None
