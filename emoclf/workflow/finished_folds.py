"""Finished folds of a cross-validation, one file each, from which it continues."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.bundle.bundle import installed_versions
from emoclf.contextual.input_vectors import encoder_contents
from emoclf.datasets.contents import contents_of
from emoclf.datasets.dataset import Dataset
from emoclf.errors import DataError, ResumeError
from emoclf.evaluation.metrics import Evaluation
from emoclf.files import new_file
from emoclf.fingerprint import enter_folder
from emoclf.settings import RunSettings


@dataclass(frozen=True)
class Fold:
    """Results of one fold.

    Parameters
    ----------
    evaluations : tuple of Evaluation
        The network first, then the baselines.
    probabilities : ndarray of float, shape (n_texts, n_classes)
        Predictions of the network for the texts of the fold.
    thresholds : ndarray of float, shape (n_classes,)
    n_train : int
        Number of texts that the network was trained on.
    """

    evaluations: tuple[Evaluation, ...]
    probabilities: np.ndarray
    thresholds: np.ndarray
    n_train: int


class FoldFolder:
    """Folder of the finished folds of one cross-validation.

    Parameters
    ----------
    path : path
        Folder; created if necessary.
    dataset : Dataset
    settings : RunSettings
    folds : int
    refit : bool, default=False

    Raises
    ------
    ResumeError
        If the folder belongs to other texts, settings, folds or versions, or to
        something else.
    DataError
        If it cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        dataset: Dataset,
        settings: RunSettings,
        folds: int,
        *,
        refit: bool = False,
    ) -> None:
        self.path = Path(path)
        fingerprint = {
            **contents_of({"all": dataset}),
            **encoder_contents([settings.embedding.encoder]),
            "settings": settings.to_dict(),
            "folds": folds,
            "refit": refit,
            "versions": installed_versions(),
        }
        try:
            enter_folder(self.path, fingerprint, kind="a cross-validation")
        except OSError as error:
            raise DataError(
                f"Finished folds cannot be written into {path}: {error}. Name another "
                "folder."
            ) from error

    def _file(self, number: int) -> Path:
        return self.path / f"fold-{number}.npz"

    def load(self, number: int, shape: tuple[int, int]) -> Fold | None:
        """Return a finished fold, None if there is none.

        Parameters
        ----------
        number : int
        shape : tuple of int
            Number of its texts and of the classes.

        Raises
        ------
        ResumeError
            If its file is damaged.
        """
        path = self._file(number)
        if not path.exists():
            return None
        try:
            # Opened here, since np.load does not close a damaged file.
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
                about = json.loads(arrays["about"].tobytes())
                fold = Fold(
                    tuple(map(Evaluation.from_dict, about["evaluations"])),
                    arrays["probabilities"],
                    arrays["thresholds"],
                    int(about["n_train"]),
                )
            if fold.probabilities.shape != shape or fold.thresholds.shape != shape[1:]:
                raise ValueError(f"its arrays are not of {shape[0]} texts")
        except Exception as error:  # zipfile raises a dozen kinds for damaged bytes
            raise ResumeError(
                f"{path} is damaged: {error}. Remove it, and the fold is repeated."
            ) from error
        return fold

    def save(self, number: int, fold: Fold) -> None:
        """Write a fold, whole or not at all."""
        about: dict[str, Any] = {
            "evaluations": [one.to_dict() for one in fold.evaluations],
            "n_train": fold.n_train,
        }
        with new_file(self._file(number)) as stream:
            np.savez_compressed(
                stream,
                probabilities=fold.probabilities,
                thresholds=fold.thresholds,
                about=np.frombuffer(json.dumps(about).encode(), np.uint8),
            )
