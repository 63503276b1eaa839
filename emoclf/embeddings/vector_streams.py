"""Streams of vector files: plain, compressed, or in a .zip archive."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from emoclf.datasets.data_files import GZIP_MAGIC, check_file, reading
from emoclf.errors import DataError, VectorsError, did_you_mean, setting

BLOCK_BYTES = 1 << 22
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BZIP2_MAGIC = re.compile(rb"BZh[1-9]1AY&SY")
XZ_MAGIC = b"\xfd7zXZ\x00"
#: First bytes of a .zip archive; the second: of an empty one.
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
MAX_SHOWN_NAMES = 8


@contextmanager
def open_stream(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, as it is or decompressed, after its byte-order mark.

    An error while reading becomes a VectorsError.
    """
    try:
        with reading(path):
            archive, member = split_member(path)
        with (
            reading(check_file(archive)),
            open(archive, "rb") as plain,
            _decompressed(plain, archive, member) as stream,
        ):
            if stream.read(len(BYTE_ORDER_MARK)) != BYTE_ORDER_MARK:
                stream.seek(0)
            yield stream
    except DataError as error:
        raise VectorsError(str(error)) from error
    except (lzma.LZMAError, zipfile.BadZipFile) as error:
        raise VectorsError(
            f"{path} is cut off or damaged ({error}). Make it or download it again."
        ) from None


def split_member(path: Path) -> tuple[Path, str | None]:
    """Return a file; for a path into a .zip, the archive and the name in it.

    Examples
    --------
    >>> split_member(Path("nowhere.txt"))
    (PosixPath('nowhere.txt'), None)
    """
    for archive in () if path.exists() else path.parents:
        if archive.is_file():
            return archive, path.relative_to(archive).as_posix()
    return path, None


def _decompressed(plain: IO[bytes], path: Path, member: str | None) -> IO[bytes]:
    """Return the stream of a file's content, which is recognised by its first bytes."""
    start = plain.read(10)
    plain.seek(0)
    if start.startswith(ZIP_MAGIC):
        return _open_member(plain, path, member)
    if member is not None:
        raise VectorsError(f"There is no {member} in {path}: it is not a .zip archive.")
    stream: Any = plain
    if start.startswith(GZIP_MAGIC):
        stream = gzip.GzipFile(fileobj=plain)
    elif BZIP2_MAGIC.match(start):
        stream = bz2.BZ2File(plain)
    elif start.startswith(XZ_MAGIC):
        stream = lzma.LZMAFile(plain)  # noqa: SIM115
    return stream


def _open_member(plain: IO[bytes], path: Path, member: str | None) -> IO[bytes]:
    """Return the stream of the named file, or of the only one, in a .zip archive."""
    try:
        archive = zipfile.ZipFile(plain)
    except NotImplementedError as error:
        raise VectorsError(f"{path} cannot be unzipped ({error}).") from None
    names = [
        name
        for name in archive.namelist()
        # macOS adds files of its own.
        if not name.endswith("/") and not name.startswith(("__MACOSX/", "."))
    ]
    if member is None and len(names) != 1:
        shown = ", ".join(names[:MAX_SHOWN_NAMES])
        raise VectorsError(
            f"{path} contains {len(names)} files: {shown}"
            f"{', …' if len(names) > MAX_SHOWN_NAMES else ''}. Name one of them, as in "
            f"{setting('vectors', str(path / names[0]))}."
            if names
            else f"{path} is a .zip archive without a file in it. Download it again."
        )
    try:
        name = member or names[0]
        # ZipExtFile alone reads lines slowly.
        return io.BufferedReader(cast(Any, archive.open(name)), BLOCK_BYTES)
    except KeyError:
        raise VectorsError(
            f"There is no file {member} in {path}.{did_you_mean(name, names)}"
        ) from None
    except RuntimeError as error:
        # A password, or a method that Python's zipfile does not know.
        raise VectorsError(
            f"{name} in {path} cannot be decompressed ({error}). Unzip it, and name "
            "the file that it contains."
        ) from None
