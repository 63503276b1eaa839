"""Separators of cells, recognised by the first lines, and quotes by the whole file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence

from emoclf.datasets.columns import LABEL_NAMES, TEXT_NAMES
from emoclf.errors import SettingsError, setting

SEPARATORS = {"tab": "\t", "semicolon": ";", "comma": ",", "bar": "|"}
_WORDS = {**SEPARATORS, "pipe": "|", "space": " ", r"\t": "\t"}

# A cell and the separator after it; in quotes, a quote is written twice.
_CELLS = r'("(?:[^"]|"")*+"|[^"{0}]*+){0}'


def separator_character(value: str | None) -> str | None:
    """Return the character of a separator that may be named by a word.

    Raises
    ------
    SettingsError
        If it is not one character that can separate cells.
    """
    character = value if value is None else _WORDS.get(value.lower(), value)
    if character is None or (len(character) == 1 and character not in '"\r\n'):
        return character
    raise SettingsError(
        f"{setting('separator')} must be one character or one of "
        f"{', '.join(SEPARATORS)}. Got {value!r} instead."
    )


def separator_name(character: str) -> str:
    """Return the word for a separator, or the character in quotes."""
    return next((x for x, c in SEPARATORS.items() if c == character), repr(character))


def recognise_separator(lines: Sequence[str], usual: str | None = None) -> str | None:
    """Return the separator of the first lines where it is certain.

    Parameters
    ----------
    lines : sequence of str
        First lines, with their ends.
    usual : str, optional
        Separator that the ending tells; kept if it gives equal rows or a usual name.

    Returns
    -------
    separator : str or None
        The usual one unless another is certain: it alone cuts the first row into the
        usual names of texts and labels, or all rows into equally many cells.
    """
    rows = {c: _rows(lines, c) for c in SEPARATORS.values()}
    named = [c for c in rows if _has_names(rows[c])]
    even = [c for c in rows if _is_even(rows[c])]
    if usual != "," and _is_prose(rows[","]):
        even = [c for c in even if c != ","]
    if usual is not None and usual in (*named, *even):
        return usual
    for candidates in (named, even):
        if len(candidates) == 1:
            return candidates[0]
    return usual


def _rows(lines: Sequence[str], separator: str) -> list[list[str]]:
    """Return the rows, with quotes where that gives rows of equal length."""
    plain = [x.split(separator) for line in lines if (x := line.rstrip("\r\n"))]
    try:
        quoted = list(filter(None, csv.reader(lines, delimiter=separator, strict=True)))
    except csv.Error:  # a cut cell at the end, or a file without quoting
        return plain
    return quoted if _is_even(quoted) else plain


def _has_names(rows: Sequence[Sequence[str]]) -> bool:
    names = {cell.strip().strip('"').casefold() for cell in rows[0]} if rows else set()
    return not names.isdisjoint(TEXT_NAMES) and not names.isdisjoint(LABEL_NAMES)


def _is_even(rows: Sequence[Sequence[str]]) -> bool:
    return len(rows) > 1 and len(rows[0]) > 1 and len({*map(len, rows)}) == 1


def _is_prose(rows: Sequence[Sequence[str]]) -> bool:
    """Say whether commas are followed by spaces, as they are within sentences."""
    return all(cell.startswith(" ") for row in rows for cell in row[1:])


def is_quoted(lines: Iterable[str], separator: str) -> bool:
    r"""Say whether all quotes of a file are written as CSV writes them.

    Tab-separated files exist with quoting (pandas) and without (SemEval). A file with
    quoting has rows of equal length, no quote in a cell without quotes, and at least
    one cell that needs its quotes, or a column with quotes in all cells.

    Parameters
    ----------
    lines : iterable of str
        All lines, with their ends.
    separator : str

    Examples
    --------
    >>> is_quoted(['text\tlabel\n', '"a ""b"" c"\tx\n'], "\t")
    True
    >>> is_quoted(['text\tlabel\n', '"Oh no\tx\n', 'a "b" c\tx\n'], "\t")
    False
    """
    cells_of = re.compile(_CELLS.format(re.escape(separator))).findall
    width = n_rows = 0
    needs_quotes = False
    always_quoted: set[int] = set()
    row = ""
    for line in lines:
        row += line
        if row.count('"') % 2:
            if len(row) > csv.field_size_limit():
                return False
            continue
        row = row.rstrip("\r\n")
        if not row:
            continue
        cells = cells_of(row + separator)
        if sum(map(len, cells)) + len(cells) != len(row) + 1:
            return False
        if len(cells) != (width := width or len(cells)):
            return False
        quoted = {i for i, cell in enumerate(cells) if cell.startswith('"')}
        needs_quotes = needs_quotes or any(
            not {'"', separator, "\n"}.isdisjoint(cells[i][1:-1]) for i in quoted
        )
        if n_rows:  # the names of the columns may have no quotes
            always_quoted = quoted if n_rows == 1 else always_quoted & quoted
        n_rows += 1
        row = ""
    return not row and (needs_quotes or (n_rows > 2 and bool(always_quoted)))
