"""fastText's files: a text on each line, with labels that begin with ``__label__``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from emoclf.datasets.columns import Columns
from emoclf.datasets.recognition import LABEL_PREFIX
from emoclf.datasets.records import Record, Table
from emoclf.datasets.source import Source

_LABEL = re.compile(rf"(?<!\S){LABEL_PREFIX}(\S+)\s*")


def read_fasttext(source: Source) -> Table:
    """Return one record for each line, in the columns ``text`` and ``label``.

    For training, all lines have lists of labels if one has several.
    """

    def labelled(columns: Columns) -> Iterator[Record]:
        lines = list(records)
        if any(isinstance(line.values["label"], list) for line in lines):
            for line in lines:
                label = line.values["label"]
                if not isinstance(label, list):
                    line.values["label"] = [] if label is None else [label]
        return iter(lines)

    records = (
        _record(number, line)
        for number, line in enumerate(source.lines(), 1)
        if line.strip()
    )
    return Table(["text", "label"], records, "", labelled)


def _record(number: int, line: str) -> Record:
    labels = _LABEL.findall(line)
    label = labels if len(labels) > 1 else next(iter(labels), None)
    return Record(number, {"text": _LABEL.sub("", line).strip(), "label": label})
