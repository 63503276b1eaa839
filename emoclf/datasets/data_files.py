"""Paths of data files: whether they exist, their endings, and errors of reading."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emoclf.errors import DataError, did_you_mean, wrong_kind

GZIP_MAGIC = b"\x1f\x8b"


def check_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file that exists.

    Raises
    ------
    DataError
        If there is no such file, or it is a directory.
    """
    if not isinstance(path, str | os.PathLike):
        cure = "write its content to a file first"
        if hasattr(path, "iloc"):
            cure = "use Dataset.from_frame for a DataFrame"
        raise DataError(wrong_kind("path", "the path of a file", path, cure))
    path = Path(path)
    try:
        if path.is_dir():
            raise DataError(f"{path} is a directory. Name a file in it.")
        if not path.exists():
            folder = path.parent
            names = {p.name for p in folder.iterdir()} if folder.is_dir() else set()
            suggestion = did_you_mean(path.name, names - {path.name})
            raise DataError(f"There is no file {path}.{suggestion}")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None
    return path


def ending_of(path: Path) -> tuple[str, bool]:
    """Return the ending that names the format, in lower case, and whether .gz follows.

    Examples
    --------
    >>> ending_of(Path("reviews.CSV.gz"))
    ('.csv', True)
    """
    endings = [ending.lower() for ending in path.suffixes]
    compressed = endings[-1:] == [".gz"]
    ending = (endings[:-1] if compressed else endings)[-1:]
    return (ending[0] if ending else ""), compressed


@contextmanager
def reading(path: Path | str) -> Iterator[None]:
    """Raise what goes wrong in reading a file or a stream as DataError."""
    try:
        yield
    except gzip.BadGzipFile as error:
        raise DataError(
            f"{path} is not a valid gzip file ({error}). Rename it if it is not "
            "compressed, or make it again."
        ) from None
    except (EOFError, zlib.error) as error:
        raise DataError(
            f"{path} is cut off or damaged ({error}). Make it or download it again."
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None
