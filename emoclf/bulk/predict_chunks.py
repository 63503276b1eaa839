"""Chunks of records and their answers, in this process."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from emoclf.bulk.record_reader import Entry
from emoclf.bundle.described_folder import BUNDLE, EXPORT, readable_place
from emoclf.classifier import Classifier
from emoclf.errors import BundleError, SettingsError, setting
from emoclf.export.formats import FORMATS
from emoclf.serving import load_exported
from emoclf.serving.export_folder import highest_version

Label = str | tuple[str, ...]


class Labels(NamedTuple):
    """What a classifier can answer.

    Parameters
    ----------
    names : tuple of str
        In the order of the probabilities.
    multilabel : bool
        Whether a text may have several of them.
    """

    names: tuple[str, ...]
    multilabel: bool


class Answer(NamedTuple):
    """A record and what the classifier says of its text; None if it is a bad one."""

    entry: Entry
    label: Label | None
    probabilities: list[float] | None


def format_of(path: str | os.PathLike[str]) -> str:
    """Say what stands in a folder: "bundle", the form of an export, or "" for neither.

    Whether it is sound is seen when it is loaded.
    """
    place = readable_place(highest_version(Path(path)))
    if (place / BUNDLE.about).is_file():
        return "bundle"
    try:
        return str(json.loads((place / EXPORT.about).read_text("utf-8"))["form"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def needs_tensorflow(path: str | os.PathLike[str]) -> bool:
    """Say whether a saved classifier is one that TensorFlow runs."""
    export_format = FORMATS.get(name := format_of(path))
    return name == "bundle" or (
        export_format is not None and export_format.needs_tensorflow
    )


def load_classifier(path: str | os.PathLike[str], **options: Any) -> Classifier:
    """Load a bundle or an export, whatever it is.

    Parameters
    ----------
    path : path
    **options
        Of a folded export: ``precision``, ``engine``.

    Raises
    ------
    BundleError
        If it is missing, incomplete, damaged, or newer than this emoclf.
    SettingsError
        If options are given that another model does not have.
    """
    check_options(path, options)
    form = format_of(path)
    if not form and not os.path.exists(path):
        raise BundleError(
            f"{path} does not exist. Give a bundle, which 'emoclf train' writes, or a "
            "folder of 'emoclf export'."
        )
    if form == "bundle":
        from emoclf.predictor import Predictor

        return Predictor.load(path)
    return load_exported(path, **options)


def check_options(path: str | os.PathLike[str], options: dict[str, Any]) -> None:
    """Refuse options of a folded export that are given for another model.

    Raises
    ------
    SettingsError
    """
    form = format_of(path)
    if options and form and not (form in FORMATS and FORMATS[form].is_folded):
        name, value = next(iter(options.items()))
        kind = "a bundle" if form == "bundle" else f"an export to {form}"
        raise SettingsError(
            f"{setting(name, value)} is for folded exports, and {path} is {kind}. "
            "Leave it out, or fold the bundle first: emoclf export BUNDLE --to folded "
            "-o FOLDER"
        )


class Answerer:
    """Answers chunks one after the other, in this process.

    Parameters
    ----------
    classifier : Classifier
    """

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self.labels = Labels(classifier.label_names, classifier.multilabel)

    def answers(self, chunks: Iterable[list[Entry]]) -> Iterator[list[Answer]]:
        """Answer each chunk, in order."""
        for chunk in chunks:
            yield join(chunk, *answer(self.classifier, texts_of(chunk)))


def texts_of(chunk: list[Entry]) -> list[str]:
    """Return the texts that can be answered."""
    return [entry.text for entry in chunk if entry.bad is None]


def answer(
    classifier: Classifier, texts: list[str]
) -> tuple[list[Any], np.ndarray | None]:
    """Return labels and probabilities; None where there are no texts."""
    if not texts:
        return [], None
    probabilities = classifier.predict_proba(texts)
    return list(classifier.name_labels(probabilities)), probabilities


def join(
    chunk: list[Entry], labels: list[Any], probabilities: np.ndarray | None
) -> list[Answer]:
    """Put records and answers together; bad records have none."""
    rows = iter([] if probabilities is None else probabilities.tolist())
    named = iter(labels)
    return [
        Answer(entry, next(named), next(rows))
        if entry.bad is None
        else Answer(entry, None, None)
        for entry in chunk
    ]
