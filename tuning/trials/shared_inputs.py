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
from zipfile import BadZipFile

import numpy as np

from emoclf.doctor.findings import Finding
from emoclf.embeddings.coverage import CoverageReport
from emoclf.embeddings.matrix import PretrainedRows
from emoclf.errors import SearchError
from emoclf.fingerprint import digest
from emoclf.settings import RunSettings
from emoclf.text.encoder import TextEncoder
from emoclf.workflow.prepare import EncodedParts, Prepared, encode_parts

from .repeats import Parts, distinct

ABOUT, IDS, TABLES = "about.json", "ids.npz", "tables.npz"
WORDS, ROWS = "words.npy", "rows.npy"
#: Kinds of text settings whose inputs are kept, for each repeat.
KINDS = 6


class SharedInputs:
    """What networks are fitted on, for every repeat of a trial.

    Parameters
    ----------
    parts : list of Parts
        Of each repeat.
    folder : Path
        Where what was made is kept; several processes may share it.
    vectors : str
        :func:`identity` of the word vectors, as whoever began the search saw them.
    """

    def __init__(
        self, parts: Sequence[Parts], folder: Path, *, vectors: str = ""
    ) -> None:
        self.parts = parts
        self.folder = folder
        self.vectors = vectors
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
        key = digest(self._texts[repeat], _key(settings, self.vectors))
        known = self._known.get(repeat)
        if known is None or known[0] != key:
            place = self.folder / f"{repeat + 1}-{key[:16]}"
            found = _load(place)
            if found is None:
                parts = self.parts[repeat]
                found = encode_parts(parts.train, parts.valid, settings)
                self._make_room(repeat)
                _save(found, place)
                # Read again where it can be: mapped vectors take no memory twice.
                found = _load(place) or found
            known = key, found
            self._known[repeat] = known
        return known[1]

    def _make_room(self, repeat: int) -> None:
        """Remove the oldest inputs of a repeat, if there are many kinds of them."""
        there = []
        for path in self.folder.glob(f"{repeat + 1}-*"):
            # Another process may make room as well.
            with suppress(OSError):
                there.append((path.stat().st_mtime, path))
        for _, path in sorted(there)[: max(0, len(there) - KINDS + 1)]:
            shutil.rmtree(path, ignore_errors=True)


def identity(vectors: str | None) -> str:
    """Name a file of word vectors by its size and time.

    A worker elsewhere finds inputs by the name that the file had at the chief.
    """
    if vectors is None:
        return ""
    with suppress(OSError):
        # Of a file that cannot be read the encoding says what is wrong.
        state = os.stat(vectors)
        return f"{os.path.basename(vectors)} {state.st_size} {state.st_mtime_ns}"
    return os.path.basename(vectors)


def _key(settings: RunSettings, vectors: str) -> str:
    """Tell apart what the settings make of the same texts."""
    embedding = settings.embedding
    drawn = embedding.vectors is None or embedding.embedding == "random"
    # Where no vectors are used, encoding may warn or refuse by what was asked for.
    used = f"none {embedding.embedding}" if drawn else vectors
    return digest(settings.text.to_dict(), used)


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
            "coverage": encoded.pretrained and encoded.pretrained.coverage.to_dict(),
        }
        (temporary / ABOUT).write_text(json.dumps(about), encoding="utf-8")
        _save_arrays(temporary / TABLES, tables)
        train, valid = _flat(encoded.train_ids), _flat(encoded.valid_ids)
        arrays = {**_named("train", train), **_named("valid", valid)}
        _save_arrays(temporary / IDS, arrays)
        if encoded.pretrained is not None:
            np.save(temporary / WORDS, encoded.pretrained.ids)
            np.save(temporary / ROWS, encoded.pretrained.rows)
        shutil.rmtree(place, ignore_errors=True)
        # A folder that another process has made meanwhile is not empty, and stays.
        with suppress(OSError):
            os.rename(temporary, place)
    except OSError as error:
        raise SearchError(
            f"Cannot write {place}: {error}. Make room, and the same command goes on."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _save_arrays(path: Path, arrays: dict[str, Any]) -> None:
    np.savez(path, **arrays)


def _load(place: Path) -> EncodedParts | None:
    """Read encoded parts; None where there are none, or they are damaged."""
    try:
        return _read(place)
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
        # Cut short by a power cut, or removed to make room: they are made again.
        return None


def _read(place: Path) -> EncodedParts:
    about = json.loads((place / ABOUT).read_text(encoding="utf-8"))
    # Opened here: of a damaged file np.load leaves its own handle open.
    with open(place / TABLES, "rb") as file, np.load(file) as tables:
        encoder = TextEncoder.from_state(
            about["encoder"], about["tokens"], dict(tables)
        )
    with open(place / IDS, "rb") as file, np.load(file) as ids:
        train, valid = (
            np.split(ids[f"{part}_ids"], ids[f"{part}_ends"][:-1])
            for part in ("train", "valid")
        )
    known = None
    if about["coverage"] is not None:
        known = PretrainedRows(
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
