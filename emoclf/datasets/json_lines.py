"""JSON Lines files: one object on each line."""

from __future__ import annotations

import json

from emoclf.datasets.cells import BadRow
from emoclf.datasets.records import Record, Table
from emoclf.datasets.source import Source


def read_json_lines(source: Source) -> Table:
    """Return a record for each line that is not empty, with the keys of its object."""
    lines = enumerate(source.lines(), 1)
    return Table(None, (_record(*line) for line in lines if line[1].strip()))


def _record(number: int, line: str) -> Record:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        is_array = line.lstrip().startswith("[")
        advice = (
            "Write one object per line, without an array" if is_array else "Correct it"
        )
        bad = f"column {error.colno}: this is not JSON ({error.msg}). {advice}"
        return Record(number, {}, BadRow("no JSON", bad))
    except (ValueError, RecursionError) as error:  # endless digits, endless brackets
        bad = f"this is not JSON ({error}). Correct it"
        return Record(number, {}, BadRow("no JSON", bad))
    if isinstance(value, dict):
        return Record(number, value)
    bad = (
        'each line must be an object such as {"text": …, "label": …}. '
        f"Got {type(value).__name__} instead. Correct it"
    )
    return Record(number, {}, BadRow("no JSON object", bad))
