"""JSON Lines files: one object on each line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from emoclf.datasets.cells import BadRow
from emoclf.datasets.records import Record, Table
from emoclf.datasets.source import Source


def read_json_lines(source: Source) -> Table:
    """Return a record for each line that is not empty, with the keys of its object."""
    return Table(None, _records(source))


def _records(source: Source) -> Iterator[Record]:
    for number, line in enumerate(source.lines(), 1):
        if line.strip():
            values = parse_object(line)
            if isinstance(values, BadRow):
                yield Record(number, {}, values)
            else:
                yield Record(number, values)


def parse_object(line: str) -> dict[str, Any] | BadRow:
    """Return the object on a line, or the error if it is none."""
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        is_array = line.lstrip().startswith("[")
        advice = (
            "Write one object per line, without an array" if is_array else "Correct it"
        )
        reason = f"column {error.colno}: this is not JSON ({error.msg}). {advice}"
        return BadRow("no JSON", reason)
    except (ValueError, RecursionError) as error:  # endless digits, endless brackets
        return BadRow("no JSON", f"this is not JSON ({error}). Correct it")
    if isinstance(value, dict):
        return value
    return BadRow(
        "no JSON object",
        'each line must be an object such as {"text": …, "label": …}. '
        f"Got {type(value).__name__} instead. Correct it",
    )
