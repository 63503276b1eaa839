"""The folder of a bundle: saving and loading it.

======================  ==========================================================
``bundle.json``         format, versions, architecture, labels, text settings
``settings.toml``       the settings in force, ready for ``emoclf train --config``
``vocabulary.json``     tokens in the order of their ids
``tokenizer.npz``       tables of the tokenizer, one number for each code point
``weights.npz``         weights by the names of their variables
``history.json``        one number for each epoch and metric
``figures.json``        metrics, and the set each was computed on
``README.md``           the model card, for people
``sha256sums.txt``      checksums; ``sha256sum -c sha256sums.txt`` checks them too
======================  ==========================================================

A bundle is written beside its target and renamed; nothing in it is ever executed.
"""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from emoclf._version import __version__
from emoclf.bundle.bundle import Bundle, BundleParts
from emoclf.bundle.described_folder import BUNDLE, readable_place, write_sums
from emoclf.bundle.model_card import card
from emoclf.errors import BundleError, EmoclfError

SETTINGS = "settings.toml"
VOCABULARY = "vocabulary.json"
TOKENIZER = "tokenizer.npz"
WEIGHTS = "weights.npz"
HISTORY = "history.json"
FIGURES = "figures.json"
CARD = "README.md"
FILES = (
    BUNDLE.about, SETTINGS, VOCABULARY, TOKENIZER, WEIGHTS, HISTORY, FIGURES, CARD
)  # fmt: skip


def save_bundle(
    bundle: Bundle, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write a bundle, completely or not at all.

    Parameters
    ----------
    bundle : Bundle
    path : path
        A folder that does not exist yet.
    overwrite : bool, default=False
        Replace an older bundle; any other folder is left alone.

    Returns
    -------
    path : Path

    Raises
    ------
    BundleError
        If the target is something else, or the folder cannot be written.
    """
    with BUNDLE.new_folder(path, overwrite=overwrite, files=FILES) as folder:
        _write_files(bundle, folder)
    return BUNDLE.place(path)


def check_target(path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Refuse a target that must not or cannot be written, before any work is done.

    Raises
    ------
    BundleError
    """
    return BUNDLE.check_target(path, overwrite=overwrite, files=FILES)


def load_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Read a bundle, and check all of its files.

    Raises
    ------
    BundleError
        If it is missing, incomplete, damaged, or newer than this emoclf.
    """
    source, about = _open(path)
    try:
        return BundleParts(
            about=about,
            settings=(source / SETTINGS).read_text("utf-8"),
            tokens=_read_json(source / VOCABULARY),
            tables=_read_arrays(source / TOKENIZER),
            weights=_read_arrays(source / WEIGHTS),
            history=_read_json(source / HISTORY),
            metrics=_read_json(source / FIGURES),
        ).to_bundle()
    except BundleError as error:
        raise BundleError(f"{source}: {error}") from error
    except (EmoclfError, OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(
            f"{source} is complete but cannot be read by emoclf {__version__}: "
            f"{type(error).__name__}: {error}. It was made with "
            f"emoclf {about.get('emoclf')}."
        ) from error


def read_metrics(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the metrics of a bundle, without its network.

    Raises
    ------
    BundleError
        If it is missing or damaged.
    """
    return _read_json(_open(path)[0] / FIGURES)


def _open(path: str | os.PathLike[str]) -> tuple[Path, dict[str, Any]]:
    """Return the folder to read and its description, with all files checked."""
    source = readable_place(BUNDLE.place(path))
    about = BUNDLE.read_about(source)
    BUNDLE.check_sums(source, FILES)
    return source, about


def _write_files(bundle: Bundle, folder: Path) -> None:
    parts = bundle.to_parts()
    np.savez_compressed(folder / TOKENIZER, **parts.tables)  # type: ignore[arg-type]
    np.savez(folder / WEIGHTS, **parts.weights)  # type: ignore[arg-type]
    documents = {
        BUNDLE.about: _json(parts.about),
        SETTINGS: parts.settings,
        VOCABULARY: _json(parts.tokens),
        HISTORY: _json(parts.history),
        FIGURES: _json(parts.metrics),
        CARD: card(parts, max_length=bundle.encoder.max_length),
    }
    for name, document in documents.items():
        (folder / name).write_text(document, encoding="utf-8", newline="\n")
    write_sums(folder, FILES)


def _json(value: Any) -> str:
    # ASCII: a lone surrogate in a label or a text must not break the file.
    return json.dumps(value, indent=1) + "\n"


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except zipfile.BadZipFile as error:
        raise BundleError(f"{path} is not an archive of arrays: {error}.") from error
