"""The formats of vector files, and how a file finds its reader."""

from __future__ import annotations

import os
import re
from pathlib import Path

from emoclf.embeddings.fasttext_binary import FastTextFile
from emoclf.embeddings.gensim_files import GensimFile
from emoclf.embeddings.text_format import TextFile
from emoclf.embeddings.vector_io import FileStart, VectorSource
from emoclf.embeddings.word2vec_binary import BinaryFile
from emoclf.errors import VectorsError, setting, wrong_kind

#: Format → reader. The first reader that recognises a file reads it, so formats with a
#: mark of their own come first.
FORMATS: dict[str, type[FastTextFile | GensimFile | TextFile | BinaryFile]] = {
    "fastText .bin": FastTextFile,
    "a file that gensim saved": GensimFile,
    "word2vec .txt, GloVe .txt or fastText .vec": TextFile,
    "word2vec .bin": BinaryFile,
}


#: First bytes of other files → what they are, and the cure.
OTHER_FILES = {
    rb"(?i)\s*<(!doctype|html|\?xml)": "a web page: the address was that of a page, "
    "which links to the file. Download the file itself.",
    rb"version https://git-lfs": "a pointer of Git LFS, not the file itself. Fetch the "
    "file with: git lfs pull.",
    rb"(?s).{257}ustar": "a tar archive. Unpack it, and name the file in it.",
    rb"\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!": "compressed in a way that cannot be read. "
    "Decompress it, or use .gz, .bz2, .xz or .zip.",
    rb"\x1f\x8b|PK\x03\x04|BZh\d1AY|\xfd7zXZ": "compressed twice. Decompress it once.",
    rb"\xff\xfe|\xfe\xff": "UTF-16 text. Save it as UTF-8.",
    rb"\x93NUMPY": "an array without words. Pass words and array as an object: "
    "vectors=(words, array).",
}


def open_vectors(
    path: str | os.PathLike[str], *, limit: int | None = None
) -> VectorSource:
    """Look at a file's first bytes, and return its reader.

    Parameters
    ----------
    path : path
        File, plain, ``.gz``, ``.bz2``, ``.xz`` or ``.zip``; ``archive.zip/name`` is a
        file in an archive.
    limit : int >= 1, optional
        Number of first words to read.

    Raises
    ------
    VectorsError
        If the file cannot be read or has none of the formats, or the limit is wrong.
    """
    if not isinstance(path, str | os.PathLike):
        wanted = "the path of a file of word vectors"
        raise VectorsError(wrong_kind("vectors", wanted, path))
    check_limit(limit)
    start = FileStart(Path(path))
    for pattern, cure in OTHER_FILES.items():
        if re.match(pattern, start.data):
            raise VectorsError(f"{path} is {cure}")
    for reader in FORMATS.values():
        if reader.recognises(start):
            source = reader(start)
            source.limit, source.source = limit, os.fspath(path)
            return source
    raise VectorsError(
        f"{path} is not a file of word vectors: it begins with {start.data[:40]!r}. "
        f"Known formats: {'; '.join(FORMATS)}; each plain or compressed."
    )


def check_limit(limit: int | None) -> None:
    """Raise a VectorsError if this is no number of words."""
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        raise VectorsError(
            f"{setting('limit')} must be a whole number of at least 1. Got {limit!r} "
            "instead."
        )
