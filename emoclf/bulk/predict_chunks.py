"""Predict chunks of records in this process."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from emoclf.bulk.entries import Entries, Entry
from emoclf.bundle.described_folder import (
    EXPORT,
    highest_version,
    kind_of,
    readable_place,
)
from emoclf.bundle.json_values import read_json
from emoclf.classifier import Classifier, check_abstention
from emoclf.errors import BundleError, SettingsError, setting
from emoclf.export.formats import FORMATS
from emoclf.serving import load_exported

_KINDS = {"bundle": "a bundle", "transformer": "a fine-tuned encoder"}
#: Owner or name of a model on the Hub.
_HUB_WORD = re.compile(r"[A-Za-z0-9][\w.-]*")


class Labels(NamedTuple):
    """The labels of a classifier.

    Parameters
    ----------
    names : tuple of str
        Names in the order of the probabilities.
    multilabel : bool
        Whether a text may have several labels.
    """

    names: tuple[str, ...]
    multilabel: bool


def format_of(path: str | os.PathLike[str]) -> str:
    """Return "bundle", "transformer", the format of an export, or "" for none of them.

    The folder is checked when it is loaded, not here.
    """
    if (kind := kind_of(path)) in ("bundle", "transformer"):
        return kind
    folder = readable_place(highest_version(Path(path)))
    try:
        return str(read_json(folder / EXPORT.about)["form"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def needs_tensorflow(path: str | os.PathLike[str]) -> bool:
    """Say whether a saved classifier needs TensorFlow."""
    export_format = FORMATS.get(name := format_of(path))
    return name == "bundle" or (
        export_format is not None and export_format.needs_tensorflow
    )


def load_classifier(path: str | os.PathLike[str], **options: Any) -> Classifier:
    """Load a bundle, an export of any format, or a fine-tuned encoder.

    Parameters
    ----------
    path : path
        Of an encoder, also its name on the Hugging Face Hub, ``owner/name``, if
        there is no folder of the owner's name here.
    **options
        Options of a folded export: ``precision`` and ``engine``; and ``encoder``, the
        place of the transformer encoder of a bundle.

    Raises
    ------
    BundleError
        If it is missing, incomplete, damaged, or newer than this emoclf.
    SettingsError
        If the model does not have the options.
    """
    check_options(path, options)
    kind = kind_of(path)
    if kind == "transformer" or (not kind and _may_be_in_hub(path)):
        from emoclf.contextual.transformer_classifier import TransformerClassifier

        return TransformerClassifier.load(path)
    if not kind:
        is_there = os.path.exists(path)
        state = "is no bundle and no export" if is_there else "does not exist"
        raise BundleError(
            f"{path} {state}. Name a folder that 'emoclf train' or 'emoclf export' "
            "has written."
        )
    if kind == "bundle":
        from emoclf.predictor import Predictor

        return Predictor.load(path, **options)
    return load_exported(path, **options)


def _may_be_in_hub(path: str | os.PathLike[str]) -> bool:
    """Say whether a path can only be a name on the Hugging Face Hub."""
    owner, slash, name = os.fspath(path).partition("/")
    is_name = bool(slash) and all(map(_HUB_WORD.fullmatch, (owner, name)))
    return is_name and not os.path.exists(owner) and not name.endswith(".emoclf")


def check_options(path: str | os.PathLike[str], options: dict[str, Any]) -> None:
    """Raise SettingsError if options of another kind of model are given.

    Raises
    ------
    SettingsError
    """
    format = format_of(path)
    is_folded = format in FORMATS and FORMATS[format].is_folded
    kind = _KINDS.get(format, f"an export to {format}")
    for name, value in options.items() if format else ():
        if name == "encoder" and format != "bundle":
            raise SettingsError(
                f"{setting(name, value)} is for bundles with a transformer encoder, "
                f"but {path} is {kind}. Leave it out."
            )
        if name != "encoder" and not is_folded:
            raise SettingsError(
                f"{setting(name, value)} is for folded exports, and {path} is {kind}. "
                "Leave it out, or export the bundle first: emoclf export BUNDLE "
                "--to folded -o FOLDER"
            )


class ChunkPredictor:
    """Predicts chunks one after the other, in this process.

    Parameters
    ----------
    classifier : Classifier
    abstain_below : float, optional
        Option of :meth:`Classifier.predict`.
    """

    def __init__(
        self, classifier: Classifier, abstain_below: float | None = None
    ) -> None:
        if abstain_below is not None:
            check_abstention(abstain_below, multilabel=classifier.multilabel)
        self.classifier, self.abstain_below = classifier, abstain_below
        self.labels = Labels(classifier.label_names, classifier.multilabel)

    def predict(self, entries: Entries) -> Iterator[list[Entry]]:
        """Predict each chunk, in order."""
        for chunk in entries.chunks():
            inputs = inputs_of(chunk, entries)
            predicted = predict_texts(self.classifier, inputs, self.abstain_below)
            yield join(chunk, predicted)


def texts_of(chunk: list[Entry]) -> list[str]:
    """Return the texts of the entries that are not bad."""
    return [entry.text for entry in chunk if entry.bad is None]


def inputs_of(chunk: list[Entry], entries: Entries) -> list[Any]:
    """Return the texts of the entries that are not bad; or their vectors, if given."""
    vectors = entries.table.vectors
    if vectors is None:
        return texts_of(chunk)
    return [vectors[entry.number - 1] for entry in chunk if entry.bad is None]


#: Of each text: label or labels, None where withheld; probabilities, shape (n_texts,
#: n_classes); and why the label is withheld.
Predicted = tuple[list[Any], np.ndarray, list[str | None]]


def predict_texts(
    classifier: Classifier, texts: list[str], abstain_below: float | None = None
) -> Predicted:
    """Return the predictions of texts; none if there are no texts."""
    if not texts:
        return [], np.zeros((0, 0)), []
    probabilities = classifier.predict_proba(texts)
    labels: list[Any] = list(classifier.name_labels(probabilities))
    reasons: list[str | None] = [None] * len(texts)
    if abstain_below is not None:
        reasons = classifier.withheld(texts, probabilities, abstain_below)
        pairs = zip(labels, reasons, strict=True)
        labels = [None if reason else label for label, reason in pairs]
    return labels, probabilities, reasons


def join(chunk: list[Entry], predicted: Predicted) -> list[Entry]:
    """Return the entries with their predictions; bad entries have none."""
    labels, probabilities, reasons = predicted
    rows = zip(labels, probabilities.tolist(), reasons, strict=True)
    return [
        Entry(*entry[:4], *next(rows)) if entry.bad is None else entry
        for entry in chunk
    ]
