"""Fingerprints of runs: the settings, data and versions with which they were started.

Training runs, searches and comparisons of networks can be resumed only with the same
settings, data and versions; ``run.json`` in their folder contains the fingerprint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.errors import ResumeError, TrainingError
from emoclf.files import check_writable, write_atomically

RUN_FILE = "run.json"
SHA256_DIGITS = 64


def digest(*parts: Any) -> str:
    """Return the SHA-256 of texts, arrays and JSON values, as hexadecimal digits."""
    sums = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            data = str((part.dtype.str, part.shape)).encode()
            # A view: a copy of word vectors would take gigabytes.
            array = np.ascontiguousarray(part).reshape(-1).view(np.uint8)
        else:
            data = json.dumps(part, ensure_ascii=True).encode()
            array = np.empty(0, np.uint8)
        # The length keeps ("ab", "c") and ("a", "bc") apart.
        sums.update((len(data) + array.size).to_bytes(8, "little"))
        sums.update(data)
        sums.update(array.data)
    return sums.hexdigest()


def write_fingerprint(folder: Path, fingerprint: Mapping[str, Any]) -> None:
    """Write the fingerprint of a run into its folder, which is created if necessary.

    Raises
    ------
    TrainingError
        If the folder cannot be written.
    """
    document = json.dumps(dict(fingerprint), indent=1).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / RUN_FILE, document)
    except OSError as error:
        raise TrainingError(f"Cannot write {folder}: {error}.") from error


def check_fingerprint(
    folder: Path,
    fingerprint: Mapping[str, Any],
    *,
    cure: str = "Use the same ones, another output, or --overwrite without --resume.",
) -> None:
    """Refuse a folder that belongs to another run.

    Parameters
    ----------
    folder : Path
    fingerprint : mapping of str to JSON values
        Values that must be equal, by names that users know.
    cure : str
        Last sentence of the error: what to do about a difference.

    Raises
    ------
    ResumeError
        If anything differs (the message names every difference), or if ``run.json``
        cannot be read.
    """
    try:
        before = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResumeError(
            f"{folder / RUN_FILE} cannot be read ({error}). "
            "Start again with --overwrite."
        ) from error
    # Through JSON, which turns tuples into lists.
    now = json.loads(json.dumps(dict(fingerprint)))
    if differences := _differences(before, now):
        raise ResumeError(
            f"{folder} cannot be resumed, because it was started with other settings, "
            f"data or versions: {'; '.join(differences)}. {cure}"
        )


def enter_folder(folder: Path, fingerprint: Mapping[str, Any], *, kind: str) -> None:
    """Make the folder of a run, or check that an older one is of the same run.

    Parameters
    ----------
    folder : Path
    fingerprint : mapping of str to JSON values
    kind : str
        Name of the run, for the error, such as "a comparison".

    Raises
    ------
    ResumeError
        If the folder belongs to another run, or to something else.
    OSError
        If it cannot be written.
    """
    check_writable(folder)
    if (folder / RUN_FILE).is_file():
        cure = "Use what it was started with, or another folder."
        check_fingerprint(folder, fingerprint, cure=cure)
    elif any(not entry.name.startswith(".") for entry in folder.iterdir()):
        raise ResumeError(
            f"{folder} exists and is not a folder of {kind}. Choose another one."
        )
    else:
        write_fingerprint(folder, fingerprint)


def _differences(before: Any, now: Any, name: str = "") -> list[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        differences = []
        for key in sorted({*before, *now}):
            if name == "versions":
                path = f"the version of {key}"
            else:
                path = f"{name}.{key}" if name else str(key)
            differences += _differences(before.get(key), now.get(key), path)
        return differences
    if before == now:
        return []
    if isinstance(before, str) and len(before) == SHA256_DIGITS:
        return [f"{name} differ" if name.endswith("s") else f"{name} differs"]
    return [f"{name} was {before!r} and is now {now!r}"]
