"""Rows of JSON Lines files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from emoclf.datasets.cells import BadRow, shorten
from emoclf.datasets.columns import Columns, find_columns
from emoclf.datasets.rows import Row, part_cell
from emoclf.errors import DataError, did_you_mean
from emoclf.settings import DataSettings

# A key may be left out of an object: so many objects are asked for their keys.
_LOOK_AHEAD = 1000


def read_json_lines(
    lines: Iterator[str], settings: DataSettings, *, source: str
) -> Iterator[Row]:
    """Yield the rows of a JSON Lines file, one object per line; empty lines hold none.

    Raises
    ------
    DataError
        If no object has the columns that are wanted.
    """
    objects = (
        (number, parse_object(line))
        for number, line in enumerate(lines, 1)
        if line.strip()
    )
    first = list(islice(objects, _LOOK_AHEAD))
    keys = dict.fromkeys(
        key for _, found in first if isinstance(found, dict) for key in found
    )
    if not keys:
        number, found = first[0] if first else (1, BadRow("", "no object"))
        raise DataError(f"{source}, line {number}: {found}.")
    names = list(keys)
    columns = find_columns(names, settings, source=source)
    for number, found in chain(first, objects):
        if isinstance(found, BadRow):
            yield Row(number, bad=found)
        else:
            yield _row(number, found, names, columns)


def parse_object(line: str) -> dict[str, Any] | BadRow:
    """Return the object that stands on a line, or what is wrong with it."""
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        array = line.lstrip().startswith("[")
        cure = "Write one object per line, without an array" if array else "Mend it"
        reason = f"column {error.colno}: this is not JSON ({error.msg}). {cure}"
        return BadRow("no JSON", reason)
    except (ValueError, RecursionError) as error:  # endless digits, endless brackets
        return BadRow("no JSON", f"this is not JSON ({error}). Mend it")
    if isinstance(found, dict):
        return found
    return BadRow(
        "no JSON object",
        'each line must be an object as {"text": …, "label": …}. '
        f"Got {type(found).__name__} instead. Mend it",
    )


def _row(number: int, found: dict[str, Any], names: list[str], columns: Columns) -> Row:
    wanted = [names[i] for i in columns if i is not None]
    for name in wanted:
        if name not in found:
            return Row(number, bad=missing_key(found, name))
    cells = [found[name] for name in wanted]
    part = None if columns.split is None else part_cell(cells[2])
    return Row(number, cells[0], cells[1], part)


def missing_key(found: dict[str, Any], name: str) -> BadRow:
    """Word that an object lacks a key."""
    has = shorten(map(repr, found)) or "nothing"
    return BadRow(
        f"no {name!r}",
        f"the object has no {name!r}.{did_you_mean(name, found)} It has {has}. Mend it",
    )
