"""Where an export may stand; asked before the work, without TensorFlow."""

from __future__ import annotations

from pathlib import Path

from emoclf.errors import ExportError, setting
from emoclf.files import check_writable, recover_folder
from emoclf.serving.export_folder import ABOUT


def check_target(target: Path, *, overwrite: bool) -> None:
    """Refuse a target that must not or cannot be written, before any work is done.

    Raises
    ------
    ExportError
    """
    try:
        if not target.name:
            raise ExportError(f"{str(target)!r} cannot be an export. Name a folder.")
        check_writable(target.parent)
        recover_folder(target)
        there = target.exists()
    except (OSError, ValueError) as error:
        raise ExportError(f"Cannot write {target}: {error}.") from error
    if not there:
        return
    if not (target / ABOUT).is_file():
        raise ExportError(
            f"{target} is not an export of emoclf, so it is left alone. Choose another "
            "folder."
        )
    if not overwrite:
        raise ExportError(
            f"{target} exists. Choose another folder, or replace it with "
            f"{setting('overwrite', True)}."
        )
