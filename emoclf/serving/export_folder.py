"""The folder of an exported classifier, read with NumPy alone.

================================  ================================================
``emoclf.json``                   format, labels, thresholds, text settings, parity,
                                  versions, sizes and CRC-32 sums of the other files
``vocabulary.json``               tokens in the order of their ids
``tokenizer-*.npy``               tables of the tokenizer in pages of code points
``*.npy``, ``*.onnx``, ``…``      files of the format itself
``sha256sums.txt``                ``sha256sum -c sha256sums.txt`` checks all of them
================================  ================================================
"""

from __future__ import annotations

import json
import os
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from emoclf._moved import RenamedAttribute
from emoclf.bundle.described_folder import EXPORT, readable_place
from emoclf.errors import BundleError, wrong_kind

VOCABULARY = "vocabulary.json"
CHECKSUM = "crc32"
TOKENIZER = "tokenizer-{}.npy"
_BLOCK_BYTES = 1 << 18
# A version that is being replaced has the name of its backup.
_VERSION = re.compile(r"([1-9][0-9]*)|\.([1-9][0-9]*)\.before")


# No dataclass, here and elsewhere on the way to a first prediction: its methods are
# compiled at each import, and eight such classes took seven milliseconds.
class ExportFolder:
    """An export whose files are complete and unchanged.

    Parameters
    ----------
    place : Path
    about : dict
        Contents of ``emoclf.json``.
    """

    def __init__(self, place: Path, about: dict[str, Any]) -> None:
        self.place = place
        self.about = about

    form = RenamedAttribute("format")

    @property
    def format(self) -> str:
        """Export format, for instance "onnx"."""
        return self.about["form"]

    def array(self, name: str) -> np.ndarray:
        """Return an array, memory-mapped: only the parts in use are read.

        Raises
        ------
        BundleError
            If the export has no such array.
        """
        if name not in self.about["files"]:
            raise BundleError(
                f"{self.place} is incomplete: its {EXPORT.about} does not list {name}. "
                "Export it again."
            )
        # As a str: NumPy follows the links of a Path at each part of it.
        return np.load(f"{self.place}/{name}", mmap_mode="r", allow_pickle=False)


def read_export(path: str | os.PathLike[str]) -> ExportFolder:
    """Open an exported classifier, and check that every file is as it was written.

    Parameters
    ----------
    path : path
        As in :func:`emoclf.load_exported`.

    Raises
    ------
    BundleError
        If it is missing, incomplete, damaged, or newer than this emoclf.
    """
    if not isinstance(path, str | os.PathLike):
        raise BundleError(wrong_kind("path", "the path of a folder", path))
    try:
        place = readable_place(highest_version(Path(path)))
        about = _read_about(place)
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error}.") from error
    for name, (size, crc) in about["files"].items():
        _check_file(place / name, size, crc)
    return ExportFolder(place, about)


def with_checksum(about: dict[str, Any]) -> dict[str, Any]:
    """Return the contents of ``emoclf.json`` with a CRC-32 of their own."""
    entries = {name: value for name, value in about.items() if name != CHECKSUM}
    text = json.dumps(entries, sort_keys=True)
    return {**entries, CHECKSUM: zlib.crc32(text.encode())}


def highest_version(place: Path) -> Path:
    """Return the highest version in a folder of versions, else the folder itself."""
    if not place.is_dir() or (place / EXPORT.about).exists():
        return place
    names = (_VERSION.fullmatch(entry.name) for entry in place.iterdir())
    versions = [int(name[1] or name[2]) for name in names if name]
    return place / str(max(versions)) if versions else place


def file_crc32(path: Path) -> int:
    """Return the CRC-32 of a file.

    It reveals damage and is fourteen times as fast as SHA-256, for which a first
    prediction should not wait; ``sha256sums.txt`` has the SHA-256 too.
    """
    checksum = 0
    with open(path, "rb", buffering=0) as stream:
        while block := stream.read(_BLOCK_BYTES):
            checksum = zlib.crc32(block, checksum)
    return checksum


def _read_about(place: Path) -> dict[str, Any]:
    about = EXPORT.read_about(place)
    path = place / EXPORT.about
    try:
        files = {name: (size, crc) for name, (size, crc) in about["files"].items()}
        unchanged = about == with_checksum(about)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EXPORT.damaged(path, error) from error
    if not unchanged:
        raise EXPORT.damaged(path, "it was changed")
    return {**about, "files": files}


def _check_file(path: Path, size: int, crc: int) -> None:
    try:
        actual = path.stat().st_size
        unchanged = actual == size and file_crc32(path) == crc
    except OSError as error:
        raise EXPORT.incomplete(path, error) from error
    if not unchanged:
        reason = (
            f"it has {actual:,} bytes, not {size:,}" if actual != size else "changed"
        )
        raise EXPORT.damaged(path, reason)
