"""The folder of an export, read with NumPy alone.

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

import math
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.bundle.described_folder import (
    CLASSIFIER_EXPORT,
    EXPORT,
    EXPORT_USES,
    highest_version,
    readable_place,
)
from emoclf.bundle.json_values import JsonObject, check_checksum, check_regular
from emoclf.errors import BundleError, wrong_kind

VOCABULARY = "vocabulary.json"
TOKENIZER = "tokenizer-{}.npy"
_BLOCK_BYTES = 1 << 18


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

    @property
    def format(self) -> str:
        """Export format, for instance "onnx"."""
        return self.about["form"]

    def array(
        self, name: str, shape: tuple[int | None, ...], kind: str = "f"
    ) -> np.ndarray:
        """Return an array, memory-mapped: only the parts in use are read.

        Parameters
        ----------
        name : str
        shape : tuple of int or None
            Length of each axis; None: any from 1 on.
        kind : {"f", "i", "u"}
            NumPy kind of the numbers.

        Raises
        ------
        BundleError
            If the export has no such array, or it has another shape or kind, or
            numbers that are not finite.
        """
        if name not in self.about["files"]:
            raise BundleError(
                f"{self.place} is incomplete: its {EXPORT.about} does not list {name}. "
                "Export it again."
            )
        try:
            # As a str: NumPy follows the links of a Path at each part of it.
            path = f"{self.place}/{name}"
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError, TypeError, OverflowError) as error:
            raise EXPORT.damaged(self.place / name, error) from error
        if not isinstance(array, np.ndarray):
            raise EXPORT.damaged(self.place / name, "it is an archive, not an array")
        fits = array.ndim == len(shape) and all(
            length == want if want is not None else length
            for length, want in zip(array.shape, shape, strict=True)
        )
        if not fits or array.dtype.kind != kind:
            wanted = " × ".join("n" if want is None else str(want) for want in shape)
            raise EXPORT.damaged(
                self.place / name,
                f"it must contain {wanted} numbers of kind {kind!r}. Got {array.dtype} "
                f"of shape {array.shape}",
            )
        # One sum instead of a test of each number: infinities add up to no number.
        if kind == "f" and not math.isfinite(float(array.sum(dtype=np.float32))):
            raise EXPORT.damaged(
                self.place / name, "it contains numbers that are not finite"
            )
        return array

    def part(self, name: str) -> ExportFolder:
        """Return a folder within the export, with its own entry in ``emoclf.json``."""
        begin = f"{name}/"
        files = {
            file.removeprefix(begin): entry
            for file, entry in self.about["files"].items()
            if file.startswith(begin)
        }
        try:
            values = JsonObject(self.about).object(name).values
        except ValueError as error:
            raise self.damaged(error) from error
        return ExportFolder(self.place / name, {**values, "files": files})

    def damaged(self, reason: object) -> BundleError:
        """Return the error for values of ``emoclf.json`` that cannot be used."""
        return EXPORT.damaged(self.place / EXPORT.about, reason)


def read_export(
    path: str | os.PathLike[str], kind: str = CLASSIFIER_EXPORT
) -> ExportFolder:
    """Open an export, and check that every file is as it was written.

    Parameters
    ----------
    path : path
        As in :func:`emoclf.load_exported`.
    kind : str
        Key of :data:`emoclf.bundle.described_folder.EXPORT_USES`. What a classifier's
        description says is checked here, that of an aspect model by its reader.

    Raises
    ------
    BundleError
        If it is missing, incomplete, damaged, or newer than this emoclf.
    """
    if not isinstance(path, str | os.PathLike):
        raise BundleError(wrong_kind("path", "the path of a folder", path))
    try:
        folder = readable_place(highest_version(Path(path)))
        about = _read_about(folder, kind)
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error}.") from error
    for name, (size, crc) in about["files"].items():
        _check_file(folder / name, size, crc)
    return ExportFolder(folder, about)


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


def _read_about(folder: Path, kind: str) -> dict[str, Any]:
    about = EXPORT.read_about(folder)
    path = folder / EXPORT.about
    # Not every export of earlier versions names its kind.
    actual_kind = about.get("kind", CLASSIFIER_EXPORT)
    if actual_kind != kind:
        if actual_kind not in [*EXPORT_USES]:
            raise EXPORT.damaged(path, f"its kind is {actual_kind!r}")
        noun, cure = EXPORT_USES[actual_kind]
        raise BundleError(f"{folder} is {noun}, not {EXPORT_USES[kind][0]}: {cure}.")
    try:
        check_checksum(about)
        values = JsonObject(about)
        values.text("form")
        if kind == CLASSIFIER_EXPORT:
            values.flag("several")
            n_labels = len(values.texts("label_names", at_least=2))
            values.thresholds("thresholds", n_labels)
        if about.get("text_column") is not None:
            values.text("text_column")
        if "settings" in about:
            settings = values.object("settings")
            settings.object("data")
        if "parity" in about:
            parity = values.object("parity")
            for key in parity.values:
                if key != "bytes":
                    parity.object(key)
        entries = values.object("files").values
        files = {name: _entry(name, entry) for name, entry in entries.items()}
    except ValueError as error:
        raise EXPORT.damaged(path, error) from error
    return {**about, "files": files}


def _entry(name: str, entry: Any) -> tuple[int, int]:
    """Return size and CRC-32 of a file of the folder."""
    parts = name.split("/")
    if "" in parts or ".." in parts or "\0" in name or os.path.isabs(name):
        raise ValueError(f"files contains {name!r}, which is not within the folder")
    numbers = isinstance(entry, list) and len(entry) == 2
    if not numbers or not all(type(x) is int and x >= 0 for x in entry):
        raise ValueError(f"files.{name} must be a size and a sum. Got {entry!r}")
    return entry[0], entry[1]


def _check_file(path: Path, size: int, crc: int) -> None:
    try:
        actual = check_regular(path)
        unchanged = actual == size and file_crc32(path) == crc
    except OSError as error:
        raise EXPORT.incomplete(path, error) from error
    if not unchanged:
        reason = (
            f"it has {actual:,} bytes, not {size:,}" if actual != size else "changed"
        )
        raise EXPORT.damaged(path, reason)
