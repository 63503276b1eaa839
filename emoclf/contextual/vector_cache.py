"""A folder of vectors of texts in half precision, mapped into memory when it is read.

Vectors are written in shards, each completely or not at all: what a killed process has
finished is there for the next one, and several processes may write at once.

``….npy``    vectors of many texts, one after another: float16, shape (rows, dim)
``….npz``    ``keys``, digests of the texts; and ``lengths``, their numbers of rows
"""

from __future__ import annotations

import hashlib
import logging
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from emoclf.errors import ModelError
from emoclf.files import new_file

logger = logging.getLogger(__name__)

#: Errors of damaged shards.
DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile)
#: Bytes of a text's digest.
KEY_BYTES = 16
#: Size above which a shard stays as it is, and number of smaller ones that are merged.
SHARD_BYTES, SMALL_SHARDS = 1 << 28, 16


def cache_folder() -> Path:
    """Return the folder for what can be computed again.

    It is ``EMOCLF_CACHE``, or ``emoclf`` in ``XDG_CACHE_HOME``, or in ``~/.cache``.
    """
    if given := os.environ.get("EMOCLF_CACHE"):
        return Path(given)
    usual = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(usual) / "emoclf"


def text_key(text: str) -> bytes:
    """Return the digest of a text."""
    # Lone surrogates have no UTF-8.
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=KEY_BYTES).digest()


class VectorCache:
    """Vectors of texts on disk.

    Parameters
    ----------
    folder : path
        Folder of one encoder; it is created when something is written.
    dim : int
        Width of the vectors.
    """

    def __init__(self, folder: str | os.PathLike[str], dim: int) -> None:
        self.folder, self.dim = Path(folder), dim
        self._vectors: dict[bytes, np.ndarray] = {}
        self._shards: set[str] = set()

    def find(self, texts: Iterable[str]) -> list[np.ndarray | None]:
        """Return the vectors of texts, float16 of shape (length, dim), or None."""
        self._read_new_shards()
        return [self._vectors.get(text_key(text)) for text in texts]

    def add(self, texts: Sequence[str], vectors: Sequence[np.ndarray]) -> None:
        """Write the vectors of texts as one shard; small shards are put together.

        Parameters
        ----------
        texts : sequence of str
        vectors : sequence of ndarray of float16, each of shape (length, dim)

        Raises
        ------
        ModelError
            If the folder cannot be written.
        """
        try:
            self._write(list(map(text_key, texts)), vectors)
            self._merge()
        except OSError as error:
            raise ModelError(
                f"Cannot write the vectors of texts to {self.folder}: {error}. Free "
                "disk space, or name another folder in the environment variable "
                "EMOCLF_CACHE."
            ) from error

    def _write(self, keys: Sequence[bytes], vectors: Iterable[np.ndarray]) -> None:
        """Write a shard."""
        vectors = list(vectors)
        lengths = np.array([len(rows) for rows in vectors], np.int64)
        header = {
            "descr": np.lib.format.dtype_to_descr(np.dtype(np.float16)),
            "fortran_order": False,
            "shape": (int(lengths.sum()), self.dim),
        }
        key_rows = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, KEY_BYTES)
        name = uuid.uuid4().hex
        self.folder.mkdir(parents=True, exist_ok=True)
        with new_file(self.folder / f"{name}.npy") as stream:
            np.lib.format.write_array_header_1_0(stream, header)
            for rows in vectors:
                stream.write(np.ascontiguousarray(rows).tobytes())
        # Last: a shard without its index does not count.
        with new_file(self.folder / f"{name}.npz") as stream:
            np.savez(stream, keys=key_rows, lengths=lengths)

    def _merge(self) -> None:
        """Put small shards together, because every shard keeps a file open."""
        small = [
            path
            for path in self.folder.glob("*.npz")
            if (shard := path.with_suffix(".npy")).exists()
            and shard.stat().st_size < SHARD_BYTES
        ]
        if len(small) < SMALL_SHARDS:
            return
        merged: dict[bytes, np.ndarray] = {}
        for path in small:
            merged |= self._read_shard(path)
        if merged:
            self._write(list(merged), merged.values())
        for path in small:
            # Another process may do the same.
            path.unlink(missing_ok=True)
            path.with_suffix(".npy").unlink(missing_ok=True)
        self._vectors, self._shards = {}, set()

    def _read_new_shards(self) -> None:
        for path in sorted(self.folder.glob("*.npz")):
            if path.stem not in self._shards:
                self._shards.add(path.stem)
                self._vectors |= self._read_shard(path)

    def _read_shard(self, path: Path) -> Mapping[bytes, np.ndarray]:
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as index:
                keys, lengths = index["keys"], index["lengths"]
            shard = path.with_suffix(".npy")
            # A plain array: views of a memmap are slow to make.
            rows = np.asarray(np.load(shard, mmap_mode="r", allow_pickle=False))
            ends = np.cumsum(lengths)
            fits = rows.dtype == np.float16 and rows.shape == (ends[-1], self.dim)
            if not fits or keys.shape != (len(lengths), KEY_BYTES) or lengths.min() < 1:
                raise ValueError("its files do not fit each other")
            pieces = np.split(rows, ends[:-1])
        except DAMAGE as error:
            logger.warning(
                "%s is damaged (%s): its texts are encoded again. Remove it.",
                path,
                error,
            )
            return {}
        return {key.tobytes(): piece for key, piece in zip(keys, pieces, strict=True)}
