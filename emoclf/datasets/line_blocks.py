"""Lines of a stream as soon as they arrive, in blocks of whole lines."""

from __future__ import annotations

import codecs
import select
from collections.abc import Iterator
from typing import Any, BinaryIO

# About two thousand sentences.
BLOCK_BYTES = 1 << 18


def line_blocks(stream: BinaryIO, limit: int) -> Iterator[bytes | None]:
    r"""Read whole lines, as many as have arrived.

    A person at a terminal, or a program that writes now and then, gets each prediction
    before the next line; a file or a fast pipe is read in large blocks.

    Parameters
    ----------
    stream : binary stream with ``read1``
    limit : int
        Number of bytes of an unfinished line from which on it is not kept.

    Yields
    ------
    block : bytes or None
        Lines with their ends; only ``\n`` ends a line. A byte order mark of UTF-8 at
        the beginning is left out. None stands for a line above the limit.
    """
    unfinished: list[bytes] = []
    size = 0
    mark = codecs.BOM_UTF8
    while piece := stream.read1(BLOCK_BYTES):  # type: ignore[attr-defined]
        if size > limit:
            _, newline, piece = piece.partition(b"\n")
            if not newline:
                continue
            size = 0
        lines, newline, rest = piece.rpartition(b"\n")
        if newline:
            yield b"".join([*unfinished, lines, newline]).removeprefix(mark)
            unfinished, size, mark = [], 0, b""
        unfinished.append(rest)
        size += len(rest)
        if size > limit:
            unfinished, mark = [], b""
            yield None
    if last := b"".join(unfinished).removeprefix(mark):
        yield last


def is_ready(stream: Any) -> bool:
    """Say whether a stream can be read without waiting."""
    try:
        return bool(select.select([stream], [], [], 0)[0])
    except (OSError, ValueError):
        # A stream without a file descriptor has all of its data already.
        return True


class Recoded:
    """A stream of UTF-16 or UTF-32 as UTF-8, in which a line ends with one byte.

    Parameters
    ----------
    stream : binary stream with ``read1``
    encoding : str
    errors : {"strict", "replace"}
    """

    def __init__(self, stream: BinaryIO, encoding: str, errors: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)

    def read1(self, size: int) -> bytes:
        """Return some bytes, or none at the end."""
        while True:
            data = self._stream.read1(size)  # type: ignore[attr-defined]
            text = self._decoder.decode(data, final=not data)
            if text or not data:
                return text.encode()
