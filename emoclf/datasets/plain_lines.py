"""Texts without labels, one on each line."""

from __future__ import annotations

import logging
from itertools import chain

from emoclf.datasets.json_lines import first_lines, table_of_lines
from emoclf.datasets.recognition import is_text_object
from emoclf.datasets.records import Record, Table
from emoclf.datasets.source import Source

logger = logging.getLogger(__name__)


def read_plain_lines(source: Source) -> Table:
    """Return one record for each line, in the column ``text``.

    For prediction no line is bad: bytes that do not decode become U+FFFD, as in the
    graph of an export, so that they neither stop a stream of a million lines nor are
    dropped. Standard input whose first line is a JSON object with a text is read as
    JSON Lines, unless its format is given.
    """
    lines = source.lines()
    if source.path is None and source.settings.format is None:
        begin = first_lines(lines)
        lines = chain(begin, lines)
        if begin and is_text_object(begin[-1]):
            logger.info("%s is read as JSON Lines.", source.name)
            return table_of_lines(lines)
    if not source.labelled:
        source.replace_bytes()
    records = (
        Record(number, {"text": line.removesuffix("\r")})
        for number, line in enumerate(lines, 1)
    )
    return Table(["text"], records)
