"""CSV and TSV files, each record with the line where it begins."""

from __future__ import annotations

import csv
import logging
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from emoclf.datasets.cells import BadRow
from emoclf.datasets.columns import LABEL_NAMES, TEXT_NAMES, Columns, has_names
from emoclf.datasets.records import Record, Table
from emoclf.datasets.separators import (
    SEPARATORS,
    is_quoted,
    recognise_separator,
    separator_name,
)
from emoclf.datasets.source import Source
from emoclf.errors import DataError, did_you_mean, setting

logger = logging.getLogger(__name__)

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
    return _table(source, ",")


def read_tsv(source: Source) -> Table:
    """Return the rows of a TSV file; it has quoting if all of its quotes fit.

    Raises
    ------
    DataError
        As for CSV.
    """
    return _table(source, "\t")


def _table(source: Source, usual: str) -> Table:
    separator = source.separator or usual
    # Standard input and pipes can be read once only.
    is_file = source.path is not None and source.path.is_file()
    if source.separator is None and is_file:
        found = recognise_separator(source.head(), usual) or usual
        if source.labelled or _has_known_name(source, found):
            separator = found
    quoting = source.settings.quoting
    if quoting == "auto" and separator == "\t":
        has_quotes = is_file and is_quoted(source.lines(keep_ends=True), separator)
        quoting = "csv" if has_quotes else "none"
    if quoting == "none":
        rows = _plain_rows(source.lines(), separator)
        if not is_file and source.settings.quoting == "auto":
            rows = _report_quotes(rows, source.name)
    else:
        limit = source.settings.max_line_bytes or csv.field_size_limit()
        rows = _csv_rows(source.lines(keep_ends=True), separator, limit)
    header = next(rows, None)
    if header is None:
        raise DataError(f"{source.name} is empty: it does not even have column names.")
    if bad := source.bad_line(header.first, header.last) or header.bad:
        raise DataError(f"{source.name}, line {header.first}: {bad}.")
    names = header.cells
    if not has_names(names, source.named_columns, source.settings.header, source.name):
        names = [str(i + 1) for i in range(len(names))]
        rows = chain([header], rows)
    advice = _separator_advice(header, separator) or _counting_advice(header, source)

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
            _check_swallowed(row, columns, len(names), labels, source.name, separator)

    return Table(names, map(record, rows), advice, labelled)


def _has_known_name(source: Source, separator: str) -> bool:
    """Return whether a file without labels has a header if its cells end so."""
    names = {*TEXT_NAMES, *map(str.casefold, source.named_columns)}
    cells = "".join(source.head()[:1]).strip("\ufeff\r\n").split(separator)
    return not names.isdisjoint(cell.strip(' "').casefold() for cell in cells)


def _separator_advice(header: Cells, separator: str) -> str:
    """Return advice if the cells seem to have another separator."""
    if len(header.cells) == 1:
        for name, other in SEPARATORS.items():
            if other != separator and other in header.cells[0]:
                return (
                    f" It seems to be separated by {name}s: set "
                    f"{setting('separator', name)}."
                )
    return ""


def _counting_advice(header: Cells, source: Source) -> str:
    """Return advice on how to read a file whose first row may be a text already."""
    named = source.named_columns
    cells = {cell.strip().casefold() for cell in header.cells}
    is_header = (
        source.settings.header is not None
        or not cells.isdisjoint([*TEXT_NAMES, *LABEL_NAMES, *map(str.casefold, named)])
        or any(did_you_mean(name, header.cells) for name in named)
    )
    if is_header or (source.labelled and len(header.cells) == 1):
        return ""
    lengths = list(map(len, header.cells))
    text = lengths.index(max(lengths)) + 1
    columns = {"text_column": text}
    if source.labelled:
        columns["label_column"] = 2 if text == 1 else 1
    settings = [setting("header", False)]
    settings += [setting(name, str(i)) for name, i in columns.items()]
    joined = " ".join if settings[0].startswith("--") else ", ".join
    return f" If the file has no header, count the columns: {joined(settings)}."


def _wrong_width(row: Cells, width: int, separator: str) -> BadRow:
    """Return the error about a row with more or fewer cells than the first one."""
    n_cells = len(row.cells)
    name = separator_name(separator)
    advice = (
        "Correct it" if separator == "\t" else f"Put a text with a {name} in quotes"
    )
    if row.last > row.first:
        advice = f"It goes on to line {row.last}: is a quote never closed? {advice}"
    return BadRow(
        f"too {'many' if n_cells > width else 'few'} cells",
        f"{n_cells} {'cell' if n_cells == 1 else 'cells'} where the first line has "
        f"{width} (a {name} separates cells). {advice}",
    )


def _plain_rows(lines: Iterator[str], separator: str) -> Iterator[Cells]:
    for number, line in enumerate(lines, 1):
        if cells := line.removesuffix("\r"):
            yield Cells(number, number, cells.split(separator))


def _report_quotes(rows: Iterator[Cells], name: str) -> Iterator[Cells]:
    """Warn once if a cell is in quotes, which are kept."""
    for row in rows:
        yield row
        if any(cell[:1] == cell[-1:] == '"' and cell[1:] for cell in row.cells):
            message = "%s, line %d: quotes stay in the texts. Around cells set %s."
            logger.warning(message, name, row.first, setting("quoting", "csv"))
            yield from rows


def _csv_rows(lines: Iterator[str], separator: str, limit: int) -> Iterator[Cells]:
    row: list[str] = []  # lines of the row that is read
    again: deque[str] = deque()  # lines after a wrong quote, which are rows themselves
    first = 1

    def take_lines() -> Iterator[str]:
        while line := again.popleft() if again else next(lines, ""):
            row.append(line)
            yield line

    reader = csv.reader(take_lines(), delimiter=separator, strict=True)
    while True:
        try:
            cells = _next_row(reader, limit)
        except StopIteration:
            return
        except csv.Error as error:
            message = _quote_message(str(error), first, first + len(row) - 1, limit)
            again.extendleft(reversed(row[1:]))
            del row[1:]
            reader = csv.reader(take_lines(), delimiter=separator, strict=True)
            yield Cells(first, first, [], BadRow("a wrong quote", message))
        else:
            if cells:
                yield Cells(first, first + len(row) - 1, cells)
        first += len(row)
        row.clear()


def _next_row(reader: Iterator[list[str]], limit: int) -> list[str]:
    """Return the next row; the limit of a cell is one for the whole process."""
    before = csv.field_size_limit(limit)
    try:
        return next(reader)
    finally:
        csv.field_size_limit(before)


def _quote_message(error: str, first: int, last: int, limit: int) -> str:
    if "field larger" in error:
        return (
            f"a cell has more than {limit:,} characters, to line {last}. If a quote "
            f"opened here was never closed, close it or {WRITE_QUOTE_TWICE}; else "
            f"raise {setting('max_line_bytes')}"
        )
    if "unexpected end" in error or "expected after" in error:
        location = (
            "in the middle of a cell" if first == last else f"in line {last} only"
        )
        state = "never closed" if "unexpected end" in error else f"closed {location}"
        return (
            f"a quote opened here is {state}. Close it, or {WRITE_QUOTE_TWICE}; or, if "
            f"the file has no quoting, set {setting('quoting', 'none')}"
        )
    if "new-line character" in error:
        return (
            r"there is a carriage return (\r) without a line feed (\n) outside quotes. "
            r"Save the file with line ends \n or \r\n"
        )
    return f"not valid CSV: {error}. Correct it"


def _check_swallowed(
    row: Cells,
    columns: Columns,
    width: int,
    labels: set[str],
    source: str,
    separator: str,
) -> None:
    """Raise DataError if the lines of a text seem to be rows that a quote swallowed.

    Swallowed lines still look like rows: they have as many cells, and in the place of
    the label one that other rows have too.
    """
    # Commas in an unquoted text shift the cells after it.
    label = columns.label - (width if columns.label > columns.text else 0)
    for cell in row.cells:
        lines = [line.removesuffix("\r").split(separator) for line in cell.split("\n")]
        n_like_rows = sum(
            len(cells) >= width and cells[label] in labels for cells in lines
        )
        if len(lines) > 1 and 2 * n_like_rows >= len(lines):
            raise DataError(
                f"{source}, line {row.first}: a quote opened here is closed in line "
                f"{row.last} only and swallows rows. Close it, or {WRITE_QUOTE_TWICE}."
            )
