"""Texts without labels, one on each line."""

from __future__ import annotations

from emoclf.datasets.records import Record, Table
from emoclf.datasets.source import Source


def read_plain_lines(source: Source) -> Table:
    """Return one record for each line, in the column ``text``.

    No line is bad: bytes that do not decode become U+FFFD, as in the graph of an
    export, so that they neither stop a stream of a million lines nor are dropped.
    """
    source.replace_bytes()
    lines = enumerate(source.lines(), 1)
    records = (
        Record(number, {"text": line.removesuffix("\r")}) for number, line in lines
    )
    return Table(["text"], records)
