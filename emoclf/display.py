"""Short representations of public objects, and their tables in notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

#: Code points that change what a terminal or a page shows around them: the controls of
#: C0 and C1, separators of lines, and directions that override others.
CONTROLS = ((0, 32), (127, 160), (0x2028, 0x202F), (0x2066, 0x206A))
#: Marks of a direction, which words of some scripts contain.
MARKS = ((0x61C, 0x61D), (0x200E, 0x2010))
_ESCAPES = {
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    for codes in (*CONTROLS, *MARKS)
    for code in range(*codes)
}
_LINE_ESCAPES = {x: _ESCAPES[x] for x in _ESCAPES if x not in (ord("\t"), ord("\n"))}
MAX_SHOWN_NAMES = 8
MAX_SHOWN_CHARACTERS = 80


def printable(text: object, *, lines: bool = False) -> str:
    """Return a text for people, with escapes for what would change a terminal.

    Parameters
    ----------
    text : object
    lines : bool, default=False
        Keep line breaks and tabs.

    Examples
    --------
    >>> print(printable("a\\x1b[2J\\nb"))
    a\\x1b[2J\\x0ab
    """
    return str(text).translate(_LINE_ESCAPES if lines else _ESCAPES)


def has_controls(text: str) -> bool:
    """Say whether a text has characters that no name should have."""
    return any(first <= ord(x) < end for x in text for first, end in CONTROLS)


def short_names(names: Sequence[str]) -> str:
    """Return the number of names and the first of them.

    Examples
    --------
    >>> short_names(["anger", "joy"])
    '2 (anger, joy)'
    """
    shown = ", ".join(map(str, names[:MAX_SHOWN_NAMES]))
    more = ", …" if len(names) > MAX_SHOWN_NAMES else ""
    return f"{len(names)} ({shown}{more})"


def count_of(noun: str, count: int) -> str:
    """Return a count with its noun, such as "1 trial" or "2,000 trials"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def shorten_text(text: str, length: int = MAX_SHOWN_CHARACTERS) -> str:
    """Return a text that ends with "…" if it is longer than ``length``."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def align(rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Align the first ``left`` columns to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def html_table(
    header: Sequence[object], rows: Iterable[Sequence[object]], *, caption: str = ""
) -> str:
    """Return a table as HTML, with everything in it escaped."""
    from html import escape  # Only notebooks need it.

    def row(cells: Sequence[object], tag: str) -> str:
        content = "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells)
        return f"<tr>{content}</tr>"

    head = row(header, "th") if header else ""
    body = "".join(row(cells, "td") for cells in rows)
    return f"<p>{escape(caption)}</p><table>{head}{body}</table>"


def wrap_lines(lines: Iterable[str]) -> list[str]:
    """Break lines at spaces after 80 characters; the rest of a line is indented.

    Examples
    --------
    >>> wrap_lines(["  " + 20 * "four "])[1]
    '    four four four four four'
    """
    import textwrap  # Most programs print nothing.

    wrapped = []
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        parts = textwrap.wrap(
            line,
            MAX_SHOWN_CHARACTERS,
            subsequent_indent=indent,
            break_on_hyphens=False,
            break_long_words=False,
            replace_whitespace=False,
        )
        wrapped += parts or [""]
    return wrapped


class Described:
    """Base class of objects that are shown as a few facts."""

    def _facts(self) -> dict[str, object]:
        raise NotImplementedError

    def __repr__(self) -> str:
        facts = ", ".join(f"{name} {value}" for name, value in self._facts().items())
        return f"<{type(self).__name__}: {printable(facts)}>"

    def _repr_html_(self) -> str:
        return html_table((), self._facts().items(), caption=type(self).__name__)


class HtmlLines(Described):
    """Base class of objects with a method ``lines``, which notebooks show."""

    def lines(self) -> list[str]:
        """Return the object as lines of text."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return html_lines(self.lines())


def html_lines(lines: Iterable[Any]) -> str:
    """Return lines of text as HTML."""
    from html import escape

    return f"<pre>{escape(chr(10).join(map(str, lines)))}</pre>"
