"""Encodings of text files: their names, and suggestions when bytes do not decode."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from emoclf.datasets.cells import BadRow, shorten
from emoclf.errors import DataError, SettingsError, did_you_mean, setting

_COMMON_ENCODINGS = ("utf-8", "utf-16", "cp1252", "latin-1", "gb18030", "shift_jis")
_BYTE_ORDER_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Characters beyond ASCII in texts. Western accents come alone or in pairs; a letter and
# a sign ("Ã©") are UTF-8 read as this encoding.
_ACCENTS = "[‘’“”–—…€«»¿¡°£•]|(?<![À-ÿ])[{}]{{1,2}}(?![À-ÿ¡-¿])"
_ACCENTED = {
    "cp1252": re.compile(_ACCENTS.format("À-ÖØ-Üß-ïñ-öø-üŒœŠšŽž")),
    "cp1254": re.compile(_ACCENTS.format("ÂÇÎÖÛÜâçîöûüĞğİıŞş")),
}
# Other scripts come in runs; of Russian the most frequent letters are counted.
_SCRIPTS = {
    "euc_kr": re.compile("[가-힣]"),
    "shift_jis": re.compile("[ぁ-んァ-ヶー、。一-龯]"),
    "gb18030": re.compile("[一-龥、。,!?:;()“”《》]"),
    "cp1251": re.compile("[оеаинт]"),
    "koi8-r": re.compile("[оеаинт]"),
}
# Shares of these characters that are expected, where it is not nearly all.
_LOW_SHARES = {"cp1251": 0.35, "koi8-r": 0.35}
_USUAL_SHARE = 0.8
_RUN_BYTES = 2.5
_MIN_SCRIPT_CHARACTERS = 6


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


def undecodable_line(line: bytes, name: str) -> BadRow:
    """Return the error about a line that does not decode."""
    start, received = 0, ""
    try:
        line.decode(name)
    except UnicodeDecodeError as error:
        start = error.start
        received = f" (0x{line[start]:02x}, {error.reason})"
    guess = guess_encoding(line)
    advice = f", or set {setting('encoding', guess)} if all lines have it"
    return BadRow(
        f"no {name}",
        f"byte {start}: this is not {name}{received}. Correct it"
        f"{advice if guess not in (None, name) else ''}",
    )


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
    location, reason = "", str(error)
    try:
        data.decode(name)
    except UnicodeDecodeError as whole:
        before = data[: whole.start]
        if is_wide(name):
            before = before.decode(name, "replace").encode()
        line = 1 + before.count(b"\n")
        location = f"line {line}, byte {whole.start}: "
        reason = f"0x{data[whole.start]:02x}, {whole.reason}"
    except UnicodeError as whole:
        reason = str(whole)
    message = f"{location}this is not {name} ({reason})."
    guess = guess_encoding(data)
    if guess not in (None, name):
        message += f" It may be {guess}: set {setting('encoding', guess)}."
    elif not is_wide(name):
        message += _bad_lines(data.split(b"\n"), name)
    return (
        f"{message} Correct it, or read such bytes as U+FFFD with "
        f"{setting('encoding_errors', 'replace')}, or leave out their rows with "
        f"{setting('encoding_errors', 'skip')}."
    )


def _bad_lines(lines: list[bytes], name: str) -> str:
    numbers = [i for i, line in enumerate(lines, 1) if not _decodes(line, name)]
    if len(numbers) == len(lines):
        return ""
    first = shorten(map(str, numbers), 5)
    return f" {len(numbers):,} of {len(lines):,} lines have such bytes (line {first})."


def _decodes(data: bytes, name: str) -> bool:
    try:
        data.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def guess_encoding(data: bytes) -> str | None:
    """Return an encoding in which the bytes are language, as a suggestion only.

    Examples
    --------
    >>> guess_encoding("déjà vu".encode("cp1252"))
    'cp1252'
    """
    if marked := _marked_encoding(data):
        return marked
    text = data.decode("utf-8", "replace")
    n_bad = text.count("\ufffd")
    # Hardly any sequence of another encoding is valid UTF-8 by chance.
    if len(re.findall("[^\0-\x7f\ufffd]", text)) >= n_bad:
        return "utf-8" if not n_bad else None
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", data)]
    is_script = sum(runs) > _RUN_BYTES * len(runs)
    candidates = _SCRIPTS if is_script else _ACCENTED
    shares = {name: _usual_share(data, name, candidates[name]) for name in candidates}
    best = max(shares, key=shares.__getitem__)
    return best if shares[best] >= _LOW_SHARES.get(best, _USUAL_SHARE) else None


def _usual_share(data: bytes, name: str, usual: re.Pattern[str]) -> float:
    """Return the share of the characters beyond ASCII that are usual in a language."""
    try:
        text = data.decode(name)
    except UnicodeDecodeError:
        return 0.0
    beyond = len(re.sub("[\0-\x7f]", "", text))
    if re.search("[\0-\x08\x0e-\x1f\x7f-\x9f]", text) or (
        name in _SCRIPTS and beyond < _MIN_SCRIPT_CHARACTERS
    ):
        return 0.0
    matches = usual.findall(text)
    if name == "gb18030":  # the common characters come first in its table
        firsts = [x.encode("gb2312", "ignore")[:1] for x in matches]
        matches = [x for x in firsts if b"\xa1" <= x <= b"\xd7"]
    return sum(map(len, matches)) / max(beyond, 1)


def _marked_encoding(data: bytes) -> str | None:
    """Return the encoding of a byte order mark other than that of UTF-8."""
    return next(
        (name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), None
    )
