"""CSV and TSV files, each record with the line where it begins."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from emoclf.datasets.cells import BadRow
from emoclf.datasets.columns import Columns, are_counted
from emoclf.datasets.records import Record, Table
from emoclf.datasets.source import Source
from emoclf.errors import DataError, setting

# Separators, what they are called, and the ending of such files.
SEPARATORS = {
    "\t": ("tabs", ".tsv"),
    ";": ("semicolons", ""),
    ",": ("commas", ".csv"),
    "|": ("vertical bars", ""),
}
WRITE_QUOTE_TWICE = "write a quote that belongs to a text twice ('\"\"')"


class Cells(NamedTuple):
    """The cells of one row, and its first and last line in the file, from 1."""

    first: int
    last: int
    cells: list[str]
    bad: BadRow | None = None


def read_csv(source: Source) -> Table:
    """Return the rows of a CSV file; empty lines contain no row.

    Cells may be in quotes and then contain line breaks. A row with a wrong quote is bad
    and has one line: reading goes on with the next one, so that an unclosed quote costs
    no other row. For training it is an error.

    Raises
    ------
    DataError
        If there is no first row, or it cannot be read; for training also if a quote is
        never closed, is closed within a cell, or swallows rows.
    """
    return _table(source, _csv_rows(source.lines(keep_ends=True)), ",")


def read_tsv(source: Source) -> Table:
    """Return the rows of a TSV file, which has no quoting: a quote is a quote.

    Raises
    ------
    DataError
        If there is no first row, or it cannot be read.
    """
    return _table(source, _tsv_rows(source.lines()), "\t")


def _table(source: Source, rows: Iterator[Cells], separator: str) -> Table:
    header = next(rows, None)
    if header is None:
        raise DataError(f"{source.name} is empty: it does not even have column names.")
    if bad := source.bad_line(header.first, header.last) or header.bad:
        raise DataError(f"{source.name}, line {header.first}: {bad}.")
    names = header.cells
    if are_counted(names, source.named_columns):
        names = [str(i + 1) for i in range(len(names))]
        rows = chain([header], rows)
    counted = ("text_column", "label_column") if source.labelled else ("text_column",)
    settings = (setting(name, str(i)) for i, name in enumerate(counted, 1))
    advice = _separator_advice(header, separator) or (
        f" If the file has no header, count the columns instead: {', '.join(settings)}."
    )

    def record(row: Cells) -> Record:
        first, last, cells, bad = row
        if bad is None and len(cells) != len(names):
            bad = _wrong_width(row, len(names), separator)
        values = dict(zip(names, cells, strict=True)) if bad is None else {}
        return Record(first, values, bad, last)

    def labelled(columns: Columns) -> Iterator[Record]:
        """Yield the rows for training: a wrong quote may lead to a wrong label."""
        labels: set[str] = set()
        multiline_rows: list[Cells] = []
        for row in rows:
            if row.bad is not None:
                raise DataError(f"{source.name}, line {row.first}: {row.bad}.")
            yield (result := record(row))
            if row.first < row.last:
                multiline_rows.append(row)
            elif result.bad is None:
                labels.add(row.cells[columns.label])
        for row in multiline_rows:
            _check_swallowed(row, columns, len(names), labels, source.name)

    return Table(names, map(record, rows), advice, labelled)


def _separator_advice(header: Cells, separator: str) -> str:
    """Return advice if the cells seem to have another separator."""
    if len(header.cells) == 1:
        for other, (name, ending) in SEPARATORS.items():
            if other != separator and other in header.cells[0]:
                action = f"Rename it to {ending}." if ending else "Save it with commas."
                return f" It seems to be separated by {name}. {action}"
    return ""


def _wrong_width(row: Cells, width: int, separator: str) -> BadRow:
    """Return the error about a row with more or fewer cells than the first one."""
    n_cells = len(row.cells)
    is_csv = separator == ","
    advice = "Put a text with a comma in quotes" if is_csv else "Correct it"
    if row.last > row.first:
        advice = f"It goes on to line {row.last}: is a quote never closed? {advice}"
    return BadRow(
        f"too {'many' if n_cells > width else 'few'} cells",
        f"{n_cells} {'cell' if n_cells == 1 else 'cells'} where the first line has "
        f"{width} (a {'comma' if is_csv else 'tab'} separates cells). {advice}",
    )


def _tsv_rows(lines: Iterator[str]) -> Iterator[Cells]:
    for number, line in enumerate(lines, 1):
        if cells := line.removesuffix("\r"):
            yield Cells(number, number, cells.split("\t"))


def _csv_rows(lines: Iterator[str]) -> Iterator[Cells]:
    row: list[str] = []  # lines of the row that is read
    again: deque[str] = deque()  # lines after a wrong quote, which are rows themselves
    first = 1

    def take_lines() -> Iterator[str]:
        while line := again.popleft() if again else next(lines, ""):
            row.append(line)
            yield line

    reader = csv.reader(take_lines(), strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            message = _quote_message(str(error), first, first + len(row) - 1)
            again.extendleft(reversed(row[1:]))
            del row[1:]
            reader = csv.reader(take_lines(), strict=True)
            yield Cells(first, first, [], BadRow("a wrong quote", message))
        else:
            if cells:
                yield Cells(first, first + len(row) - 1, cells)
        first += len(row)
        row.clear()


def _quote_message(error: str, first: int, last: int) -> str:
    if "unexpected end" in error:
        return f"a quote opened here is never closed. Close it, or {WRITE_QUOTE_TWICE}"
    if "field larger" in error:
        limit = f"{csv.field_size_limit():,}"
        return (
            f"a cell has more than {limit} characters, to line {last}. If a quote "
            f"opened here was never closed, close it or {WRITE_QUOTE_TWICE}; else "
            "raise csv.field_size_limit, or save the rows as JSON Lines"
        )
    if "expected after" in error:
        place = "in the middle of a cell" if first == last else f"in line {last} only"
        return (
            f"a quote opened here is closed {place}. Close it, or {WRITE_QUOTE_TWICE}"
        )
    if "new-line character" in error:
        return (
            r"there is a carriage return (\r) without a line feed (\n) outside quotes. "
            r"Save the file with line ends \n or \r\n"
        )
    return f"not valid CSV: {error}. Correct it"


def _check_swallowed(
    row: Cells, columns: Columns, width: int, labels: set[str], source: str
) -> None:
    """Raise DataError if the lines of a text seem to be rows that a quote swallowed.

    Swallowed lines still look like rows: they have as many cells, and in the place of
    the label one that other rows have too.
    """
    # Commas in an unquoted text shift the cells after it.
    label = columns.label - (width if columns.label > columns.text else 0)
    for cell in row.cells:
        lines = [line.removesuffix("\r").split(",") for line in cell.split("\n")]
        n_like_rows = sum(
            len(cells) >= width and cells[label] in labels for cells in lines
        )
        if len(lines) > 1 and 2 * n_like_rows >= len(lines):
            raise DataError(
                f"{source}, line {row.first}: a quote opened here is closed in line "
                f"{row.last} only and swallows rows. Close it, or {WRITE_QUOTE_TWICE}."
            )
