"""Recognise the format of a labelled file whose name does not tell it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from emoclf.datasets.columns import TEXT_NAMES
from emoclf.datasets.separators import recognise_separator

#: Lines by which a format or a separator is recognised.
HEAD_LINES = 200
#: Prefix of the labels in fastText's files.
LABEL_PREFIX = "__label__"

#: Beginning of an array of JSON objects.
JSON_ARRAY = re.compile(r"\s*\[\s*\{")


def recognise_format(lines: Sequence[str]) -> str | None:
    """Return the format of a file with these first lines, or None if it is not certain.

    Examples
    --------
    >>> recognise_format(["__label__joy They all came!"])
    'fasttext'
    """
    texts = [line for line in lines if line.strip()]
    if texts and all(line.startswith(LABEL_PREFIX) for line in texts):
        return "fasttext"
    if texts and (is_text_object(texts[0]) or JSON_ARRAY.match("".join(texts[:2]))):
        return "json"
    separator = recognise_separator(lines)
    return separator and ("tsv" if separator == "\t" else "csv")


def is_text_object(line: str) -> bool:
    """Say whether a line is a JSON object with a text under a usual key."""
    if not line.lstrip().startswith("{"):
        return False
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return any(
        isinstance(text, str) and key.strip().casefold() in TEXT_NAMES
        for key, text in values.items()
    )
