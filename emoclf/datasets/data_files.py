"""Open a data file, plain or gzipped, and give its lines as text."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from emoclf.errors import DataError, SettingsError, did_you_mean, setting

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}

GZIP = b"\x1f\x8b"

_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def file_format(path: str | os.PathLike[str]) -> tuple[Path, str, bool]:
    """Return the path, its format (csv, tsv, jsonl, parquet) and whether it is gzipped.

    Raises
    ------
    DataError
        If there is no such file, it is a directory, or its ending is not known.
    """
    path = check_file(path)
    ending, compressed = ending_of(path)
    if ending not in FORMATS:
        raise DataError(
            f"{path} ends in none of {', '.join(FORMATS)}, plain or with .gz. "
            "Rename it, or save it in one of these formats."
        )
    return path, FORMATS[ending], compressed


def check_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file that is there.

    Raises
    ------
    DataError
        If there is no such file, or it is a directory.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise DataError(f"{path} is a directory. Name a file in it.")
        if not path.exists():
            folder = path.parent
            beside = {p.name for p in folder.iterdir()} if folder.is_dir() else set()
            near = did_you_mean(path.name, beside - {path.name})
            raise DataError(f"There is no file {path}.{near}")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None
    return path


def ending_of(path: Path) -> tuple[str, bool]:
    """Return the ending that says the format, in lower case, and whether .gz follows.

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
def open_bytes(path: Path, *, compressed: bool) -> Iterator[IO[bytes]]:
    """Open a file for reading; what goes wrong on the way is a DataError."""
    with (
        reading(path),
        gzip.open(path, "rb") if compressed else open(path, "rb") as stream,
    ):
        head = stream.peek(4)[:4]
        if not head:
            raise DataError(f"{path} is empty.")
        if not compressed and head[:2] == GZIP:
            raise DataError(
                f"{path} is compressed with gzip. Rename it to {path.name}.gz."
            )
        yield cast(IO[bytes], stream)


@contextmanager
def reading(path: Path | str) -> Iterator[None]:
    """Turn what goes wrong in reading a file or a stream into a DataError."""
    try:
        yield
    except gzip.BadGzipFile as error:
        raise DataError(
            f"{path} is not a sound gzip file ({error}). Rename it if it is not "
            "compressed, or make it again."
        ) from None
    except (EOFError, zlib.error) as error:
        raise DataError(
            f"{path} is cut off or damaged ({error}). Make it or fetch it again."
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None


def read_lines(path: Path, *, encoding: str, compressed: bool) -> Iterator[str]:
    r"""Yield the lines of a text file with their ends; only ``\n`` ends a line.

    Raises
    ------
    DataError
        If the file is empty or damaged, or does not decode; the message names the
        line, the byte and an encoding that does decode.
    SettingsError
        If there is no such encoding.
    """
    name = codec_name(encoding)
    with open_bytes(path, compressed=compressed) as stream:
        check_head(path, cast(gzip.GzipFile, stream).peek(4096)[:4096], name)
        wrapped = io.TextIOWrapper(
            stream, encoding="utf-8-sig" if name == "utf-8" else name, newline="\n"
        )
        try:
            yield from wrapped
        except UnicodeError as error:
            with open_bytes(path, compressed=compressed) as again:
                message = _wrong_encoding(again.read(), name, error)
            raise DataError(f"{path}, {message}") from None


def codec_name(encoding: str) -> str:
    """Return the one name of an encoding.

    Raises
    ------
    SettingsError
        If there is no such encoding.
    """
    try:
        "".encode(encoding)  # a LookupError also for codecs that hold no text
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        known = ("utf-8", "utf-16", "cp1252", "latin-1", "gb18030", "shift_jis")
        raise SettingsError(
            f"There is no encoding {encoding!r}.{did_you_mean(encoding, known)} "
            f"Common ones: {', '.join(known)}."
        ) from None


def check_head(path: Path | str, head: bytes, name: str) -> None:
    """Refuse a file that begins as UTF-16 or UTF-32 does, but is read as another.

    Raises
    ------
    DataError
    """
    if name.startswith(("utf-16", "utf-32")):
        return
    guess = next((other for mark, other in _MARKS if head.startswith(mark)), None)
    # UTF-16 without a mark is valid UTF-8 as long as its letters are Latin.
    if guess is None and head.count(0) > 0.3 * len(head):
        guess = "utf-16-be" if head[:1] == b"\0" else "utf-16-le"
    if guess:
        raise DataError(
            f"{path}, line 1, byte 0: this is not {name}; it looks like {guess}. "
            f"Set {setting('encoding', guess)}."
        )


def _wrong_encoding(data: bytes, name: str, error: UnicodeError) -> str:
    # The stream decodes in pieces: only the whole file tells the true offset.
    try:
        data.decode(name)
    except UnicodeDecodeError as whole:
        start, reason = whole.start, whole.reason
        wide = name.startswith(("utf-16", "utf-32"))
        before = data[:start].decode(name, "replace").encode() if wide else data[:start]
        line = before.count(b"\n") + 1
        received = f" (0x{data[start]:02x}, {reason})"
    except UnicodeError as whole:
        start, line, received = 0, 1, f" ({whole})"
    else:
        start, line, received = 0, 1, f" ({error})"
    guess = guess_encoding(data)
    advice = f" It may be {guess}: set {setting('encoding', guess)}."
    hint = advice if guess != name else ""
    return f"line {line}, byte {start}: this is not {name}{received}.{hint}"


def guess_encoding(data: bytes) -> str:
    """Return an encoding in which the bytes make sense, as a suggestion only.

    Examples
    --------
    >>> guess_encoding("déjà vu".encode("cp1252"))
    'cp1252'
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", data)]
    mean_run = sum(runs) / len(runs) if runs else 0.0
    candidates = ["utf-8", "cp1252", "latin-1"]
    if mean_run > 2.5:  # other scripts come in runs, accents come alone
        candidates[1:1] = ["gb18030", "cp1251"]
    for name in candidates:
        try:
            data.decode(name)
        except UnicodeDecodeError:
            continue
        return name
    return "latin-1"
