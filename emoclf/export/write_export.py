"""Write an export to disk: checked against the predictor, complete, or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import numpy as np

from emoclf._version import __version__
from emoclf.bundle.described_folder import (
    CARD,
    CLASSIFIER_EXPORT,
    EXPORT,
    write_sums,
)
from emoclf.bundle.json_values import with_checksum
from emoclf.bundle.model_card import card
from emoclf.errors import ExportError
from emoclf.export.formats import FORMATS
from emoclf.export.parity import PROBABILITY_BOUND, check_parity
from emoclf.files import size_of
from emoclf.models.keras_globals import default_keras_globals
from emoclf.predictor import Predictor
from emoclf.serving.export_folder import (
    TOKENIZER,
    VOCABULARY,
    ExportFolder,
    file_crc32,
    read_export,
)
from emoclf.text.code_point_pages import cut_into_pages
from emoclf.text.encoder import TextEncoder

#: Metrics of the bundle that its exports keep: the tables for people.
SHOWN_METRICS = ("texts", "table", "verdict")


@default_keras_globals()
def write_export(
    predictor: Predictor,
    path: str | os.PathLike[str],
    *,
    export_format: str,
    write_files: Callable[[Path], dict[str, Any]],
    check: Callable[[ExportFolder], dict[str, Any]] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write an export beside its target, check it there, and put it in place.

    Parameters
    ----------
    predictor : Predictor
    path : path
        A folder that does not exist yet.
    export_format : str
        Key of :data:`emoclf.export.formats.FORMATS`.
    write_files : function of a folder
        Writes the files of the format, and returns entries for ``emoclf.json``, such
        as ``{"network": {…}}``.
    check : function of an ExportFolder, optional
        Loads the export and compares it with the predictor; returns the results by
        precision, or raises ExportError. By default the format's reader is compared
        by :func:`emoclf.export.parity.check_parity`.
    overwrite : bool, default=False
        Replace an existing export; any other folder is left alone.

    Returns
    -------
    path : Path

    Raises
    ------
    ExportError
        If the target cannot be written, or the check fails. The target is as it was
        before.
    """
    if predictor.bundle.inputs is not None:
        raise ExportError(
            "This classifier takes vectors of its texts, as of a transformer encoder, "
            "which no export contains. Distil it into a network of words, which can "
            "be exported: emoclf distil DATA --teacher BUNDLE -o STUDENT"
        )
    return write_checked(
        path,
        _describe(predictor, export_format),
        write_files=write_files,
        write_card=partial(card, predictor.bundle, loader="load_exported"),
        check=check or partial(_check_reader, predictor),
        overwrite=overwrite,
    )


def write_checked(
    path: str | os.PathLike[str],
    description: dict[str, Any],
    *,
    write_files: Callable[[Path], dict[str, Any]],
    write_card: Callable[[dict[str, Any]], str],
    check: Callable[[ExportFolder], dict[str, Any]],
    overwrite: bool,
) -> Path:
    """Write the folder of any export.

    Parameters
    ----------
    path, write_files, overwrite
        As in :func:`write_export`.
    description : dict
        Entries of ``emoclf.json`` beside those of the files; ``kind`` is among them.
    write_card : function
        From the entries to the text of the model card.
    check : function of an ExportFolder
        Returns the results of the comparison, or raises ExportError.
    """
    with EXPORT.new_folder(path, overwrite=overwrite) as folder:
        about = {**description, **write_files(folder)}
        text = write_card(about)
        (folder / CARD).write_text(text, encoding="utf-8", newline="\n")
        about["files"] = {
            file.relative_to(folder).as_posix(): (file.stat().st_size, file_crc32(file))
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }
        _write_about(folder, about)
        size = {"bytes": size_of(folder)}
        about["parity"] = {**size, **check(read_export(folder, about["kind"]))}
        _write_about(folder, about)
        write_sums(folder, [EXPORT.about, *about["files"]])
    return EXPORT.place(path)


def write_text_encoder(encoder: TextEncoder, folder: Path) -> dict[str, Any]:
    """Write tokenizer and vocabulary, and return their entry for ``emoclf.json``."""
    tokenizer = encoder.tokenizer
    pages = cut_into_pages(tokenizer.points.whole(), lowercase=tokenizer.lowercase)
    for name, values in pages.items():
        write_array(folder / TOKENIZER.format(name), values)
    tokens = json.dumps(list(encoder.vocabulary.tokens))
    (folder / VOCABULARY).write_text(tokens + "\n", encoding="utf-8")
    return {"text": encoder.to_state()[0]}


def write_array(path: Path, values: np.ndarray) -> None:
    """Write an array so that it can be memory-mapped."""
    np.save(path, np.ascontiguousarray(values), allow_pickle=False)


def _describe(predictor: Predictor, export_format: str) -> dict[str, Any]:
    """Return the entries of ``emoclf.json`` that all formats have."""
    bundle = predictor.bundle
    return {
        "format": EXPORT.format,
        "kind": CLASSIFIER_EXPORT,
        "form": export_format,
        "emoclf": __version__,
        "architecture": bundle.settings.architecture,
        "label_names": list(bundle.label_names),
        "several": bundle.multilabel,
        "thresholds": predictor.thresholds.tolist() if bundle.multilabel else None,
        "trained": bundle.created,
        "text_column": predictor.text_column,
        # For "emoclf show"; "emoclf evaluate" reads a file as the training did.
        "settings": bundle.settings.to_dict(),
        "metrics": {x: bundle.metrics[x] for x in SHOWN_METRICS if x in bundle.metrics},
        "versions": bundle.versions,
    }


def _check_reader(predictor: Predictor, export: ExportFolder) -> dict[str, Any]:
    """Compare what the format's reader predicts with the predictor."""
    export_format = FORMATS[export.format]
    parity = check_parity(
        predictor,
        resolve_name(export_format.reader)(export),
        name=f"export to {export.format}",
        bound=None if export_format.is_rounded else PROBABILITY_BOUND,
    )
    return {"float32": parity}


def _write_about(folder: Path, about: dict[str, Any]) -> None:
    # As it will be read: tuples become lists.
    text = json.dumps(with_checksum(json.loads(json.dumps(about))), indent=1) + "\n"
    (folder / EXPORT.about).write_text(text, encoding="utf-8")
