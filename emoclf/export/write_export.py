"""Writing an export: whole, checked against the predictor, or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from emoclf._version import __version__
from emoclf.bundle.described_folder import EXPORT, SUMS, write_sums
from emoclf.errors import ExportError
from emoclf.files import new_folder
from emoclf.predictor import Predictor
from emoclf.serving.export_folder import (
    TOKENIZER,
    VOCABULARY,
    ExportFolder,
    crc32_of,
    read_export,
    sealed,
)
from emoclf.text.code_point_pages import cut_into_pages


def write_export(
    predictor: Predictor,
    path: str | os.PathLike[str],
    *,
    form: str,
    fill: Callable[[Path], dict[str, Any]],
    check: Callable[[ExportFolder], dict[str, Any]],
    overwrite: bool = False,
) -> Path:
    """Write an export beside its target, check it there, and put it in place.

    Parameters
    ----------
    predictor : Predictor
    path : path
        A folder that does not exist yet.
    form : str
        As in ``emoclf export --to``.
    fill : function of a folder
        Writes what the form consists of, and returns what ``emoclf.json`` says of it.
    check : function of an ExportFolder
        Loads what was written and compares it with the predictor; returns what
        ``emoclf.json`` says of that, or raises ExportError.
    overwrite : bool, default=False
        Replace an export that stands there; any other folder is left alone.

    Returns
    -------
    path : Path

    Raises
    ------
    ExportError
        If something stands in the way, the folder cannot be written, or the check
        fails. What stood there before is unchanged.
    """
    target = EXPORT.check_target(path, overwrite=overwrite)
    try:
        with new_folder(target) as folder:
            about = describe(predictor, form) | fill(folder)
            about["files"] = _files(folder)
            _write_about(folder, about)
            about["parity"] = check(read_export(folder))
            _write_about(folder, about)
            write_sums(folder, [EXPORT.about, *about["files"]])
    except OSError as error:
        raise ExportError(
            f"Cannot write {target}: {error}. What was there before is unchanged."
        ) from error
    return target


def write_text(predictor: Predictor, folder: Path) -> dict[str, Any]:
    """Write tokenizer and vocabulary, and return their settings."""
    encoder = predictor.bundle.encoder
    tokenizer = encoder.tokenizer
    pages = cut_into_pages(tokenizer.points.whole(), lowercase=tokenizer.lowercase)
    for name, values in pages.items():
        write_array(folder / TOKENIZER.format(name), values)
    tokens = json.dumps(list(encoder.vocabulary.tokens))
    (folder / VOCABULARY).write_text(tokens + "\n", encoding="utf-8")
    return {"text": encoder.to_state()[0]}


def write_array(path: Path, values: np.ndarray) -> None:
    """Write an array that can be mapped."""
    np.save(path, np.ascontiguousarray(values), allow_pickle=False)


def describe(predictor: Predictor, form: str) -> dict[str, Any]:
    """Return what ``emoclf.json`` says of any form."""
    bundle = predictor.bundle
    return {
        "format": EXPORT.format,
        "kind": "export",
        "form": form,
        "emoclf": __version__,
        "architecture": bundle.settings.architecture,
        "label_names": list(bundle.label_names),
        "several": bundle.multilabel,
        "thresholds": predictor.thresholds.tolist() if bundle.multilabel else None,
        "trained": bundle.created,
        "versions": bundle.versions,
    }


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and CRC-32 of all files."""
    return {
        file.relative_to(folder).as_posix(): (file.stat().st_size, crc32_of(file))
        for file in _all(folder)
    }


def _all(folder: Path) -> list[Path]:
    own = (EXPORT.about, SUMS)
    return sorted(x for x in folder.rglob("*") if x.is_file() and x.name not in own)


def _write_about(folder: Path, about: dict[str, Any]) -> None:
    # As it will be read: tuples become lists.
    text = json.dumps(sealed(json.loads(json.dumps(about))), indent=1) + "\n"
    (folder / EXPORT.about).write_text(text, encoding="utf-8")


def size_of(folder: Path) -> int:
    """Return the bytes of all files of a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
