"""Sets of word vectors, given as files, as objects, or as a list of several.

Settings are plain text, so an object is an argument beside them; the settings contain
its name and its hash instead of a path.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.embeddings.gensim_files import WORD_LISTS, GensimVectors
from emoclf.embeddings.starter import STARTER, StarterVectors
from emoclf.embeddings.vector_files import check_limit, open_vectors
from emoclf.embeddings.vector_io import VectorSource
from emoclf.embeddings.vector_names import downloaded_vectors, is_vectors_name
from emoclf.embeddings.word_vectors import WordVectors, save_vectors
from emoclf.errors import VectorsError, setting
from emoclf.files import new_folder
from emoclf.fingerprint import digest
from emoclf.settings import RunSettings
from emoclf.settings.base import NONE_TEXT
from emoclf.settings.sections import AUTO

MAX_NAME_LETTERS = 40
#: End of the name of an object in settings, or of its file in a search.
OBJECT_NAME = re.compile(r"( \(SHA-256 |-)[0-9a-f]{64}(\)|\.bin|\.kv)$")

#: Vectors in memory; both have ``words`` and ``arrays``.
VectorObject = WordVectors | GensimVectors


#: One set of vectors: the path of a file, or vectors in memory.
VectorSet = str | VectorObject


def vector_sets(vectors: Any) -> tuple[VectorSet, ...]:
    """Return the sets of word vectors that were given in any form.

    Parameters
    ----------
    vectors : path, WordVectors, KeyedVectors, (words, array), mapping, list or None
        See :func:`emoclf.embedding_matrix`.

    Raises
    ------
    VectorsError
        If they are of another type, or unusable.
    """
    if vectors is None:
        return ()
    is_list = isinstance(vectors, list | tuple) and len(vectors) > 0
    if is_list and all(map(_is_set, vectors)):
        return tuple(_as_set(item) for item in vectors)
    return (_as_set(vectors),)


def given_vectors(
    settings: RunSettings, vectors: Any
) -> tuple[RunSettings, tuple[VectorSet, ...]]:
    """Return settings that name the vectors of an argument, and their sets.

    Parameters
    ----------
    settings : RunSettings
    vectors : object
        What :func:`vector_sets` takes; or "none" or "auto", which are settings only;
        or None for those of the settings.
    """
    if isinstance(vectors, str) and vectors in (AUTO, NONE_TEXT):
        return settings.override(vectors=vectors), ()
    sets = vector_sets(vectors)
    if sets:
        settings = settings.override(vectors=vectors_setting(sets))
    return settings, sets


def vectors_setting(sets: Sequence[VectorSet]) -> str | tuple[str, ...] | None:
    """Return the value of the setting ``vectors`` for these sets.

    For an object, it is its name and its hash.
    """
    names = tuple(
        item
        if isinstance(item, str)
        else f"{os.path.basename(item.source)} (SHA-256 {_digest(item)})"
        for item in sets
    )
    return names if len(names) > 1 else next(iter(names), None)


def vector_sources(
    vectors: Any, *, limit: int | None = None
) -> tuple[VectorSource, ...]:
    """Return a source for each set of vectors.

    Parameters
    ----------
    vectors : path, WordVectors, KeyedVectors, (words, array), mapping or list
    limit : int >= 1, optional
        Number of first words to read from each; default: all.

    Raises
    ------
    VectorsError
        If they are of another type, or unusable.
    """
    return tuple(_source(item, limit) for item in vector_sets(vectors))


def _source(vectors: VectorSet | StarterVectors, limit: int | None) -> VectorSource:
    if isinstance(vectors, str):
        if OBJECT_NAME.search(vectors) and not os.path.exists(vectors):
            raise VectorsError(
                f"The settings name word vectors that were an object, {vectors}. Pass "
                f"the object again: {setting('vectors')}=…, or a file."
            )
        if vectors != STARTER:
            named = is_vectors_name(vectors)
            path = downloaded_vectors(vectors) if named else vectors
            return open_vectors(path, limit=limit)
        vectors = StarterVectors()
    if limit is None:
        return vectors
    check_limit(limit)
    source = copy.copy(vectors)
    # WordVectors are frozen.
    object.__setattr__(source, "limit", limit)
    return source


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


def _is_set(vectors: Any) -> bool:
    """Return whether an item of a list is a set of vectors, not words or numbers."""
    if isinstance(vectors, tuple) and len(vectors) == 2:
        words = vectors[0]
        return not isinstance(words, str) and hasattr(words, "__iter__")
    kinds = str | os.PathLike | WordVectors | GensimVectors | Mapping
    return isinstance(vectors, kinds) or _is_frame(vectors) or _is_keyed(vectors)


def _is_frame(vectors: Any) -> bool:
    return getattr(vectors, "ndim", 0) == 2 and hasattr(vectors, "index")


def _is_keyed(vectors: Any) -> bool:
    keyed = getattr(vectors, "wv", vectors)
    return any(hasattr(keyed, attribute) for attribute in WORD_LISTS)


def _as_set(vectors: Any) -> VectorSet:
    if isinstance(vectors, str | os.PathLike):
        return os.fspath(vectors)
    if isinstance(vectors, WordVectors | GensimVectors):
        return vectors
    name = type(vectors).__name__
    if isinstance(vectors, Mapping):
        return WordVectors(tuple(vectors), list(vectors.values()), name)
    if _is_frame(vectors):
        return WordVectors(tuple(vectors.index), vectors.to_numpy(), name)
    if isinstance(vectors, tuple | list) and len(vectors) == 2:
        words, matrix = vectors
        if not isinstance(words, str) and hasattr(words, "__iter__"):
            return WordVectors(tuple(words), matrix, "array")
    if _is_keyed(vectors):
        keyed = getattr(vectors, "wv", vectors)
        return GensimVectors(keyed, type(keyed).__name__)
    raise VectorsError(
        "Word vectors must be the path of a file, WordVectors, gensim's KeyedVectors, "
        f"a pair (words, array), or a list of them. Got {name}."
    )


def _digest(source: VectorObject) -> str:
    """Return the SHA-256 of all words and vectors."""
    return digest(list(source.words), *source.arrays)
