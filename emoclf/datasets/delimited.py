"""Rows of CSV and TSV files, each with the line where it begins."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from emoclf.datasets.cells import BadRow
from emoclf.datasets.columns import Columns, by_number, find_columns
from emoclf.datasets.rows import Row
from emoclf.errors import DataError, setting
from emoclf.settings import DataSettings

SEPARATORS = {"csv": ",", "tsv": "\t"}


class Record(NamedTuple):
    """The cells of one row, and the physical lines, from 1, on which it stands."""

    first: int
    last: int
    cells: list[str]
    bad: BadRow | None = None


def read_delimited(
    lines: Iterator[str], settings: DataSettings, *, source: str, format: str
) -> Iterator[Row]:
    """Yield the rows of a CSV or TSV file; empty lines hold no row.

    CSV cells may stand in quotes and then hold line breaks. TSV knows no quoting: a
    quote is a quote.

    Raises
    ------
    DataError
        If a column is missing, the file has a header and no rows, or a quote is
        never closed, is closed in mid-cell, or swallows rows.
    """
    separator = SEPARATORS[format]
    records = _sound(read_records(lines, format), source)
    header = next(records, None)
    if header is None:
        raise DataError(f"{source} is empty.")
    if by_number(header.cells, settings):
        names = [str(i + 1) for i in range(len(header.cells))]
        columns = find_columns(names, settings, source=source)
        records = chain([header], records)
    else:
        cure = header_cure(header, separator) or (
            " If the file has no header, count the columns instead: "
            f"{setting('text_column', '1')}, {setting('label_column', '2')}."
        )
        columns = find_columns(header.cells, settings, source=source, cure=cure)
    width = len(header.cells)
    plain_labels: set[str] = set()
    broken: list[Record] = []
    for record in records:
        yield _row(record, columns, width, separator)
        if record.first < record.last:
            broken.append(record)
        elif len(record.cells) == width:
            plain_labels.add(record.cells[columns.label])
    for record in broken:
        _check_swallowed(record, columns, width, plain_labels, source)


def read_records(lines: Iterator[str], format: str) -> Iterator[Record]:
    """Yield the rows of a CSV or TSV file as they stand; empty lines hold none.

    A row of CSV whose quotes are wrong has ``bad`` set and stands on one line: reading
    goes on with the next one, so that an unclosed quote costs no other row.
    """
    return _csv_records(lines) if format == "csv" else _tsv_records(lines)


def _sound(records: Iterator[Record], source: str) -> Iterator[Record]:
    for record in records:
        if record.bad is not None:
            raise DataError(f"{source}, line {record.first}: {record.bad}.")
        yield record


def header_cure(header: Record, separator: str) -> str:
    """Say how to go on if the cells seem to be parted by something else, or nothing."""
    if len(header.cells) == 1:
        for other, called, ending in (
            ("\t", "tabs", ".tsv"),
            (";", "semicolons", ""),
            (",", "commas", ".csv"),
            ("|", "bars", ""),
        ):
            if other != separator and other in header.cells[0]:
                way = f"Rename it to {ending}." if ending else "Save it with commas."
                return f" It seems to be separated by {called}. {way}"
    return ""


def _row(record: Record, columns: Columns, width: int, separator: str) -> Row:
    cells, number = record.cells, record.first
    if len(cells) != width:
        return Row(number, bad=wrong_width(record, width, separator))
    part = None if columns.split is None else cells[columns.split]
    return Row(number, cells[columns.text], cells[columns.label], part)


def wrong_width(record: Record, width: int, separator: str) -> BadRow:
    """Word that a row has more or fewer cells than the first one."""
    n_cells = len(record.cells)
    what = "comma" if separator == "," else "tab"
    cure = "Put a text with a comma in quotes" if separator == "," else "Mend it"
    if record.last > record.first:
        cure = f"It runs to line {record.last}: is a quote never closed? {cure}"
    return BadRow(
        f"too {'many' if n_cells > width else 'few'} cells",
        f"{n_cells} {'cell' if n_cells == 1 else 'cells'} where the "
        f"first line has {width} (a {what} parts cells). {cure}",
    )


def _tsv_records(lines: Iterator[str]) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        line = line.removesuffix("\n").removesuffix("\r")
        if line:
            yield Record(number, number, line.split("\t"))


class _Lines:
    """Lines for csv.reader, which can be given back but for the first of a row."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self._row: list[str] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._row.append(line)
        self.number += 1
        return line

    def new_row(self) -> int:
        """Begin a row; return the number of its first line."""
        self._row.clear()
        return self.number + 1

    def give_back(self) -> None:
        """Read the lines behind the row's first one once more."""
        back = self._row[1:]
        self._again.extendleft(reversed(back))
        self.number -= len(back)


def _csv_records(lines: Iterator[str]) -> Iterator[Record]:
    source = _Lines(lines)
    reader = csv.reader(source, strict=True)
    while True:
        first = source.new_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            message = _quote_trouble(str(error), first, source.number)
            source.give_back()
            yield Record(first, first, [], BadRow("a wrong quote", message))
            continue
        if cells:
            yield Record(first, source.number, cells)


def _quote_trouble(error: str, first: int, last: int) -> str:
    double = "write a quote that belongs to a text twice ('\"\"')"
    if "unexpected end" in error:
        return f"a quote opened here is never closed. Close it, or {double}"
    if "field larger" in error:
        limit = f"{csv.field_size_limit():,}"
        return (
            f"a cell goes on for more than {limit} characters, to line {last}. If a "
            f"quote opened here was never closed, close it or {double}; else raise "
            "csv.field_size_limit, or save the rows as JSON Lines"
        )
    if "expected after" in error:
        where = "in the middle of a cell" if first == last else f"in line {last} only"
        return f"a quote opened here is closed {where}. Close it, or {double}"
    if "new-line character" in error:
        return (
            r"a carriage return (\r) without a line feed (\n) stands outside quotes. "
            r"Save the file with line ends \n or \r\n"
        )
    return f"not valid CSV: {error}. Mend it"


def _check_swallowed(
    record: Record, columns: Columns, width: int, labels: set[str], source: str
) -> None:
    """Tell a text of several lines from rows that an unclosed quote swallowed.

    Swallowed lines still look like rows: as many cells as the others have, and in
    the place of the label one that other rows have too.
    """
    for cell in record.cells:
        inner = cell.split("\n")
        if len(inner) < 2:
            continue
        like_rows = 0
        for line in inner:
            pieces = line.removesuffix("\r").split(",")
            # Commas in an unquoted text shift what stands behind it.
            place = columns.label - (width if columns.label > columns.text else 0)
            like_rows += len(pieces) >= width and pieces[place] in labels
        if 2 * like_rows >= len(inner):
            raise DataError(
                f"{source}, line {record.first}: a quote opened here is closed in line "
                f"{record.last} only and swallows rows. Close it, or write a quote "
                "that belongs to a text twice ('\"\"')."
            )
