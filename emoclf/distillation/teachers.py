"""Teachers: whatever predicts probabilities of the student's labels."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from emoclf.bulk.predict_chunks import load_classifier
from emoclf.bundle.described_folder import highest_version
from emoclf.classifier import Classifier
from emoclf.datasets.dataset import Dataset
from emoclf.distillation.file_teacher import FileTeacher
from emoclf.distillation.label_file import LabelFile
from emoclf.distillation.unlabelled import SHARED_SETTINGS, files_of
from emoclf.errors import DataError, setting, wrong_kind
from emoclf.fingerprint import digest
from emoclf.ready import model_path
from emoclf.settings import DataSettings

#: Texts whose probabilities tell two classifiers in memory apart.
PROBE_TEXTS = ("", "What a lovely day!", "I hate it.", "He was afraid in the dark.")


@runtime_checkable
class Teacher(Protocol):
    """A classifier that can be told apart from others.

    Attributes
    ----------
    name : str
        Name for logs and the model card.
    label_names : tuple of str
    multilabel : bool
    """

    name: str
    label_names: tuple[str, ...]
    multilabel: bool

    def digest(self) -> str:
        """Return a hash of everything that its predictions depend on."""
        ...

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Return probabilities, float of shape (n_texts, n_classes)."""
        ...


class ClassifierTeacher:
    """A classifier as a teacher.

    Parameters
    ----------
    classifier : Classifier
    name : str
    path : path, optional
        Folder that it was loaded from.
    """

    def __init__(
        self,
        classifier: Classifier,
        name: str,
        path: str | os.PathLike[str] | None = None,
    ) -> None:
        self.name = name
        self.label_names = tuple(classifier.label_names)
        self.multilabel = classifier.multilabel
        self.predict_proba = classifier.predict_proba
        self._path = path

    def digest(self) -> str:
        """Return a hash of its folder, or of its probabilities for a few texts."""
        if self._path is not None:
            return _folder_digest(highest_version(Path(self._path)))
        probabilities = np.asarray(self.predict_proba(list(PROBE_TEXTS)), np.float64)
        # Other machines compute the last digits differently.
        return digest(list(self.label_names), np.round(probabilities, 2) + 0.0)


def as_teachers(given: Any) -> list[Teacher]:
    """Return the teachers that a caller gave.

    Parameters
    ----------
    given : path, Classifier, Teacher, list of these, or None
        A path is that of a bundle, an export or another model that ``emoclf predict``
        loads, or the name of a ready classifier; several are separated by commas.

    Raises
    ------
    BundleError
        If there is no such model.
    DataError
        If it is something else.
    """
    items: list[Any] = []
    if given is None:
        given = []
    for item in given if isinstance(given, list | tuple) else [given]:
        if isinstance(item, str) and not os.path.exists(item):
            items += [part.strip() for part in item.split(",") if part.strip()]
        else:
            items.append(item)
    return [_as_teacher(item) for item in items]


def _as_teacher(item: Any) -> Teacher:
    if isinstance(item, str | os.PathLike):
        path = model_path(os.fspath(item))
        name = os.path.basename(os.path.abspath(path))
        return ClassifierTeacher(load_classifier(path), name, path)
    if isinstance(item, Classifier):
        return ClassifierTeacher(item, item.architecture)
    if isinstance(item, Teacher):
        return item
    raise DataError(
        wrong_kind("teacher", "a path or a classifier", item, "name a saved classifier")
    )


def file_teachers(paths: Any, train: Dataset, settings: DataSettings) -> list[Teacher]:
    """Return teachers whose labels or probabilities are in files.

    Parameters
    ----------
    paths : path, list of paths or None
    train : Dataset
        Training set, whose labels the files have.
    settings : DataSettings
        Settings of the labelled data; the encoding is used.

    Raises
    ------
    DataError
        If a file has other labels, or numbers that are no probabilities.
    """
    shared = {name: getattr(settings, name) for name in SHARED_SETTINGS}
    return [
        FileTeacher(
            LabelFile(path, train.label_names, multilabel=train.multilabel, **shared),
            train,
        )
        for path in files_of(paths) or ()
    ]


def coverage(teachers: Sequence[Teacher]) -> Callable[[list[str]], np.ndarray] | None:
    """Return a function that says which texts all teachers can predict.

    None if they can predict all texts.
    """
    limited = [one for one in teachers if isinstance(one, FileTeacher)]
    if not limited:
        return None
    return lambda texts: np.all([one.covers(texts) for one in limited], axis=0)


def check_labels(
    teachers: Sequence[Teacher], label_names: Sequence[str], *, multilabel: bool
) -> None:
    """Check that teachers have the labels of the data, in any order.

    Raises
    ------
    DataError
    """
    kinds = ("one label for each text", "several labels for a text")
    for teacher in teachers:
        missing = [name for name in label_names if name not in teacher.label_names]
        unknown = [name for name in teacher.label_names if name not in label_names]
        if missing or unknown:
            parts = []
            if missing:
                parts.append(f"lacks the labels {', '.join(map(repr, missing))}")
            if unknown:
                names = ", ".join(map(repr, unknown))
                parts.append(f"has the labels {names}, which the data do not have")
            raise DataError(
                f"The teacher {teacher.name} {' and '.join(parts)}. A teacher needs "
                "the same label names: train it on the same labels, or rename those of "
                f"the data with {setting('label_names')}."
            )
        if teacher.multilabel != multilabel:
            raise DataError(
                f"The teacher {teacher.name} predicts {kinds[teacher.multilabel]}, and "
                f"the data have {kinds[multilabel]}. Use a teacher that was trained on "
                "labels of the same kind."
            )


def _folder_digest(folder: Path) -> str:
    """Return a hash of the names and contents of all files of a folder."""
    sums = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with open(file, "rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        sums.update(f"{file.relative_to(folder).as_posix()}\0{content}\n".encode())
    return sums.hexdigest()
