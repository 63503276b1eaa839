"""Vectors that gensim saved with ``KeyedVectors.save`` or ``Word2Vec.save``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emoclf.embeddings.kept_rows import Rows
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
            # A pickle runs the code of other packages, which raises what it likes.
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
        words = [word for word in known if wanted is None or word in wanted]
        rows = Rows(self.dim, len(words))
        for word in words:
            rows.add(word, self.vectors[word])
        return rows

    def first_words(self, n: int) -> list[str]:
        return list(self.vectors.index_to_key[:n])

    def compose(self, words: Sequence[str]) -> Rows:
        rows = Rows(self.dim, len(words))
        if hasattr(self.vectors, "buckets_word"):
            for word in words:
                try:
                    rows.add(word, self.vectors.get_vector(word))
                except KeyError:
                    continue
        return rows
