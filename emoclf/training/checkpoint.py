"""Checkpoints from which a killed training ends with the weights of an undisturbed one.

Keras' ``BackupAndRestore`` cannot guarantee equal weights: it saves neither the order
of batches nor the state of dropout and callbacks, and a truncated file blocks every
restart. Here one file contains all of it and is written whole or not at all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.errors import ResumeError, TrainingError, setting
from emoclf.files import UNFINISHED, new_file
from emoclf.fingerprint import RUN_FILE, check_fingerprint, write_fingerprint

FILE = "epoch.npz"
#: Lists of arrays in a checkpoint; the names of the arrays begin with theirs.
GROUPS = ("model", "optimizer", "best")


@dataclass(frozen=True)
class Checkpoint:
    """Complete state of a training at the end of an epoch.

    Parameters
    ----------
    epoch : int
        Number of finished epochs.
    model, optimizer : list of ndarray
        All variables, including the seed states of dropout.
    best : list of ndarray
        Weights of the best epoch so far; empty if there is none.
    states : dict
        History and states of the callbacks, as JSON values.
    """

    epoch: int
    model: list[np.ndarray]
    optimizer: list[np.ndarray]
    best: list[np.ndarray]
    states: dict[str, Any]


class CheckpointFolder:
    """Folder with the newest checkpoint of one run.

    Parameters
    ----------
    path : path
        Folder; created by :meth:`start`.
    fingerprint : mapping of str to JSON values
        Values that must be equal for a training to be resumed, by names that users
        know.
    """

    def __init__(
        self, path: str | os.PathLike[str], fingerprint: Mapping[str, Any]
    ) -> None:
        self.path = Path(path)
        self.fingerprint = dict(fingerprint)

    def exists(self) -> bool:
        """Whether there is a checkpoint to resume from."""
        return (self.path / FILE).is_file() and (self.path / RUN_FILE).is_file()

    def start(self) -> None:
        """Begin a new run: remove an older checkpoint and write the fingerprint."""
        try:
            self.remove()
        except OSError as error:
            raise TrainingError(f"Cannot write {self.path}: {error}.") from error
        write_fingerprint(self.path, self.fingerprint)

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace the checkpoint, whole or not at all."""
        arrays: dict[str, Any] = {
            f"{group}/{number:04}": value
            for group in GROUPS
            for number, value in enumerate(getattr(checkpoint, group))
        }
        # A damaged zip directory can hide arrays without failing any checksum.
        about = {
            "epoch": checkpoint.epoch,
            "states": checkpoint.states,
            "arrays": list(arrays),
        }
        arrays["about"] = np.frombuffer(
            json.dumps(about, default=_as_json).encode(), np.uint8
        )
        try:
            with new_file(self.path / FILE) as stream:
                np.savez(stream, **arrays)
        except OSError as error:
            raise TrainingError(
                f"Cannot write {self.path / FILE} after epoch {checkpoint.epoch}: "
                f"{error}. Free some disk space and continue from the epoch before "
                f"with {setting('resume', True)}."
            ) from error
        self._sweep()

    def load(self) -> Checkpoint:
        """Read the newest checkpoint.

        Raises
        ------
        ResumeError
            If it belongs to other settings, data or versions, or is damaged.
        """
        check_fingerprint(self.path, self.fingerprint)
        path = self.path / FILE
        try:
            # Opened here, since np.load does not close a damaged file.
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
                about = json.loads(arrays["about"].tobytes())
                if {*arrays} != {*about["arrays"], "about"}:
                    raise ValueError("arrays are missing")
                groups = {
                    group: [
                        arrays[k] for k in sorted(arrays) if k.startswith(f"{group}/")
                    ]
                    for group in GROUPS
                }
        except Exception as error:  # zipfile raises a dozen kinds for damaged bytes
            raise ResumeError(
                f"{path} is damaged ({error}) and cannot be resumed from. "
                "Start again with --overwrite."
            ) from error
        return Checkpoint(epoch=about["epoch"], states=about["states"], **groups)

    def remove(self) -> None:
        """Remove the checkpoint, and the folder if it is empty then."""
        for name in (FILE, RUN_FILE):
            (self.path / name).unlink(missing_ok=True)
        self._sweep()
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()

    def _sweep(self) -> None:
        """Remove temporary files of processes that were killed while writing."""
        # The first two are names of older versions.
        for name in (f".{FILE}.*", f".{RUN_FILE}.*", f"{UNFINISHED}*"):
            for path in self.path.glob(name):
                path.unlink(missing_ok=True)


def _as_json(value: Any) -> Any:
    """Return a NumPy number or array, as callbacks keep them, as JSON values."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(
        f"A callback's get_state() returned {value!r}, which JSON cannot represent. "
        "Return numbers, strings, lists and dicts only."
    )
