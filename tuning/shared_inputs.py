"""Encoded texts and looked-up vectors, made once and shared by all trials.

A text is cut into tokens, and a word looked up in its vectors, once for each part and
each kind of text settings; the processes of a search read the result from one folder,
and word vectors stay mapped from there.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.embeddings.coverage import CoverageReport
from emoclf.embeddings.matrix import KnownRows
from emoclf.inputs import EncodedParts, Prepared, encode_parts
from emoclf.settings import RunSettings
from emoclf.text.encoder import TextEncoder
from emoclf.training.checkpoint import digest
from emoclf.training.findings import Finding

from .repeats import Parts, distinct

ABOUT, IDS, TABLES = "about.json", "ids.npz", "tables.npz"
WORDS, ROWS = "words.npy", "rows.npy"


class SharedInputs:
    """What networks are fitted on, for every repeat of a trial.

    Parameters
    ----------
    parts : list of Parts
        Of each repeat.
    folder : Path
        Where what was made is kept; several processes may share it.
    """

    def __init__(self, parts: Sequence[Parts], folder: Path) -> None:
        self.parts = parts
        self.folder = folder
        self._first = distinct(parts)
        self._texts = {
            repeat: digest(
                list(parts[repeat].train.texts), list(parts[repeat].valid.texts)
            )
            for repeat in {*self._first}
        }
        # The newest of each repeat: most searches have one kind of text settings.
        self._known: dict[int, tuple[str, EncodedParts]] = {}

    def prepared(self, repeat: int, settings: RunSettings) -> Prepared:
        """Return the inputs of a repeat, with what the settings' seed draws.

        Parameters
        ----------
        repeat : int
            From 0.
        settings : RunSettings

        Raises
        ------
        DataError, SettingsError, VectorsError
        """
        parts = self.parts[repeat]
        encoded = self.encoded(repeat, settings)
        return encoded.prepared(parts.train, parts.valid, settings)

    def encoded(self, repeat: int, settings: RunSettings) -> EncodedParts:
        """Return the encoded parts of a repeat, from memory, from disk, or made."""
        repeat = self._first[repeat]
        key = digest(self._texts[repeat], _key(settings))
        known = self._known.get(repeat)
        if known is None or known[0] != key:
            place = self.folder / f"{repeat + 1}-{key[:16]}"
            if not place.is_dir():
                parts = self.parts[repeat]
                _save(encode_parts(parts.train, parts.valid, settings), place)
            known = key, _load(place)
            self._known[repeat] = known
        return known[1]


def _key(settings: RunSettings) -> str:
    """Tell apart what the settings make of the same texts."""
    embedding = settings.embedding
    if embedding.vectors is None or embedding.embedding == "random":
        return digest(settings.text.to_dict(), embedding.embedding, embedding.vectors)
    place = os.path.abspath(embedding.vectors)
    with suppress(OSError):
        # Of a file that cannot be read the encoding says what is wrong.
        state = os.stat(place)
        return digest(settings.text.to_dict(), place, state.st_size, state.st_mtime_ns)
    return digest(settings.text.to_dict(), place)


def _save(encoded: EncodedParts, place: Path) -> None:
    """Write encoded parts; of two processes that make the same, one is kept."""
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".part-", dir=place.parent))
    try:
        settings, tokens, tables = encoded.encoder.to_state()
        about: dict[str, Any] = {
            "encoder": settings,
            "tokens": tokens,
            "cut": encoded.cut,
            "findings": [finding.to_dict() for finding in encoded.findings],
            "coverage": encoded.known and encoded.known.coverage.to_dict(),
        }
        (temporary / ABOUT).write_text(json.dumps(about), encoding="utf-8")
        _save_arrays(temporary / TABLES, tables)
        train, valid = _flat(encoded.train_ids), _flat(encoded.valid_ids)
        arrays = {**_named("train", train), **_named("valid", valid)}
        _save_arrays(temporary / IDS, arrays)
        if encoded.known is not None:
            np.save(temporary / WORDS, encoded.known.ids)
            np.save(temporary / ROWS, encoded.known.rows)
        # A folder that stands there already is not empty, and stays.
        with suppress(FileExistsError, OSError):
            if not place.is_dir():
                os.rename(temporary, place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _save_arrays(path: Path, arrays: dict[str, Any]) -> None:
    np.savez(path, **arrays)


def _load(place: Path) -> EncodedParts:
    about = json.loads((place / ABOUT).read_text(encoding="utf-8"))
    with np.load(place / TABLES) as tables:
        encoder = TextEncoder.from_state(
            about["encoder"], about["tokens"], dict(tables)
        )
    with np.load(place / IDS) as ids:
        train, valid = (
            np.split(ids[f"{part}_ids"], ids[f"{part}_ends"][:-1])
            for part in ("train", "valid")
        )
    known = None
    if about["coverage"] is not None:
        known = KnownRows(
            np.load(place / WORDS),
            # Mapped: processes of one machine share the pages.
            np.load(place / ROWS, mmap_mode="r"),
            CoverageReport.from_dict(about["coverage"]),
        )
    findings = tuple(Finding.from_dict(one) for one in about["findings"])
    return EncodedParts(encoder, train, valid, known, about["cut"], findings)


def _flat(lists: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    lengths = np.fromiter(map(len, lists), np.int64, len(lists))
    flat = np.concatenate(lists) if len(lists) else np.empty(0, np.int32)
    return flat, lengths.cumsum()


def _named(part: str, arrays: tuple[np.ndarray, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{part}_ids": arrays[0], f"{part}_ends": arrays[1]}
