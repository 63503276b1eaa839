"""Write files and folders atomically."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from emoclf.errors import DataError, EmoclfError, setting

#: Unique for this process: containers that share a disk have equal process numbers.
_PROCESS_ID = f"{secrets.randbelow(10**9):09}"


def size_of(folder: Path) -> int:
    """Return the number of bytes of all files of a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file completely, or leave it as it was."""
    with new_file(path) as stream:
        stream.write(data)


@contextmanager
def new_file(target: Path) -> Iterator[BinaryIO]:
    """Yield a new file, which replaces the target if there is no error.

    Parameters
    ----------
    target : Path
        Path of the file; an existing file is replaced.

    Yields
    ------
    stream : binary stream
        Stream of a file beside the target, which is deleted after an error.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}{_PROCESS_ID}")
    try:
        with open(temporary, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    finally:
        # After the replacement, or if it was never made, the file does not exist.
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder, which replaces the target if there is no error.

    A folder is replaced in two steps. If the process is killed between them, the old
    folder exists under another name, and :func:`recover_folder` restores it.

    Parameters
    ----------
    target : Path
        Path of the folder; an existing folder is replaced.

    Yields
    ------
    folder : Path
        Empty folder beside the target, which is deleted after an error.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}{_PROCESS_ID}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        _replace(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def folder_backup(target: Path) -> Path:
    """Return the path of an old folder while it is replaced."""
    return target.with_name(f".{target.name}.before")


def recover_folder(target: Path) -> None:
    """Restore a folder whose replacement was interrupted."""
    backup = folder_backup(target)
    if backup.is_dir() and not target.exists():
        os.replace(backup, target)


def check_writable(folder: Path) -> None:
    """Make a folder, and raise OSError if no file can be created in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def check_new_file(
    path: Path, *, overwrite: bool, error: type[EmoclfError] = DataError
) -> None:
    """Raise an error if a file cannot be written or may not be replaced.

    Parameters
    ----------
    path : Path
    overwrite : bool
        Whether an existing file may be replaced.
    error : type of EmoclfError
    """
    try:
        if path.is_dir():
            raise error(f"{path} is a directory. Name a file in it.")
        if path.exists() and not overwrite:
            raise error(
                f"{path} is there already. Name another file, or replace it with "
                f"{setting('overwrite', True)}."
            )
        check_writable(path.parent)
    except OSError as reason:
        raise error(f"Cannot write {path}: {reason.strerror or reason}.") from reason


def _replace(temporary: Path, target: Path) -> None:
    backup = folder_backup(target)
    if target.exists():
        if backup.exists():
            shutil.rmtree(backup)
        os.replace(target, backup)
    try:
        os.replace(temporary, target)
    except OSError:
        recover_folder(target)
        raise
    shutil.rmtree(backup, ignore_errors=True)
