"""Records of a source with their texts, or the reason why one cannot be predicted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from emoclf.datasets.cells import BadRow, any_text
from emoclf.datasets.columns import find_text
from emoclf.datasets.input_formats import PLAIN_LINES
from emoclf.datasets.records import missing_key
from emoclf.datasets.source import Source
from emoclf.errors import DataError, SettingsError, setting


class Entry(NamedTuple):
    """One text and its record.

    Parameters
    ----------
    number : int
        Number of the record in its file, from 1.
    text : str
        Empty if the record has no text.
    values : dict of str to object
        All columns or keys, including the text; empty if they cannot be read.
    bad : BadRow, optional
        Why there is no prediction for the record.
    """

    number: int
    text: str
    values: dict[str, Any]
    bad: BadRow | None = None


class Entries:
    """The entries of a source, in order.

    Parameters
    ----------
    source : Source
    text_column : str, optional
        Column or key of the texts; by default the one with a usual name.

    Attributes
    ----------
    columns : list of str or None
        Known after the first entry was read; JSON Lines have none, because each object
        has its own keys.
    schema : pyarrow.Schema or None
        Types of the columns of a Parquet file.
    n_records : int or None
        Number of records, where the file says it.

    Raises
    ------
    SettingsError
        If a text column is named for plain lines.
    """

    def __init__(self, source: Source, text_column: str | None = None) -> None:
        if source.format == PLAIN_LINES and text_column is not None:
            raise SettingsError(
                f"{setting('text_column', text_column)} is for files with columns, and "
                f"{source.name} is read as one text a line. Name its format with "
                f"{setting('format', 'csv')} or another format."
            )
        self.source = source
        self.text_column = text_column
        self.columns: list[str] | None = None
        self.schema: Any = None
        self.n_records: int | None = None

    def __iter__(self) -> Iterator[Entry]:
        source, key = self.source, self.text_column
        table = source.read()
        self.columns, self.schema = table.columns, table.schema
        self.n_records = table.n_records
        if self.columns is not None:
            _check_unique(self.columns, source.name)
            key = self.columns[
                find_text(self.columns, key, source=source.name, advice=table.advice)
            ]
        for number, values, bad, last_line in table.records:
            if undecodable := source.bad_line(number, last_line):
                values, bad = {}, undecodable
            if bad is not None:
                yield Entry(number, "", values, bad)
                continue
            if key is None:
                place = f"{source.name}, {source.unit} {number},"
                key = list(values)[find_text(list(values), None, source=place)]
            try:
                if key not in values:
                    raise missing_key(values, key)
                entry = Entry(number, any_text(values[key]), values)
            except BadRow as reason:
                entry = Entry(number, "", values, reason)
            yield entry


def _check_unique(names: list[str], source: str) -> None:
    ((name, count),) = Counter(names).most_common(1) or [("", 0)]
    if count > 1:
        raise DataError(f"{source} has {count} columns {name!r}. Rename one of them.")
