"""Checkpoints of the networks of an aspect model: a folder for each, in one folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.bundle.bundle import installed_versions
from emoclf.fingerprint import digest
from emoclf.training.checkpoint import CheckpointFolder


@dataclass(frozen=True)
class AspectCheckpoints:
    """Checkpoints of one run.

    Parameters
    ----------
    path : Path
        Folder of the run.
    resume : bool
        Continue from the checkpoints that exist.
    """

    path: Path
    resume: bool = False

    def of(
        self, name: str, settings: Mapping[str, Any], data: Any, weights: Sequence[Any]
    ) -> CheckpointFolder:
        """Return the checkpoints of a network.

        Parameters
        ----------
        name : str
            Name of the network, such as "tagger-0".
        settings : mapping
        data : JSON values
            Sentences of the training and the validation set, with their labels.
        weights : sequence of variables
            Weights before the training, which depend on word vectors and seed.
        """
        fingerprint = {
            "settings": dict(settings),
            "sentences": digest(data),
            "word vectors": digest(*(np.asarray(x.numpy()) for x in weights)),
            "versions": installed_versions(),
        }
        return CheckpointFolder(self.path / name, fingerprint)

    def exist(self) -> bool:
        """Whether there is a checkpoint to resume from."""
        return any(folder.exists() for folder in self._folders())

    def remove(self) -> None:
        """Remove all checkpoints, and the folder if it is empty then."""
        for folder in self._folders():
            folder.remove()
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()

    def _folders(self) -> Iterator[CheckpointFolder]:
        for kind in ("tagger", "polarity"):
            for path in sorted(self.path.glob(f"{kind}-*")):
                yield CheckpointFolder(path, {})
