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
from emoclf.distillation.unlabelled import files_of
from emoclf.errors import (
    BundleError,
    DataError,
    ModelError,
    SettingsError,
    setting,
    wrong_kind,
)
from emoclf.fingerprint import digest
from emoclf.ready import model_path
from emoclf.settings import DataSettings

#: Training texts whose probabilities tell classifiers without a digest apart.
PROBE_TEXTS = 256


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
    texts : sequence of str
        Training texts, whose probabilities stand for a classifier that has neither a
        digest nor a folder.
    path : path, optional
        Folder that it was loaded from.
    """

    def __init__(
        self,
        classifier: Classifier,
        name: str,
        texts: Sequence[str],
        path: str | os.PathLike[str] | None = None,
    ) -> None:
        self.classifier, self.name = classifier, name
        self.label_names = tuple(classifier.label_names)
        self.multilabel = classifier.multilabel
        self._texts, self._path = texts, path

    def digest(self) -> str:
        """Return its own digest, or that of its folder, or of some probabilities."""
        own = getattr(self.classifier, "digest", None)
        if own is not None:
            return own()
        if self._path is not None:
            return _folder_digest(highest_version(Path(self._path)))
        probabilities = self.predict_proba(self._texts[:PROBE_TEXTS])
        return digest(list(self.label_names), np.asarray(probabilities, np.float32))

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Return the probability of each class for each text.

        Raises
        ------
        ModelError
            If the encoder of a bundle is missing, or another one.
        """
        try:
            return self.classifier.predict_proba(texts)
        except ModelError as error:
            if _encoder_of(self.classifier) is None:
                raise
            raise ModelError(
                f"The teacher {self.name}: {error} For a teacher, use "
                f"{setting('teacher_encoder', 'FOLDER')} instead."
            ) from error


def as_teachers(
    given: Any,
    files: Any,
    train: Dataset,
    settings: DataSettings,
    *,
    encoder: str | os.PathLike[str] | None = None,
) -> list[Teacher]:
    """Return the teachers that a caller gave.

    Parameters
    ----------
    given : path, Classifier, Teacher, list of these, or None
        A path is that of a bundle, an export or another model that ``emoclf predict``
        loads, or the name of a ready classifier; several are separated by commas.
    files : path, list of paths or None
        Files of probabilities or labels.
    train : Dataset
        Training set, whose labels the teachers must have.
    settings : DataSettings
        Settings of the labelled data; for files the encoding is used, and the columns
        that they have too.
    encoder : path, optional
        Folder of the transformer encoder of the bundles that have one, if it is in
        another place now.

    Raises
    ------
    BundleError
        If there is no such model.
    DataError
        If there is no teacher, something else is given, or labels differ.
    SettingsError
        If no teacher has an encoder, and its place is given.
    """
    items: list[Any] = []
    for item in given if isinstance(given, list | tuple) else [given]:
        if isinstance(item, str) and not os.path.exists(item):
            items += [part.strip() for part in item.split(",") if part.strip()]
        elif item is not None:
            items.append(item)
    teachers = [_as_teacher(item, train, encoder) for item in items]
    if encoder is not None and not any(map(_encoder_of, teachers)):
        raise SettingsError(
            f"{setting('teacher_encoder', os.fspath(encoder))} is for teachers that "
            "were trained with a transformer encoder, but no teacher here was. Leave "
            "it out."
        )
    teachers += [FileTeacher(path, train, settings) for path in files_of(files) or ()]
    if not teachers:
        raise DataError(
            "There is no teacher. Name a classifier with the same labels, "
            f"{setting('teacher', 'a.emoclf')}, or a file of labels, "
            f"{setting('teacher_labels', 'labels.csv')}."
        )
    check_labels(teachers, train.label_names, multilabel=train.multilabel)
    return teachers


def _as_teacher(
    item: Any, train: Dataset, encoder: str | os.PathLike[str] | None
) -> Teacher:
    if isinstance(item, str | os.PathLike):
        path = model_path(os.fspath(item))
        name = os.path.basename(os.path.abspath(path))
        classifier = load_classifier(path)
        if encoder is not None and _encoder_of(classifier):
            classifier = load_classifier(path, encoder=encoder)
        return ClassifierTeacher(classifier, name, train.texts, path)
    if isinstance(item, Classifier):
        # What was trained in this session contains its classifier.
        item = getattr(item, "predictor", item)
        return ClassifierTeacher(item, item.architecture, train.texts)
    if isinstance(item, Teacher):
        return item
    raise DataError(
        wrong_kind("teacher", "a path or a classifier", item, "name a saved classifier")
    )


def _encoder_of(teacher: Any) -> str | None:
    """Return the place of the encoder of a bundle; None if it has none."""
    bundle = getattr(getattr(teacher, "classifier", teacher), "bundle", None)
    return bundle and bundle.inputs and bundle.inputs.encoder


def coverage(teachers: Sequence[Teacher]) -> Callable[[list[str]], np.ndarray] | None:
    """Return a function that says which texts all teachers can predict.

    None if they can predict all texts.
    """
    limited = [one for one in teachers if isinstance(one, FileTeacher)]
    if not limited:
        return None
    return lambda texts: np.all([one.file.covers(texts) for one in limited], axis=0)


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
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        # All such teachers would have one hash, and so each other's predictions.
        raise BundleError(
            f"{folder} has no files by which a teacher could be recognised. Name the "
            "folder of a classifier."
        )
    sums = hashlib.sha256()
    for file in files:
        with open(file, "rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        sums.update(f"{file.relative_to(folder).as_posix()}\0{content}\n".encode())
    return sums.hexdigest()
