"""Encodings of text files: their names, and suggestions when bytes do not decode."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from emoclf.datasets.cells import BadRow
from emoclf.errors import DataError, SettingsError, did_you_mean, setting

_COMMON_ENCODINGS = ("utf-8", "utf-16", "cp1252", "latin-1", "gb18030", "shift_jis")
_BYTE_ORDER_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def codec_name(encoding: str) -> str:
    """Return Python's name of an encoding.

    Raises
    ------
    SettingsError
        If there is no such encoding.
    """
    try:
        "".encode(encoding)  # a LookupError also for codecs that hold no text
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        raise SettingsError(
            f"There is no encoding {encoding!r}."
            f"{did_you_mean(encoding, _COMMON_ENCODINGS)} "
            f"Common ones: {', '.join(_COMMON_ENCODINGS)}."
        ) from None


def is_wide(name: str) -> bool:
    """Say whether an encoding has two or four bytes for every letter."""
    return name.startswith(("utf-16", "utf-32"))


def check_head(path: Path | str, head: bytes, name: str) -> None:
    """Raise DataError if a file begins like UTF-16 or UTF-32 but is read as another.

    Raises
    ------
    DataError
    """
    if is_wide(name):
        return
    guess = _marked_encoding(head)
    # UTF-16 without a mark is valid UTF-8 as long as its letters are Latin.
    if guess is None and head.count(0) > 0.3 * len(head):
        guess = "utf-16-be" if head[:1] == b"\0" else "utf-16-le"
    if guess:
        raise DataError(
            f"{path}, line 1, byte 0: this is not {name}; it looks like {guess}. "
            f"Set {setting('encoding', guess)}."
        )


def undecodable_line(line: bytes, name: str) -> BadRow | None:
    """Return the error about a line that does not decode, or None if it does."""
    try:
        line.decode(name)
    except UnicodeDecodeError as error:
        guess = guess_encoding(line)
        advice = f", or set {setting('encoding', guess)} if all lines have it"
        return BadRow(
            f"no {name}",
            f"byte {error.start}: this is not {name} (0x{line[error.start]:02x}, "
            f"{error.reason}). Correct it{advice if guess != name else ''}",
        )
    return None


def undecodable_file(data: bytes, name: str, error: UnicodeError) -> str:
    """Return the message about a whole file that does not decode.

    Parameters
    ----------
    data : bytes
    name : str
    error : UnicodeError
        Error of the stream, which decodes in pieces: only the whole file tells the
        true offset.
    """
    start, line, received = 0, 1, f" ({error})"
    try:
        data.decode(name)
    except UnicodeDecodeError as whole:
        start = whole.start
        received = f" (0x{data[start]:02x}, {whole.reason})"
        before = data[:start]
        if is_wide(name):
            before = before.decode(name, "replace").encode()
        line += before.count(b"\n")
    except UnicodeError as whole:
        received = f" ({whole})"
    guess = guess_encoding(data)
    advice = f" It may be {guess}: set {setting('encoding', guess)}."
    if guess == name:
        advice = ""
    return f"line {line}, byte {start}: this is not {name}{received}.{advice}"


def guess_encoding(data: bytes) -> str:
    """Return an encoding in which the bytes make sense, as a suggestion only.

    Examples
    --------
    >>> guess_encoding("déjà vu".encode("cp1252"))
    'cp1252'
    """
    if marked := _marked_encoding(data):
        return marked
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


def _marked_encoding(data: bytes) -> str | None:
    """Return the encoding of a byte order mark other than that of UTF-8."""
    return next(
        (name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), None
    )
