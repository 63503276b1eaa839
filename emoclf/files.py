"""Write files and folders atomically."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from emoclf.errors import DataError, EmoclfError, setting

#: Longest name of a file, in bytes, on all common file systems.
MAX_NAME_BYTES = 255
#: Beginning of the names of files and folders while they are written.
UNFINISHED = ".emoclf-"


def size_of(folder: Path) -> int:
    """Return the number of bytes of all files of a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file completely, or leave it as it was."""
    with new_file(path) as stream:
        stream.write(data)


@contextmanager
def new_file(target: Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """Yield a new file, which takes the target's place if there is no error.

    The file has the mode of the one that it replaces. Through a symbolic link the
    link's target is replaced. A pipe or a device is written to.

    Parameters
    ----------
    target : Path
    overwrite : bool, default=True
        Replace an existing file.

    Yields
    ------
    stream : binary stream
        Stream of a file beside the target, which is deleted after an error.

    Raises
    ------
    FileExistsError
        If ``overwrite`` is False and another process has written the target meanwhile.
    """
    mode = None
    with suppress(FileNotFoundError):
        mode = target.stat().st_mode
    if mode is not None and not stat.S_ISREG(mode):
        with open(target, "wb") as stream:
            yield stream
        return
    target = Path(os.path.realpath(target))
    _remove_leftovers(target)
    temporary, descriptor = _create(target, folder=False)
    try:
        with open(descriptor, "wb") as stream:
            if mode is not None and overwrite:
                os.chmod(temporary, stat.S_IMODE(mode))
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if overwrite:
            os.replace(temporary, target)
        else:
            _move_to_new(temporary, target)
    finally:
        # After the replacement, or if it was never made, the file does not exist.
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def new_folder(target: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Yield a new folder, which takes the target's place if there is no error.

    Through a symbolic link the link's target is replaced. A folder is replaced in two
    steps. If the process is killed between them, the old folder exists under another
    name, and :func:`recover_folder` restores it.

    Parameters
    ----------
    target : Path
    overwrite : bool, default=True
        Replace an existing folder.

    Yields
    ------
    folder : Path
        Empty folder beside the target, which is deleted after an error.

    Raises
    ------
    FileExistsError
        If ``overwrite`` is False and another process has written the target meanwhile.
    """
    target = Path(os.path.realpath(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(target)
    temporary, descriptor = _create(target, folder=True)
    try:
        yield temporary
        if overwrite:
            _replace(temporary, target)
        else:
            _move_folder_to_new(temporary, target)
    finally:
        os.close(descriptor)
        shutil.rmtree(temporary, ignore_errors=True)


def _prefix(target: Path) -> str:
    # Short, since the target's own name may be as long as the file system allows.
    return f"{UNFINISHED}{zlib.crc32(os.fsencode(target.name)):08x}-"


def _create(target: Path, *, folder: bool) -> tuple[Path, int]:
    """Return a new file or folder beside the target, and a descriptor that locks it."""
    while True:
        # Containers that share a disk have equal process numbers, so a random name.
        path = target.with_name(f"{_prefix(target)}{secrets.token_hex(6)}.part")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        if folder:
            path.mkdir()
            flags = os.O_RDONLY
        # Before it is locked, another process may take it for a leftover.
        with suppress(FileNotFoundError):
            descriptor = os.open(path, flags, 0o666)
            if _lock(descriptor) is not False and path.exists():
                return path, descriptor
            os.close(descriptor)


def _remove_leftovers(target: Path) -> None:
    """Remove what killed processes left of this target; others hold a lock."""
    for path in target.parent.glob(f"{_prefix(target)}*.part"):
        # It may be gone; and Windows opens no folder.
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                if _lock(descriptor):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            finally:
                os.close(descriptor)


def _lock(descriptor: int) -> bool | None:
    """Lock an open file until it is closed.

    Returns
    -------
    locked : bool or None
        False if another process has the lock; None if the file system has no locks.
    """
    try:
        import fcntl
    except ImportError:  # Windows does not delete open files
        return True if os.name == "nt" else None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _move_to_new(temporary: Path, target: Path) -> None:
    """Give a file its name, or raise FileExistsError if the name is taken."""
    try:
        os.link(temporary, target)  # unlike a renaming, never replaces a file
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links: an empty file claims the name.
        with open(target, "xb"):
            pass
        os.replace(temporary, target)


def _move_folder_to_new(temporary: Path, target: Path) -> None:
    """Give a folder its name, or raise FileExistsError if the name is taken."""
    try:
        # A folder that is not empty is never replaced.
        os.rename(temporary, target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise FileExistsError(errno.EEXIST, "exists", str(target)) from error
        raise


def folder_backup(target: Path) -> Path:
    """Return the path of an old folder while it is replaced."""
    target = Path(os.path.realpath(target))
    name = f".{target.name}.before"
    if len(os.fsencode(name)) > MAX_NAME_BYTES:
        name = f"{_prefix(target)}before"
    return target.with_name(name)


def recover_folder(target: Path) -> None:
    """Restore a folder whose replacement was interrupted."""
    target = Path(os.path.realpath(target))
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
        if path.is_file() and not overwrite:
            raise error(exists_already(path))
        # A pipe or a device is written to, and its folder may be closed to us.
        if path.is_file() or not path.exists():
            check_writable(Path(os.path.realpath(path)).parent)
    except OSError as reason:
        raise error(f"Cannot write {path}: {reason.strerror or reason}.") from reason


def exists_already(path: Path) -> str:
    """Return the message about a file that must not be replaced."""
    return (
        f"{path} exists already. Name another file, or replace it with "
        f"{setting('overwrite', True)}."
    )


def _replace(temporary: Path, target: Path) -> None:
    backup = folder_backup(target)
    if target.exists():
        if backup.is_symlink():  # emoclf 0.3.0 and before renamed links
            backup.unlink()
        elif backup.exists():
            shutil.rmtree(backup)
        os.replace(target, backup)
    try:
        os.replace(temporary, target)
    except OSError:
        recover_folder(target)
        raise
    shutil.rmtree(backup, ignore_errors=True)
