"""The formats of vector files, and how a file finds its reader."""

from __future__ import annotations

import os
from pathlib import Path

from emoclf.embeddings.fasttext_binary import FastTextFile
from emoclf.embeddings.gensim_files import GensimFile
from emoclf.embeddings.text_format import TextFile
from emoclf.embeddings.vector_io import FileStart, VectorSource
from emoclf.embeddings.word2vec_binary import BinaryFile
from emoclf.errors import VectorsError, wrong_kind

#: Format → reader. The first reader that recognises a file reads it, so formats with a
#: mark of their own come first.
FORMATS: dict[str, type[FastTextFile | GensimFile | TextFile | BinaryFile]] = {
    "fastText .bin": FastTextFile,
    "a file that gensim saved": GensimFile,
    "word2vec .txt, GloVe .txt or fastText .vec (plain or .gz)": TextFile,
    "word2vec .bin (plain or .gz)": BinaryFile,
}


def open_vectors(path: str | os.PathLike[str]) -> VectorSource:
    """Look at a file's first bytes, and return its reader.

    Raises
    ------
    VectorsError
        If the file cannot be read or has none of the formats.
    """
    if not isinstance(path, str | os.PathLike):
        wanted = "the path of a file of word vectors"
        raise VectorsError(wrong_kind("vectors", wanted, path))
    start = FileStart(Path(path))
    for reader in FORMATS.values():
        if reader.recognises(start):
            return reader(start)
    raise VectorsError(
        f"{path} is not a file of word vectors: it begins with {start.data[:40]!r}. "
        f"Known formats: {'; '.join(FORMATS)}."
    )
