"""Sequences on disk: texts, and arrays of different lengths."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np


class StoredArrays(Sequence[np.ndarray]):
    """Arrays of one dimension and different lengths, one after the other in a file.

    Parameters
    ----------
    path : Path
        File that :func:`store_arrays` wrote.
    dtype : numpy type
    """

    def __init__(self, path: Path, dtype: Any) -> None:
        self._values = mapped(path, dtype)
        self._ends = mapped(_ends_path(path), np.int64)

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, number: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[np.ndarray]: ...
    def __getitem__(self, number: int | slice) -> Any:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        if number < 0:
            number += len(self)
        start = self._ends[number - 1] if number else 0
        return self._values[start : self._ends[number]]


class StoredTexts:
    """Texts, one after the other in a file.

    Parameters
    ----------
    path : Path
        File that :func:`store_texts` wrote.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._bytes = StoredArrays(path, np.uint8)

    def __len__(self) -> int:
        return len(self._bytes)

    def __getitem__(self, number: int) -> str:
        return self._bytes[number].tobytes().decode("utf-8", "surrogatepass")

    def digest(self) -> str:
        """Return a hash of all texts and their order."""
        sums = hashlib.sha256()
        for path in (self.path, _ends_path(self.path)):
            with open(path, "rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
            sums.update(content.encode())
        return sums.hexdigest()

    def blocks(self, size: int, start: int = 0) -> Iterator[list[str]]:
        """Yield lists of at most ``size`` texts, from the text ``start`` on."""
        for first in range(start, len(self), size):
            yield [self[i] for i in range(first, min(first + size, len(self)))]


def store_arrays(path: Path, arrays: Iterable[np.ndarray], dtype: Any) -> StoredArrays:
    """Write arrays to a file, and return them as a sequence."""
    end = 0
    with open(path, "wb") as values, open(_ends_path(path), "wb") as ends:
        for array in arrays:
            values.write(np.ascontiguousarray(array, dtype).data)
            end += len(array)
            ends.write(end.to_bytes(8, "little"))
    return StoredArrays(path, dtype)


def store_texts(path: Path, texts: Iterable[str]) -> StoredTexts:
    """Write texts to a file, and return them as a sequence."""
    # Lone surrogates cannot be encoded otherwise.
    encoded = (
        np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8) for text in texts
    )
    store_arrays(path, encoded, np.uint8)
    return StoredTexts(path)


def mapped(path: Path, dtype: Any, columns: int | None = None) -> np.ndarray:
    """Return the contents of a file as an array that is read when it is needed.

    Parameters
    ----------
    path : Path
    dtype : numpy type
    columns : int, optional
        Numbers of a row; without it the array has one dimension.
    """
    values = np.empty(0, dtype)
    if path.stat().st_size:
        # A plain array over the file: slices of a memmap take far longer.
        values = np.asarray(np.memmap(path, dtype, mode="r"))
    return values if columns is None else values.reshape(-1, columns)


def _ends_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.ends")
