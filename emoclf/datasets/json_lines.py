"""JSON Lines, one object on each line, and JSON files with an array of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from emoclf.datasets.cells import BadRow
from emoclf.datasets.records import Record, Table
from emoclf.datasets.source import TOO_LONG_MARKER, Source
from emoclf.errors import DataError, setting

#: Largest array, which is read as a whole.
MAX_ARRAY_BYTES = 1 << 28
#: Longest beginning of a file in an error.
MAX_SHOWN = 4096
_SPACE = re.compile(r"[ \t\r\n]*")


def read_json_lines(source: Source) -> Table:
    """Return a record for each line that is not empty, with the keys of its object."""
    return table_of_lines(source.lines())


def table_of_lines(lines: Iterable[str]) -> Table:
    """Return a record for each line that is not empty."""
    numbered = enumerate(lines, 1)
    return Table(None, (_record(*line) for line in numbered if line[1].strip()))


def read_json(source: Source) -> Table:
    """Return the objects of an array, which is read as a whole, or of JSON Lines.

    Raises
    ------
    DataError
        If the file is neither, or the array is damaged.
    """
    lines = source.lines()
    begin = first_lines(lines)
    first = begin[-1].lstrip() if begin else ""
    if first.startswith("{"):
        cells = list((record := _record(1, first)).values.values())
        # pandas writes columns as objects, unless it is told to write records.
        if not record.bad and not all(isinstance(x, dict | list) for x in cells):
            return table_of_lines(chain(begin, lines))
    if begin and begin[-1] == TOO_LONG_MARKER and source.path is not None:
        # An array may be one long line, which is no error then.
        source.bad_line(len(begin))
        lines, begin = source.lines(max_bytes=MAX_ARRAY_BYTES), []
    text = _whole(chain(begin, lines), source.name)
    first = text[:MAX_SHOWN].lstrip()
    for number in range(1, text.count("\n") + 2):
        if bad := source.bad_line(number):
            # An array has no lines that could be skipped.
            replace = setting("encoding_errors", "replace")
            advice = f" Or set {replace}." if bad.left_out else ""
            raise DataError(f"{source.name}, line {number}: {bad}.{advice}")
    if not first.startswith("["):
        raise DataError(
            f"{source.name} must be an array of objects, "
            '[{"text": …, "label": …}, …], or contain one object on each line. It '
            f"begins with {first[:40]!r}. pandas writes such a file with "
            'to_json(..., orient="records").'
        )
    source.unit = "object"
    return Table(None, _objects(text, source.name))


def _whole(lines: Iterable[str], name: str) -> str:
    """Return an array's lines as one text.

    Raises
    ------
    DataError
        If it is larger than memory should be.
    """
    taken_lines: list[str] = []
    size = 0
    for line in lines:
        size += len(line)
        if size > MAX_ARRAY_BYTES or (line == TOO_LONG_MARKER and not taken_lines):
            raise DataError(
                f"{name} is an array of more than {MAX_ARRAY_BYTES:,} bytes, which is "
                "read as a whole. Save it as JSON Lines, one object on each line."
            )
        taken_lines.append(line)
    return "\n".join(taken_lines)


def first_lines(lines: Iterator[str]) -> list[str]:
    """Take lines up to the first that is not empty."""
    leading_lines = []
    for line in lines:
        leading_lines.append(line)
        if line.strip():
            break
    return leading_lines


def _objects(text: str, name: str) -> Iterator[Record]:
    """Yield the objects of an array, counted from 1."""
    decoder = json.JSONDecoder()
    number, position, end = 0, text.index("[") + 1, ","
    while end == ",":
        position = _SPACE.match(text, position).end()  # type: ignore[union-attr]
        if number == 0 and text[position : position + 1] == "]":
            position += 1
            break
        number += 1
        try:
            value, position = decoder.raw_decode(text, position)
            position = _SPACE.match(text, position).end()  # type: ignore[union-attr]
            end = text[position : position + 1]
            if end not in (",", "]"):
                raise json.JSONDecodeError("Expecting ',' or ']'", text, position)
        except json.JSONDecodeError as error:
            raise DataError(
                f"{name}, line {error.lineno}, column {error.colno}: this is not JSON "
                f"({error.msg}) in object {number}. Correct it."
            ) from None
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{name}, object {number}: this is not JSON ({error}). Correct it."
            ) from None
        yield _checked(number, value)
        position += 1
    if rest := text[position:].strip():
        line = text.count("\n", 0, text.index(rest, position)) + 1
        raise DataError(
            f"{name}, line {line}: the array ends before {rest[:40]!r}. A file must "
            "contain one array, or one object on each line. Correct it."
        )


def _record(number: int, line: str) -> Record:
    try:
        return _checked(number, json.loads(line))
    except json.JSONDecodeError as error:
        advice = "Correct it"
        if line.lstrip().startswith("["):
            advice = f"Write one object per line, or set {setting('format', 'json')}"
        bad = f"column {error.colno}: this is not JSON ({error.msg}). {advice}"
    except (ValueError, RecursionError) as error:  # endless digits, endless brackets
        bad = f"this is not JSON ({error}). Correct it"
    return Record(number, {}, BadRow("no JSON", bad))


def _checked(number: int, value: object) -> Record:
    if isinstance(value, dict):
        return Record(number, value)
    bad = (
        'a record must be an object such as {"text": …, "label": …}. '
        f"Got {type(value).__name__} instead. Correct it"
    )
    return Record(number, {}, BadRow("no JSON object", bad))
