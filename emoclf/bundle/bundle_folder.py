"""A bundle as a described folder.

======================  ==========================================================
``bundle.json``         format, versions, architecture, labels, text settings
``settings.toml``       the settings in force, ready for ``emoclf train --config``
``vocabulary.json``     tokens in the order of their ids
``tokenizer.npz``       tables of the tokenizer, one number for each code point
``weights.npz``         weights by the names of their variables
``history.json``        one number for each epoch and figure
``figures.json``        what the classifier reached, and on which part
``README.md``           the same for people
``sha256sums.txt``      checksums; ``sha256sum -c sha256sums.txt`` checks them too
======================  ==========================================================

A bundle is written beside its target and renamed; nothing in it is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from emoclf._version import __version__
from emoclf.bundle.bundle import FORMAT, Bundle, BundleParts
from emoclf.bundle.model_card import card
from emoclf.datasets.cells import shorten
from emoclf.errors import BundleError, EmoclfError, setting
from emoclf.files import check_writable, folder_backup, new_folder, recover_folder

ABOUT = "bundle.json"
SETTINGS = "settings.toml"
VOCABULARY = "vocabulary.json"
TOKENIZER = "tokenizer.npz"
WEIGHTS = "weights.npz"
HISTORY = "history.json"
FIGURES = "figures.json"
CARD = "README.md"
SUMS = "sha256sums.txt"
FILES = (ABOUT, SETTINGS, VOCABULARY, TOKENIZER, WEIGHTS, HISTORY, FIGURES, CARD)
# What may be removed with a bundle: its files, and what desktops add by themselves.
_OWN = {*FILES, SUMS, ".DS_Store", "Thumbs.db", "desktop.ini"}


def save_bundle(
    bundle: Bundle, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write a bundle, whole or not at all.

    Parameters
    ----------
    bundle : Bundle
    path : path
        A folder that does not exist yet.
    overwrite : bool, default=False
        Replace a bundle that stands there; any other folder is left alone.

    Returns
    -------
    path : Path

    Raises
    ------
    BundleError
        If something stands in the way, or the folder cannot be written.
    """
    target = bundle_place(path)
    check_target(target, overwrite=overwrite)
    try:
        with new_folder(target) as folder:
            _write_files(bundle, folder)
    except OSError as error:
        raise BundleError(
            f"Cannot write {target}: {error}. What stood there before is unchanged."
        ) from error
    return target


def bundle_place(path: str | os.PathLike[str]) -> Path:
    """Return where a bundle stands or will stand: a path with a name.

    Raises
    ------
    BundleError
        If no folder can have this path.
    """
    place = Path(path)
    if os.fspath(path) and place.name in ("", ".."):
        # The folder one stands in, for instance, has a name as well.
        place = Path(os.path.abspath(place))
    try:
        place.exists()
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be a bundle: {error}.") from None
    if not os.fspath(path) or not place.name:
        raise BundleError(
            f"{os.fspath(path)!r} cannot be a bundle. Give the path of a folder."
        )
    return place


def check_target(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Refuse a target that must not or cannot be written, before any work is done."""
    target = bundle_place(path)
    try:
        check_writable(target.parent)
        recover_folder(target)
    except OSError as error:
        raise BundleError(f"Cannot write {target}: {error}.") from error
    if not target.exists():
        return
    if not (target.is_dir() and (target / ABOUT).is_file()):
        raise BundleError(
            f"{target} exists and is not a bundle of emoclf, so it is left alone. "
            "Choose another name."
        )
    foreign = sorted({entry.name for entry in target.iterdir()} - _OWN)
    if foreign:
        raise BundleError(
            f"{target} also holds {shorten(foreign, 3)}, which emoclf did not write, "
            "so it is left alone. Choose another name, or move that away."
        )
    if not overwrite:
        raise BundleError(
            f"{target} exists. Choose another name, or replace it with "
            f"{setting('overwrite', True)}."
        )


def load_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Read a bundle, and check every byte of it.

    Raises
    ------
    BundleError
        If it is missing, incomplete, damaged, or newer than this emoclf.
    """
    source = bundle_place(path)
    if not source.exists() and folder_backup(source).is_dir():
        # A replacement was interrupted, or goes on; reading changes nothing.
        source = folder_backup(source)
    about = _read_about(source)
    _check_sums(source)
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
    """Read what a bundle reached, without its network.

    Raises
    ------
    BundleError
        If it is missing or damaged.
    """
    source = bundle_place(path)
    _read_about(source)
    _check_sums(source)
    return _read_json(source / FIGURES)


def _write_files(bundle: Bundle, folder: Path) -> None:
    parts = bundle.to_parts()
    np.savez_compressed(folder / TOKENIZER, **parts.tables)  # type: ignore[arg-type]
    np.savez(folder / WEIGHTS, **parts.weights)  # type: ignore[arg-type]
    documents = {
        ABOUT: _json(parts.about),
        SETTINGS: parts.settings,
        VOCABULARY: _json(parts.tokens),
        HISTORY: _json(parts.history),
        FIGURES: _json(parts.metrics),
        CARD: card(parts, max_length=bundle.encoder.max_length),
    }
    for name, document in documents.items():
        (folder / name).write_text(document, encoding="utf-8", newline="\n")
    sums = "".join(f"{_sha256(folder / name)}  {name}\n" for name in FILES)
    (folder / SUMS).write_text(sums, encoding="utf-8", newline="\n")
    for name in (*FILES, SUMS):
        with open(folder / name, "rb") as stream:
            os.fsync(stream.fileno())


def _json(value: Any) -> str:
    # ASCII: a lone surrogate in a label or a text must not break the file.
    return json.dumps(value, indent=1) + "\n"


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_about(source: Path) -> dict[str, Any]:
    if not source.is_dir():
        what = "is a file" if source.exists() else "does not exist"
        raise BundleError(
            f"{source} {what}. A bundle is the folder that 'emoclf train' writes."
        )
    try:
        about = json.loads((source / ABOUT).read_text("utf-8"))
        number = about["format"]
    except FileNotFoundError:
        raise BundleError(f"{source} is not a bundle: it has no {ABOUT}.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(
            f"{source / ABOUT} is damaged: {error}. Restore it from a copy, or train "
            "again."
        ) from error
    if not isinstance(number, int) or number > FORMAT:
        raise BundleError(
            f"{source} has format {number}; this emoclf reads up to {FORMAT}. "
            "Upgrade with: pip install -U emoclf"
        )
    return about


def _check_sums(source: Path) -> None:
    try:
        lines = (source / SUMS).read_text("utf-8").splitlines()
        sums = dict(line.split("  ", 1)[::-1] for line in lines)
    except (OSError, ValueError) as error:
        raise BundleError(
            f"{source / SUMS} cannot be read or is damaged ({error}). Restore it from "
            "a copy, or train again."
        ) from error
    for name in FILES:
        try:
            found = _sha256(source / name)
        except OSError as error:
            raise BundleError(
                f"{source} is incomplete: {name} cannot be read ({error}). Restore it "
                "from a copy, or train again."
            ) from error
        if found != sums.get(name):
            raise BundleError(
                f"{source / name} is damaged: its SHA-256 is {found[:12]}…, and "
                f"{SUMS} says {str(sums.get(name))[:12]}…. Restore it from a copy, or "
                "train again."
            )


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except zipfile.BadZipFile as error:
        raise BundleError(f"{path} is not an archive of arrays: {error}.") from error
