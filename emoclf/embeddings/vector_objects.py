"""Word vectors given as objects instead of files.

Settings are plain text, so an object is an argument beside them; the settings contain
its name and its hash instead of a path.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.embeddings.gensim_files import WORD_LISTS, GensimVectors
from emoclf.embeddings.vector_files import check_limit, open_vectors
from emoclf.embeddings.vector_io import VectorSource
from emoclf.embeddings.word_vectors import WordVectors, save_vectors
from emoclf.errors import VectorsError, setting
from emoclf.files import new_folder
from emoclf.fingerprint import digest

MAX_NAME_LETTERS = 40
#: End of the name of an object in settings, or of its file in a search.
OBJECT_NAME = re.compile(r"( \(SHA-256 |-)[0-9a-f]{64}(\)|\.bin|\.kv)$")

#: Vectors in memory; both have ``words`` and ``arrays``.
VectorObject = WordVectors | GensimVectors


def vector_source(vectors: Any, *, limit: int | None = None) -> VectorSource:
    """Return the source of vectors that are given in any form.

    Parameters
    ----------
    vectors : path, WordVectors, KeyedVectors, (words, array) or mapping
        See :func:`emoclf.embedding_matrix`.
    limit : int >= 1, optional
        Number of first words to read; default: all.

    Raises
    ------
    VectorsError
        If they are of another type, or unusable.
    """
    if isinstance(vectors, str | os.PathLike):
        if OBJECT_NAME.search(os.fspath(vectors)) and not os.path.exists(vectors):
            raise VectorsError(
                f"The settings name word vectors that were an object, {vectors}. Pass "
                f"the object again: {setting('vectors')}=…, or a file."
            )
        return open_vectors(vectors, limit=limit)
    source = _object_source(vectors)
    if limit is not None:
        check_limit(limit)
        source = copy.copy(source)
        # WordVectors are frozen.
        object.__setattr__(source, "limit", limit)
    return source


def named_vectors(vectors: Any) -> tuple[str | None, VectorObject | None]:
    """Return the value of the setting ``vectors``, and the source of an object.

    The setting of an object is its name and its hash.
    """
    if vectors is None:
        return None, None
    if isinstance(vectors, str | os.PathLike):
        return os.fspath(vectors), None
    source = _object_source(vectors)
    return f"{os.path.basename(source.source)} (SHA-256 {_digest(source)})", source


def vectors_path(source: VectorObject, folder: Path) -> Path:
    """Return the path, in a folder, of the file that :func:`write_vectors` writes."""
    sha256, name = _digest(source), os.path.basename(source.source)
    name = "".join(c if c.isalnum() else "_" for c in name)[:MAX_NAME_LETTERS]
    ending = "kv" if isinstance(source, GensimVectors) and source.composes else "bin"
    return folder / f"vectors-{sha256[:16]}" / f"{name}-{sha256}.{ending}"


def write_vectors(source: VectorObject, path: Path) -> None:
    """Write vectors for other processes, completely or not at all."""
    if path.parent.is_dir():
        return
    with new_folder(path.parent) as folder:
        if isinstance(source, GensimVectors) and source.composes:
            # word2vec's format has no sub-words.
            source.keyed.save(str(folder / path.name))
            return
        # It has no words with white space either, which no tokenizer produces.
        pairs = [(w, row) for w, row in source.rows(None) if w.split() == [w]]
        words = tuple(word for word, _ in pairs)
        matrix = np.stack([row for _, row in pairs])
        save_vectors(WordVectors(words, matrix, source.source), folder / path.name)


def _object_source(vectors: Any) -> VectorObject:
    if isinstance(vectors, WordVectors | GensimVectors):
        return vectors
    name = type(vectors).__name__
    if isinstance(vectors, Mapping):
        return WordVectors(tuple(vectors), list(vectors.values()), name)
    if hasattr(vectors, "to_numpy") and hasattr(vectors, "index"):
        return WordVectors(tuple(vectors.index), vectors.to_numpy(), name)
    if isinstance(vectors, tuple | list) and len(vectors) == 2:
        words, matrix = vectors
        if not isinstance(words, str) and hasattr(words, "__iter__"):
            return WordVectors(tuple(words), matrix, "array")
    keyed = getattr(vectors, "wv", vectors)
    if any(hasattr(keyed, attribute) for attribute in WORD_LISTS):
        return GensimVectors(keyed, type(keyed).__name__)
    raise VectorsError(
        "Word vectors must be the path of a file, WordVectors, gensim's KeyedVectors, "
        f"or a pair (words, array). Got {name}."
    )


def _digest(source: VectorObject) -> str:
    """Return the SHA-256 of all words and vectors."""
    return digest(list(source.words), *source.arrays)
