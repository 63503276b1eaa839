"""Writing files and folders so that nothing is ever half there."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

#: Of this process alone: in containers that share a disk, processes have equal numbers.
_OWN = f"{secrets.randbelow(10**9):09}"


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole, or as it was before."""
    with new_file(path) as stream:
        stream.write(data)


@contextmanager
def new_file(target: Path) -> Iterator[BinaryIO]:
    """Give a file to write, which takes the target's place when all went well.

    Parameters
    ----------
    target : Path
        Another file that stands here is replaced.

    Yields
    ------
    stream : binary stream
        Of a file beside the target, which is gone again if an error leaves the block.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}{_OWN}")
    try:
        with open(temporary, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    finally:
        # After the replacement, or where it could not be made, there is nothing.
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Give a folder to fill, which takes the target's place when all went well.

    A folder cannot be replaced in one step. Killed between the two, the old one is
    still there under another name, and :func:`recover_folder` puts it back.

    Parameters
    ----------
    target : Path
        Another folder that stands here is replaced.

    Yields
    ------
    folder : Path
        Beside the target, empty; it is gone again if an error leaves the block.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}{_OWN}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        _replace(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def folder_backup(target: Path) -> Path:
    """Return where a folder stands while another takes its place."""
    return target.with_name(f".{target.name}.before")


def recover_folder(target: Path) -> None:
    """Put back a folder whose replacement was interrupted."""
    backup = folder_backup(target)
    if backup.is_dir() and not target.exists():
        os.replace(backup, target)


def check_writable(folder: Path) -> None:
    """Make a folder, and raise OSError if no file can be made in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


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
