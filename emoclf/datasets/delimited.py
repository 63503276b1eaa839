"""Rows of CSV and TSV files, each with the line where it begins."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import NamedTuple

from emoclf.datasets.cells import BadRow
from emoclf.datasets.columns import Columns, by_number, find_columns
from emoclf.datasets.rows import Row
from emoclf.errors import DataError
from emoclf.settings import DataSettings

SEPARATORS = {"csv": ",", "tsv": "\t"}


class _Record(NamedTuple):
    first: int  # physical lines, from 1
    last: int
    cells: list[str]


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
    csv_file = format == "csv"
    records = _csv_records(lines, source) if csv_file else _tsv_records(lines)
    header = next(records, None)
    if header is None:
        raise DataError(f"{source} is empty.")
    if by_number(header.cells, settings):
        names = [str(i + 1) for i in range(len(header.cells))]
        columns = find_columns(names, settings, source=source)
        records = _chain(header, records)
    else:
        cure = _header_cure(header, separator)
        columns = find_columns(header.cells, settings, source=source, cure=cure)
    width = len(header.cells)
    plain_labels: set[str] = set()
    broken: list[_Record] = []
    for record in records:
        yield _row(record, columns, width, separator)
        if record.first < record.last:
            broken.append(record)
        elif len(record.cells) == width:
            plain_labels.add(record.cells[columns.label])
    for record in broken:
        _check_swallowed(record, columns, width, plain_labels, source)


def _chain(first: _Record, rest: Iterator[_Record]) -> Iterator[_Record]:
    yield first
    yield from rest


def _header_cure(header: _Record, separator: str) -> str:
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
    return (
        " If the file has no header, count the columns instead: text_column='1', "
        "label_column='2'."
    )


def _row(record: _Record, columns: Columns, width: int, separator: str) -> Row:
    cells, number = record.cells, record.first
    if len(cells) != width:
        what = "comma" if separator == "," else "tab"
        cure = "Put a text with a comma in quotes" if separator == "," else "Mend it"
        if record.last > number:
            cure = f"It runs to line {record.last}: is a quote never closed? {cure}"
        reason = f"too {'many' if len(cells) > width else 'few'} cells"
        return Row(
            number,
            bad=BadRow(
                reason,
                f"{len(cells)} {'cell' if len(cells) == 1 else 'cells'} where the "
                f"first line has {width} (a {what} parts cells). {cure}",
            ),
        )
    part = None if columns.split is None else cells[columns.split]
    return Row(number, cells[columns.text], cells[columns.label], part)


def _tsv_records(lines: Iterator[str]) -> Iterator[_Record]:
    for number, line in enumerate(lines, 1):
        line = line.removesuffix("\n").removesuffix("\r")
        if line:
            yield _Record(number, number, line.split("\t"))


def _csv_records(lines: Iterator[str], source: str) -> Iterator[_Record]:
    reader = csv.reader(lines, strict=True)
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            message = _quote_trouble(str(error), first, reader.line_num)
            raise DataError(f"{source}, line {first}: {message}") from None
        if cells:
            yield _Record(first, reader.line_num, cells)


def _quote_trouble(error: str, first: int, last: int) -> str:
    double = "write a quote that belongs to a text twice ('\"\"')"
    if "unexpected end" in error:
        return f"a quote opened here is never closed. Close it, or {double}."
    if "field larger" in error:
        limit = f"{csv.field_size_limit():,}"
        return (
            f"a cell goes on for more than {limit} characters, to line {last}. If a "
            f"quote opened here was never closed, close it or {double}; else raise "
            "csv.field_size_limit."
        )
    if "expected after" in error:
        where = "in the middle of a cell" if first == last else f"in line {last} only"
        return f"a quote opened here is closed {where}. Close it, or {double}."
    if "new-line character" in error:
        return (
            r"a carriage return (\r) without a line feed (\n) stands outside quotes. "
            r"Save the file with line ends \n or \r\n."
        )
    return f"not valid CSV: {error}."


def _check_swallowed(
    record: _Record, columns: Columns, width: int, labels: set[str], source: str
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
