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
import math
import os
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from emoclf.bundle.bundle import Bundle, BundleParts
from emoclf.bundle.described_folder import (
    BUNDLE,
    CARD,
    PART_FILES,
    readable_place,
    reading,
    write_sums,
)
from emoclf.bundle.json_values import JsonObject, read_json
from emoclf.bundle.model_card import card
from emoclf.errors import BundleError, setting, wrong_kind

#: Bytes of the tables of a tokenizer (10 MB), which are compressed: a small archive can
#: declare many more.
MAX_COMPRESSED_BYTES = 1 << 25


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
    if not isinstance(bundle, Bundle):
        cure = "use its method save" if hasattr(bundle, "save") else ""
        raise BundleError(wrong_kind("bundle", "a Bundle", bundle, cure))
    with BUNDLE.new_folder(path, overwrite=overwrite) as folder:
        parts = bundle.to_parts()
        for field, name in PART_FILES.items():
            write_part(folder / name, getattr(parts, field))
        write_part(folder / CARD, card(bundle, parts.about, loader="Predictor.load"))
        write_sums(folder, BUNDLE.files)
    return BUNDLE.place(path)


def load_bundle(
    path: str | os.PathLike[str], *, encoder: str | os.PathLike[str] | None = None
) -> Bundle:
    """Read a bundle, and check all of its files.

    Parameters
    ----------
    path : path
    encoder : path, optional
        Folder of the transformer encoder that the classifier was trained with, if it
        is in another place now.

    Raises
    ------
    BundleError
        If it is missing, incomplete, damaged, or newer than this emoclf.
    """
    source, about = _open(path)
    with reading(source, about):
        parts = {field: read_part(source / name) for field, name in PART_FILES.items()}
        bundle = BundleParts(**parts).to_bundle()
        return bundle if encoder is None else _with_encoder(bundle, encoder)


def _with_encoder(bundle: Bundle, encoder: str | os.PathLike[str]) -> Bundle:
    """Return the bundle with another place of its encoder."""
    if bundle.inputs is None or bundle.inputs.encoder is None:
        raise BundleError(
            f"{setting('encoder', os.fspath(encoder))} is for classifiers that were "
            "trained with a transformer encoder, but this one was not. Leave it out."
        )
    return replace(bundle, inputs=bundle.inputs.at(os.fspath(encoder)))


def read_metrics(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the metrics of a bundle, without its network.

    Raises
    ------
    BundleError
        If it is missing or damaged.
    """
    file = _open(path)[0] / PART_FILES["metrics"]
    try:
        return JsonObject(read_json(file)).values
    except (OSError, ValueError) as error:
        raise BUNDLE.damaged(file, error) from error


def _open(path: str | os.PathLike[str]) -> tuple[Path, dict[str, Any]]:
    """Return the folder to read and its description, with all files checked."""
    source = readable_place(BUNDLE.place(path))
    about = BUNDLE.read_about(source)
    BUNDLE.check_sums(source)
    return source, about


def write_part(path: Path, value: Any) -> None:
    """Write arrays, a text, or plain values as JSON, by the ending of the name."""
    if path.suffix == ".npz":
        # Weights do not shrink; the tables of a tokenizer do.
        save = (
            np.savez
            if path.name.endswith(PART_FILES["weights"])
            else np.savez_compressed
        )
        save(path, **value)
        return
    if path.suffix == ".json":
        # ASCII: a lone surrogate in a label or a text must not break the file.
        value = json.dumps(value, indent=1) + "\n"
    path.write_text(value, encoding="utf-8", newline="\n")


def read_part(path: Path) -> Any:
    """Read what :func:`write_part` wrote."""
    if path.suffix == ".npz":
        try:
            with open(path, "rb") as file:
                _check_declared_sizes(file)
                with np.load(file, allow_pickle=False) as arrays:
                    return {name: arrays[name] for name in arrays.files}
        except zipfile.BadZipFile as error:
            raise BundleError(
                f"{path} is not an archive of arrays: {error}."
            ) from error
    return read_json(path) if path.suffix == ".json" else path.read_text("utf-8")


def _check_declared_sizes(file: BinaryIO) -> None:
    """Check that arrays have the bytes that they declare, before those are allocated.

    Arrays without compression are not larger than their file.

    Raises
    ------
    BundleError
    """
    formats = np.lib.format
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        packed = [x for x in members if x.compress_type != zipfile.ZIP_STORED]
        if sum(member.file_size for member in packed) > MAX_COMPRESSED_BYTES:
            raise BundleError(
                f"Its compressed arrays have more than {MAX_COMPRESSED_BYTES:,} bytes."
            )
        for member in members:
            with archive.open(member) as stream:
                version = formats.read_magic(stream)
                read = getattr(formats, f"read_array_header_{version[0]}_0")
                shape, _, dtype = read(stream)
                size = stream.tell() + math.prod(shape) * dtype.itemsize
            if size != member.file_size:
                raise BundleError(
                    f"{member.filename} declares {size:,} bytes. Got "
                    f"{member.file_size:,}."
                )
    file.seek(0)
