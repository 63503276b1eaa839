"""Unlabelled texts: read, and cleared of duplicates and of held-out texts."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from itertools import compress
from typing import Any

import numpy as np

from emoclf.bulk.entries import read_texts
from emoclf.datasets.duplicates import normalise
from emoclf.datasets.input_formats import PLAIN_LINES
from emoclf.datasets.near_duplicate_index import NearDuplicateIndex
from emoclf.datasets.source import Source
from emoclf.display import count_of
from emoclf.errors import DataError, setting
from emoclf.settings import DataSettings
from emoclf.text.validation import as_texts

logger = logging.getLogger(__name__)

#: Texts that are compared at once, and the letters with which there are fewer of them.
BLOCK_TEXTS, BLOCK_LETTERS = 8192, 1 << 22
#: Settings of the labelled data with which unlabelled files are read too.
SHARED_SETTINGS = ("encoding", "encoding_errors", "max_line_bytes")


@dataclass
class UnlabelledCounts:
    """Numbers of unlabelled texts.

    Parameters
    ----------
    read : int
    empty : int
        Texts without any character but white space.
    duplicates : int
        Texts that occur before, in the training set or among the unlabelled texts.
    held_out : int
        Duplicates and near-duplicates of texts of the validation and test sets.
    unknown : int
        Texts that a teacher's file lacks.
    unlike : int
        Texts that are less like the training texts than those that are kept.
    """

    read: int = 0
    empty: int = 0
    duplicates: int = 0
    held_out: int = 0
    unknown: int = 0
    unlike: int = 0

    @property
    def kept(self) -> int:
        """Number of texts that are left."""
        left_out = self.empty + self.duplicates + self.held_out + self.unknown
        return self.read - left_out - self.unlike

    def to_dict(self) -> dict[str, int]:
        """Return the numbers as plain values."""
        return {**asdict(self), "kept": self.kept}

    def line(self) -> str:
        """Return the numbers as a sentence."""
        others = (
            ("empty text", self.empty, ""),
            ("text", self.unknown, " missing from a teacher's file"),
            ("text", self.unlike, " less similar to the training texts"),
        )
        parts = [
            count_of("duplicate", self.duplicates),
            f"{self.held_out:,} duplicates or near-duplicates of validation and test "
            "texts",
            *(count_of(noun, n) + problem for noun, n, problem in others if n),
        ]
        return (
            f"{self.kept:,} of {self.read:,} unlabelled texts are used. Left out: "
            f"{', '.join(parts)}."
        )


class NewTexts:
    """Pass on texts that are new, and not held out; the others are counted.

    Of every text eight bytes are kept in memory.

    Parameters
    ----------
    held_out : iterable of str
        Texts of the validation and test sets.
    threshold : float in (0, 1]
        Lowest similarity of near-duplicates.
    known : sequence of str
        Texts that are not new: those of the training set.
    covers : callable, optional
        Function of a list of texts that says for each whether the teachers can predict
        it. Default: they can predict all texts.
    """

    def __init__(
        self,
        held_out: Iterable[str],
        threshold: float,
        known: Sequence[str] = (),
        *,
        covers: Callable[[list[str]], np.ndarray] | None = None,
    ) -> None:
        self.counts = UnlabelledCounts()
        self._covers = covers
        self._index = NearDuplicateIndex(held_out, threshold)
        self._hash_set = _NumberSet()
        self._hash_set.add(_hashes(known))

    def blocks(self, texts: Iterable[str]) -> Iterator[list[str]]:
        """Yield lists of texts that are new, in constant memory."""
        counts = self.counts
        for block in _blocks(texts):
            counts.read += len(block)
            filled = [text for text in block if text.strip()]
            counts.empty += len(block) - len(filled)
            is_new = self._hash_set.add(_hashes(filled))
            new = list(compress(filled, is_new))
            counts.duplicates += len(filled) - len(new)
            covered = new
            if self._covers is not None:
                covered = list(compress(new, self._covers(new)))
            counts.unknown += len(new) - len(covered)
            kept = [text for text in covered if text not in self._index]
            counts.held_out += len(covered) - len(kept)
            yield kept


def _blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    block: list[str] = []
    letters = 0
    for text in texts:
        block.append(text)
        letters += len(text)
        if len(block) == BLOCK_TEXTS or letters >= BLOCK_LETTERS:
            yield block
            block, letters = [], 0
    if block:
        yield block


class _NumberSet:
    """Set of numbers in sorted arrays, which takes eight bytes for each.

    Arrays of similar size are merged, so that there are only a few of them.
    """

    def __init__(self) -> None:
        self._arrays: list[np.ndarray] = []

    def add(self, numbers: np.ndarray) -> np.ndarray:
        """Add numbers, and return for each whether it is new."""
        is_new = np.zeros(len(numbers), bool)
        is_new[np.unique(numbers, return_index=True)[1]] = True
        for array in self._arrays:
            positions = np.minimum(np.searchsorted(array, numbers), len(array) - 1)
            is_new &= array[positions] != numbers
        if not is_new.any():
            return is_new
        self._arrays.append(np.sort(numbers[is_new]))
        while len(self._arrays) > 1:
            *_, before, last = self._arrays
            if len(before) >= 2 * len(last):
                break
            self._arrays[-2:] = [np.sort(np.concatenate([before, last]))]
        return is_new


def _hashes(texts: Iterable[str]) -> np.ndarray:
    """Return a number for each text, without its case and white space."""
    encoded = (normalise(text).encode("utf-8", "surrogatepass") for text in texts)
    data = b"".join(blake2b(one, digest_size=8).digest() for one in encoded)
    return np.frombuffer(data, np.uint64)


def read_unlabelled(
    unlabelled: Any, settings: DataSettings, column: str | None = None
) -> Iterator[str]:
    """Yield unlabelled texts, from files of any size.

    Parameters
    ----------
    unlabelled : path, sequence of paths, or texts
        Files of any format, whose labels are not read; or texts. A list of str contains
        texts, except where every one of them is the path of a file.
    settings : DataSettings
        Settings of the labelled data; the encoding is used.
    column : str, optional
        Column of the texts in files with columns; default: found by its name.

    Raises
    ------
    DataError
        If a file cannot be read, or contains no text.
    """
    files = files_of(unlabelled)
    if files is None:
        texts = as_texts(unlabelled, column)
        if not texts:
            raise DataError(
                f"{setting('unlabelled')} contains no text. Give texts, or leave it "
                "out."
            )
        yield from texts
        return
    shared = {name: getattr(settings, name) for name in SHARED_SETTINGS}
    for path in files:
        reading = DataSettings(**shared)
        if column is not None and Source(path, reading).format != PLAIN_LINES:
            reading = DataSettings(**shared, text_column=column)
        n_texts = 0
        with read_texts(path, reading) as texts_of_file:
            for text in texts_of_file:
                n_texts += bool(text.strip())
                yield text
        if not n_texts:
            raise DataError(
                f"{path} contains no text. Name a file of texts with "
                f"{setting('unlabelled')}, or leave it out."
            )


def files_of(unlabelled: Any) -> list[str] | None:
    """Return the paths of files of unlabelled texts; None if they are texts."""
    if isinstance(unlabelled, str | os.PathLike):
        return [os.fspath(unlabelled)]
    if isinstance(unlabelled, list | tuple) and unlabelled:
        if all(isinstance(item, os.PathLike) for item in unlabelled):
            return [os.fspath(item) for item in unlabelled]
        if all(isinstance(item, str) and os.path.isfile(item) for item in unlabelled):
            return list(unlabelled)
    return None
