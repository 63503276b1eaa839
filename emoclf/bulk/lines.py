"""Lines of a stream as they come: at once what has arrived, however little it is."""

from __future__ import annotations

import codecs
import select
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from emoclf.datasets.cells import BadRow
from emoclf.datasets.data_files import guess_encoding
from emoclf.errors import setting

# About two thousand sentences.
PIECE = 1 << 18


def line_groups(stream: BinaryIO) -> Iterator[list[bytes]]:
    r"""Read lines in groups: at once what has arrived, however little it is.

    Somebody at a terminal, or a program that writes now and then, gets each answer
    before the next question; a file or a fast pipe is read in large pieces.

    Parameters
    ----------
    stream : binary stream with ``read1``

    Yields
    ------
    lines : list of bytes
        Without their ends; only ``\n`` ends a line. A byte order mark of UTF-8 at the
        beginning is left out.
    """
    begun: list[bytes] = []
    mark = codecs.BOM_UTF8
    while piece := stream.read1(PIECE):  # type: ignore[attr-defined]
        begun.append(piece)
        if b"\n" in piece:
            *lines, rest = b"".join(begun).removeprefix(mark).split(b"\n")
            begun, mark = [rest], b""
            yield lines
    if last := b"".join(begun).removeprefix(mark):
        yield [last]


class Lines:
    """The lines of all groups, one after the other.

    Parameters
    ----------
    groups : iterable of list of bytes
    stream : object, optional
        What the groups come from, to ask whether more is there already.
    """

    def __init__(self, groups: Iterable[list[bytes]], stream: Any = None) -> None:
        self._groups = groups
        self._stream = stream
        self._at_end = False

    def __iter__(self) -> Iterator[bytes]:
        for *others, last in self._groups:
            self._at_end = False
            yield from others
            self._at_end = True
            yield last

    @property
    def waits(self) -> bool:
        """Whether the next line has yet to be written by somebody."""
        return self._at_end and self._stream is not None and not _ready(self._stream)


def _ready(stream: Any) -> bool:
    try:
        return bool(select.select([stream], [], [], 0)[0])
    except (OSError, ValueError):
        # No file descriptor: what cannot be asked does not keep anybody waiting.
        return True


class Recoded:
    """A stream of UTF-16 or UTF-32 as UTF-8, whose lines end in the one byte.

    Parameters
    ----------
    stream : binary stream with ``read1``
    encoding : str
    """

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)()

    def read1(self, size: int) -> bytes:
        """Return some bytes, or none at the end."""
        while True:
            data = self._stream.read1(size)  # type: ignore[attr-defined]
            text = self._decoder.decode(data, final=not data)
            if text or not data:
                return text.encode()


def decode(line: bytes, encoding: str) -> str | BadRow:
    """Return a line as text, or which byte of it is wrong."""
    try:
        return line.decode(encoding)
    except UnicodeDecodeError as error:
        guess = guess_encoding(line)
        cure = f", or set {setting('encoding', guess)} if all lines have it"
        return BadRow(
            f"no {encoding}",
            f"byte {error.start}: this is not {encoding} (0x{line[error.start]:02x}, "
            f"{error.reason}). Mend it{cure if guess != encoding else ''}",
        )
