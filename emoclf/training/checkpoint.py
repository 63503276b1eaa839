"""One file per epoch from which a killed training goes on as if nothing had happened.

Keras' ``BackupAndRestore`` cannot promise equal weights: it knows neither the order of
batches nor the state of dropout and callbacks, and a truncated file blocks every
restart. Here one file holds all of it and appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.errors import ResumeError, TrainingError
from emoclf.files import new_file, write_atomically

FILE = "epoch.npz"
RUN_FILE = "run.json"


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
    cure : str
        What to do when it is not.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        fingerprint: Mapping[str, Any],
        *,
        cure: str = "Use what it was started with, another output, or --overwrite.",
    ) -> None:
        self.path = Path(path)
        self.cure = cure
        # Through JSON, as it will be compared with what was read.
        self.fingerprint = json.loads(json.dumps(dict(fingerprint)))

    def exists(self) -> bool:
        """Say whether there is anything to go on from."""
        return (self.path / FILE).is_file() and (self.path / RUN_FILE).is_file()

    def start(self) -> None:
        """Begin a new run: forget an older one, write down what this one is."""
        document = json.dumps(self.fingerprint, indent=1).encode()
        try:
            self.remove()
            self.path.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path / RUN_FILE, document)
        except OSError as error:
            raise TrainingError(f"Cannot write {self.path}: {error}.") from error

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
                f"{error}. Make room, and go on with --resume from the epoch before."
            ) from error
        self._sweep()

    def load(self) -> Checkpoint:
        """Read the newest checkpoint.

        Raises
        ------
        ResumeError
            If it belongs to other settings or other data, or is damaged.
        """
        self.check_fingerprint()
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

    def check_fingerprint(self) -> None:
        """Refuse a folder that belongs to another run, and say what differs."""
        try:
            there = json.loads((self.path / RUN_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ResumeError(
                f"{self.path / RUN_FILE} cannot be read ({error}). "
                "Start again with --overwrite."
            ) from error
        differences = _differences(there, self.fingerprint)
        if differences:
            raise ResumeError(
                f"{self.path} belongs to another run and cannot be resumed with these "
                f"settings and data: {'; '.join(differences)}. {self.cure}"
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


def _differences(there: Any, here: Any, name: str = "") -> list[str]:
    if isinstance(there, dict) and isinstance(here, dict):
        found = []
        for key in sorted({*there, *here}):
            path = f"{name}.{key}" if name else str(key)
            found += _differences(there.get(key), here.get(key), path)
        return found
    if there == here:
        return []
    if isinstance(there, str) and len(there) == 64:
        return [f"{name} differ" if name.endswith("s") else f"{name} differs"]
    return [f"{name} was {there!r} and is now {here!r}"]


def digest(*parts: Any) -> str:
    """Return the SHA-256 of texts, arrays and JSON values, as hexadecimal digits."""
    sums = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            data = str((part.dtype.str, part.shape)).encode()
            data += np.ascontiguousarray(part).tobytes()
        else:
            data = json.dumps(part, ensure_ascii=True).encode()
        # The length keeps ("ab", "c") and ("a", "bc") apart.
        sums.update(len(data).to_bytes(8, "little"))
        sums.update(data)
    return sums.hexdigest()
