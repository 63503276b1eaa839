"""One file per epoch from which a killed training goes on as if nothing had happened.

Keras' ``BackupAndRestore`` cannot promise equal weights: it knows neither the order of
batches nor the state of dropout and callbacks, and a truncated file blocks every
restart. Here one file holds all of it and appears whole or not at all.
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
from emoclf.files import new_file
from emoclf.fingerprint import RUN_FILE, check_fingerprint, write_fingerprint

FILE = "epoch.npz"


@dataclass(frozen=True)
class Checkpoint:
    """The whole state of a training at the end of an epoch.

    Parameters
    ----------
    epoch : int
        Number of epochs that are done.
    model, optimizer : list of ndarray
        All variables, seed states of dropout among them.
    best : list of ndarray
        Weights of the best epoch so far; empty when there is none.
    states : dict
        History and the states of callbacks, as JSON knows them.
    """

    epoch: int
    model: list[np.ndarray]
    optimizer: list[np.ndarray]
    best: list[np.ndarray]
    states: dict[str, Any]


class CheckpointFolder:
    """A folder that holds the newest checkpoint of one run.

    Parameters
    ----------
    path : path
        Made when the first checkpoint is written.
    fingerprint : mapping of str to JSON values
        What must be equal for a training to be resumed, by names that users know.
    """

    def __init__(
        self, path: str | os.PathLike[str], fingerprint: Mapping[str, Any]
    ) -> None:
        self.path = Path(path)
        self.fingerprint = dict(fingerprint)

    def exists(self) -> bool:
        """Say whether there is anything to go on from."""
        return (self.path / FILE).is_file() and (self.path / RUN_FILE).is_file()

    def start(self) -> None:
        """Begin a new run: forget an older one, write down what this one is."""
        try:
            self.remove()
        except OSError as error:
            raise TrainingError(f"Cannot write {self.path}: {error}.") from error
        write_fingerprint(self.path, self.fingerprint)

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint in place of the one before, whole or not at all."""
        arrays: dict[str, Any] = {}
        for group in ("model", "optimizer", "best"):
            for number, value in enumerate(getattr(checkpoint, group)):
                arrays[f"{group}/{number:04}"] = value
        # A damaged directory of the zip can hide arrays, which no checksum of it tells.
        about = {
            "epoch": checkpoint.epoch,
            "states": checkpoint.states,
            "arrays": list(arrays),
        }
        arrays["about"] = np.frombuffer(
            json.dumps(about, default=_plain).encode(), np.uint8
        )
        try:
            with new_file(self.path / FILE) as stream:
                np.savez(stream, **arrays)
        except OSError as error:
            raise TrainingError(
                f"Cannot write {self.path / FILE} after epoch {checkpoint.epoch}: "
                f"{error}. Make room, and continue from the epoch before with "
                f"{setting('resume', True)}."
            ) from error
        self._sweep()

    def load(self) -> Checkpoint:
        """Read the newest checkpoint.

        Raises
        ------
        ResumeError
            If it belongs to other settings or other data, or is damaged.
        """
        check_fingerprint(self.path, self.fingerprint)
        path = self.path / FILE
        try:
            # Opened here: of a damaged file np.load leaves its own handle open.
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
                about = json.loads(arrays["about"].tobytes())
                if {*arrays} != {*about["arrays"], "about"}:
                    raise ValueError("arrays are missing")
                groups = {
                    group: [arrays[k] for k in sorted(arrays) if k.startswith(group)]
                    for group in ("model/", "optimizer/", "best/")
                }
        except Exception as error:  # zipfile alone has a dozen for damaged bytes
            raise ResumeError(
                f"{path} is damaged ({error}) and cannot be resumed from. "
                "Start again with --overwrite."
            ) from error
        return Checkpoint(
            epoch=about["epoch"],
            model=groups["model/"],
            optimizer=groups["optimizer/"],
            best=groups["best/"],
            states=about["states"],
        )

    def remove(self) -> None:
        """Remove the checkpoint, and the folder if nothing else is in it."""
        for name in (FILE, RUN_FILE):
            (self.path / name).unlink(missing_ok=True)
        self._sweep()
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()

    def _sweep(self) -> None:
        """Remove what processes left behind that were killed while they wrote."""
        for name in (FILE, RUN_FILE):
            for left in self.path.glob(f".{name}.*"):
                left.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    """Turn what callbacks keep, NumPy's numbers and arrays, into what JSON knows."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{value!r} cannot be kept in a checkpoint: it is not plain.")
