"""Make the tables over code points from this interpreter's Unicode.

``python tests/make_code_points.py`` writes the file of the package. It is run once for
each version of Unicode, so that it is no part of what users install.
"""

from __future__ import annotations

import sys
import unicodedata

import numpy as np

from emoclf.text import code_points
from emoclf.text.code_points import CodePoints

REPLACEMENT = 0xFFFD


def _codes(*ranges: tuple[int, int]) -> frozenset[int]:
    """Return the code points of ranges, which include their ends."""
    return frozenset(code for first, last in ranges for code in range(first, last + 1))


# Scripts that do not put spaces between words (Unicode, Blocks.txt).
_ALONE = _codes(
    (0x0E00, 0x0E7F),  # Thai
    (0x0E80, 0x0EFF),  # Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # CJK radicals
    (0x3005, 0x3007),  # ideographic iteration, closing and zero marks
    (0x3021, 0x3029),  # Hangzhou numerals
    (0x3040, 0x312F),  # Hiragana, Katakana, Bopomofo
    (0x31A0, 0x31BF),  # Bopomofo extended
    (0x31F0, 0x31FF),  # Katakana extensions
    (0x3400, 0x4DBF),  # CJK extension A
    (0x4E00, 0x9FFF),  # CJK unified ideographs
    (0xA9E0, 0xA9FF),  # Myanmar extended B
    (0xAA60, 0xAA7F),  # Myanmar extended A
    (0xF900, 0xFAFF),  # CJK compatibility ideographs
    (0xFF66, 0xFF9D),  # halfwidth Katakana
    (0x1B000, 0x1B16F),  # Kana supplement and extensions
    (0x20000, 0x3FFFD),  # CJK extensions B and later
)
_EMOJI = _codes(
    (0x203C, 0x203C),
    (0x2049, 0x2049),
    (0x2190, 0x21FF),
    (0x2300, 0x23FF),
    (0x2600, 0x27BF),
    (0x2934, 0x2935),
    (0x2B00, 0x2BFF),
    (0x1F000, 0x1F1E5),
    (0x1F200, 0x1FAFF),
)
_APOSTROPHES = (0x27, 0x2019, 0x02BC, 0x60, 0xB4)


def _half_width(code: int) -> int:
    """Return the ASCII form of a full-width one: Chinese texts write "！" and "!"."""
    return code - 0xFEE0 if 0xFF01 <= code <= 0xFF5E else code


def _class_of(code: int) -> str:
    code = _half_width(code)
    char = chr(code)
    category = unicodedata.category(char)
    if code in _APOSTROPHES:
        return code_points.APOSTROPHE
    if char in code_points.RUNS:
        return char
    if code == 0x200D:
        return code_points.JOINER
    if 0x1F3FB <= code <= 0x1F3FF:
        return code_points.TONE
    if 0x1F1E6 <= code <= 0x1F1FF:
        return code_points.FLAG
    # Zero-width non-joiners, soft hyphens and tags belong to the word around them.
    if category[0] == "M" or code in (0x200C, 0xAD) or 0xE0020 <= code <= 0xE007F:
        return code_points.MARK
    if category in ("Zs", "Zl", "Zp", "Cc", "Cf") or char.isspace():
        return code_points.SPACE
    if code in _ALONE and category not in ("Cn", "Nd") and category[0] != "P":
        return code_points.ALONE
    # "Cn" too: Unicode keeps these places for emoji, and phones send the newest ones.
    if code in _EMOJI and category in ("So", "Sm", "Sk", "Po", "Cn"):
        return code_points.EMOJI
    if category in ("Nd", "No"):
        return code_points.DIGIT
    return (
        code_points.LETTER
        if category[0] == "L" or category == "Nl"
        else code_points.OTHER
    )


def _forms_of(code: int) -> tuple[int, int]:
    """Return the lower-case and the plain form of a code point."""
    code = _half_width(code)
    if 0xD800 <= code <= 0xDFFF:
        return REPLACEMENT, REPLACEMENT
    if code in _APOSTROPHES:
        return 0x27, 0x27
    if code == 0x130:
        # Its lower case has two code points, a dotted i and a mark; use the i alone.
        return ord("i"), code
    lower = chr(code).lower()
    return (ord(lower) if len(lower) == 1 else code), code


def build() -> CodePoints:
    """Return the tables."""
    forms = np.array([_forms_of(code) for code in range(code_points.SIZE)], np.int32)
    classes = np.frombuffer(
        "".join(map(_class_of, range(code_points.SIZE))).encode(), np.uint8
    )
    return CodePoints(classes, forms[:, 0].copy(), forms[:, 1].copy())


if __name__ == "__main__":
    version = np.array(unicodedata.unidata_version)
    arrays = {**code_points.pack(build()), code_points.VERSION: version}
    np.savez_compressed(code_points.FILE, **arrays)  # type: ignore[arg-type]
    sys.stdout.write(
        f"{code_points.FILE.name}: Unicode {unicodedata.unidata_version}, "
        f"{code_points.FILE.stat().st_size} bytes\n"
    )
