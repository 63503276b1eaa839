"""Encoded texts and word vectors, made once and shared by all trials.

Texts are tokenized, and vectors looked up, once for each repeat and each set of text
settings. The processes of a search share the result in one folder, and map the word
vectors from there into memory.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from emoclf.datasets.split import Split
from emoclf.doctor.findings import Finding
from emoclf.embeddings.coverage import CoverageReport
from emoclf.embeddings.matrix import PretrainedRows
from emoclf.embeddings.vector_streams import split_member
from emoclf.errors import SearchError
from emoclf.files import new_folder
from emoclf.fingerprint import digest
from emoclf.settings import RunSettings
from emoclf.text.encoder import TextEncoder
from emoclf.workflow.prepare import (
    EncodedParts,
    Prepared,
    encode_parts,
    with_input_vectors,
)

ABOUT_FILE, ARRAYS_FILE, ROWS_FILE = "about.json", "arrays.npz", "rows.npy"
#: Kinds of text settings whose inputs stay on disk, for each repeat.
KEPT_KINDS = 6


class SharedInputs:
    """Encoded training and validation sets for every repeat of a trial.

    Parameters
    ----------
    parts : sequence of Split
        Sets of each repeat.
    folder : Path
        Folder for the encoded sets; several processes may share it.
    vectors : str
        :func:`vectors_identity` of the word vectors at the start of the search.
    """

    def __init__(
        self, parts: Sequence[Split], folder: Path, *, vectors: str = ""
    ) -> None:
        self.parts = parts
        self.folder = folder
        self.vectors = vectors
        self._digests = [
            digest(list(part.train.texts), list(part.valid.texts)) for part in parts
        ]
        # The latest of each repeat; most searches have one set of text settings.
        self._latest: dict[int, tuple[str, EncodedParts]] = {}

    def prepared(self, repeat: int, settings: RunSettings) -> Prepared:
        """Return the inputs of a repeat, including what is drawn with its seed.

        Parameters
        ----------
        repeat : int
            Number of the repeat, from 0.
        settings : RunSettings

        Raises
        ------
        DataError, SettingsError, VectorsError
        """
        parts = self.parts[repeat]
        encoded = self.encoded(repeat, settings)
        return encoded.prepared(parts.train, parts.valid, settings)

    def encoded(self, repeat: int, settings: RunSettings) -> EncodedParts:
        """Return the encoded sets of a repeat from memory, from disk, or newly made."""
        # Repeats with several seeds have the same sets: the first one represents them.
        repeat = self._digests.index(self._digests[repeat])
        key = digest(self._digests[repeat], _settings_key(settings, self.vectors))
        latest = self._latest.get(repeat)
        if latest is not None and latest[0] == key:
            return latest[1]
        folder = self.folder / f"{repeat + 1}-{key[:16]}"
        encoded = _load(folder)
        if encoded is None:
            parts = self.parts[repeat]
            encoded = encode_parts(parts.train, parts.valid, settings)
            self._remove_oldest(repeat)
            _save(encoded, folder)
            # Loaded again if possible, since mapped vectors share memory.
            encoded = _load(folder) or encoded
        # Those of an encoder are on disk already.
        parts = self.parts[repeat]
        encoded = with_input_vectors(encoded, parts.train, parts.valid, settings)
        self._latest[repeat] = key, encoded
        return encoded

    def _remove_oldest(self, repeat: int) -> None:
        """Remove the oldest inputs of a repeat if there are too many."""
        folders = []
        for path in self.folder.glob(f"{repeat + 1}-*"):
            # Another process may have removed it.
            with suppress(OSError):
                folders.append((path.stat().st_mtime, path))
        for _, path in sorted(folders)[: max(0, len(folders) - KEPT_KINDS + 1)]:
            shutil.rmtree(path, ignore_errors=True)


def vectors_identity(paths: Sequence[str]) -> str:
    """Return the name, size and time of each file of word vectors.

    Workers on other machines get it from the chief, to find the same inputs.
    """
    return "; ".join(map(_file_identity, paths))


def _file_identity(path: str) -> str:
    # If the file cannot be read, the encoding raises a better error.
    with suppress(OSError):
        archive, _ = split_member(Path(path))
        state = os.stat(archive)
        return f"{os.path.basename(path)} {state.st_size} {state.st_mtime_ns}"
    return os.path.basename(path)


def _settings_key(settings: RunSettings, vectors: str) -> str:
    """Return a digest of the settings that the inputs depend on."""
    embedding = settings.embedding
    if embedding.vectors is None or embedding.embedding == "random":
        # Without vectors the encoding may warn about, or refuse, the given embedding.
        vectors = f"none {embedding.embedding}"
    if embedding.encoder is not None:
        vectors = f"encoder {embedding.encoder}"
    return digest(settings.text.to_dict(), vectors, embedding.vectors_limit)


def _save(encoded: EncodedParts, folder: Path) -> None:
    """Write encoded sets; if two processes write the same, one of them is kept."""
    settings, tokens, tables = encoded.encoder.to_state()
    about = {
        "encoder": settings,
        "tokens": tokens,
        "cut": encoded.cut,
        "findings": [finding.to_dict() for finding in encoded.findings],
        "coverage": encoded.pretrained and encoded.pretrained.coverage.to_dict(),
    }
    arrays: dict[str, Any] = {f"table_{name}": table for name, table in tables.items()}
    for name, lists in (("train", encoded.train_ids), ("valid", encoded.valid_ids)):
        arrays[f"{name}_ids"] = np.concatenate([np.empty(0, np.int32), *lists])
        arrays[f"{name}_ends"] = np.cumsum([len(ids) for ids in lists], dtype=np.int64)
    try:
        with new_folder(folder, overwrite=False) as temporary:
            if encoded.pretrained is not None:
                arrays["known_ids"] = encoded.pretrained.ids
                np.save(temporary / ROWS_FILE, encoded.pretrained.rows)
            np.savez(temporary / ARRAYS_FILE, **arrays)
            (temporary / ABOUT_FILE).write_text(json.dumps(about), encoding="utf-8")
            # It may exist, damaged. Last, so that it is missing for a moment only.
            shutil.rmtree(folder, ignore_errors=True)
    except FileExistsError:
        # Another process has made the same folder meanwhile, which stays.
        return
    except OSError as error:
        raise SearchError(
            f"Cannot write {folder}: {error}. Free disk space, then run the same "
            "command again to continue."
        ) from error


def _load(folder: Path) -> EncodedParts | None:
    """Return encoded sets; None if there are none, or they are damaged."""
    try:
        about = json.loads((folder / ABOUT_FILE).read_text(encoding="utf-8"))
        # Opened here, because np.load leaves a damaged file open.
        with open(folder / ARRAYS_FILE, "rb") as file, np.load(file) as archive:
            arrays = dict(archive)
        pretrained = None
        if about["coverage"] is not None:
            pretrained = PretrainedRows(
                arrays["known_ids"],
                # Mapped, so that the processes of one machine share the memory.
                np.load(folder / ROWS_FILE, mmap_mode="r"),
                CoverageReport.from_dict(about["coverage"]),
            )
        tables = {
            name.removeprefix("table_"): table
            for name, table in arrays.items()
            if name.startswith("table_")
        }
        train, valid = (
            np.split(arrays[f"{part}_ids"], arrays[f"{part}_ends"][:-1])
            for part in ("train", "valid")
        )
        return EncodedParts(
            TextEncoder.from_state(about["encoder"], about["tokens"], tables),
            train,
            valid,
            pretrained,
            about["cut"],
            tuple(Finding.from_dict(finding) for finding in about["findings"]),
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
        # Damaged by a power cut, or removed by another process: they are made again.
        return None
