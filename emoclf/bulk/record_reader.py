"""Records with their numbers: what stands on a line, or why it cannot be answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from emoclf.bulk.lines import decode
from emoclf.bulk.sources import Source
from emoclf.datasets.cells import BadRow, any_text
from emoclf.datasets.columns import by_number, find_text
from emoclf.datasets.delimited import (
    SEPARATORS,
    Record,
    header_cure,
    read_records,
    wrong_width,
)
from emoclf.datasets.json_lines import missing_key, parse_object
from emoclf.datasets.parquet import parquet_file
from emoclf.errors import DataError, SettingsError, setting
from emoclf.settings import DataSettings

# Rows of Parquet that are turned into Python's objects at a time.
_BATCH = 2048


class Entry(NamedTuple):
    """One text and what stands beside it.

    Parameters
    ----------
    number : int
        Its line, or its row in a Parquet file, from 1.
    text : str
        Empty if there is none.
    values : dict of str to object
        All columns or keys, that of the text among them; empty if they cannot be read.
    bad : BadRow, optional
        Why it cannot be answered.
    """

    number: int
    text: str
    values: dict[str, Any]
    bad: BadRow | None = None


class Entries:
    """The records of a source, one after the other.

    Parameters
    ----------
    source : Source
    text_column : str, optional
        Column or key of the texts; by default the one that is usually called so.

    Attributes
    ----------
    columns : list of str or None
        Known once the first record was read; JSON Lines have none, since each object
        has its own keys.
    schema : pyarrow.Schema or None
        Of a Parquet file.
    n_rows : int or None
        Of a Parquet file.

    Raises
    ------
    SettingsError
        If a column is named where lines have none.
    """

    def __init__(self, source: Source, text_column: str | None = None) -> None:
        if source.format == "lines" and text_column is not None:
            raise SettingsError(
                f"{setting('text_column', text_column)} is for files with columns, and "
                f"{source.name} is read as one text a line. Say what it holds with "
                f"{setting('format', 'csv')} or another format."
            )
        self.source = source
        self.text_column = text_column
        self.columns: list[str] | None = None
        self.schema: Any = None
        self.n_rows: int | None = None

    def __iter__(self) -> Iterator[Entry]:
        format = self.source.format
        if format == "lines":
            return self._plain()
        if format == "jsonl":
            return self._objects()
        return self._rows_of_parquet() if format == "parquet" else self._rows()

    def _plain(self) -> Iterator[Entry]:
        self.columns = ["text"]
        encoding = self.source.line_encoding
        for number, line in enumerate(self.source.lines(), 1):
            # Bytes that are wrong must neither stop a stream of a million lines nor be
            # dropped in silence: they become U+FFFD, as in the graph of an export.
            text = line.decode(encoding, errors="replace").removesuffix("\r")
            yield Entry(number, text, {"text": text})

    def _objects(self) -> Iterator[Entry]:
        key = self.text_column
        encoding = self.source.line_encoding
        for number, line in enumerate(self.source.lines(), 1):
            if not line.strip():
                continue
            text = decode(line, encoding)
            found = text if isinstance(text, BadRow) else parse_object(text)
            if isinstance(found, BadRow):
                yield Entry(number, "", {}, found)
                continue
            if key is None:
                where = f"{self.source.name}, line {number},"
                key = list(found)[find_text(list(found), None, source=where)]
            yield _entry(number, found, key)

    def _rows(self) -> Iterator[Entry]:
        name, separator = self.source.name, SEPARATORS[self.source.format]
        undecoded: dict[int, BadRow] = {}
        records = read_records(self._lines(undecoded), self.source.format)
        header = next(records, None)
        if header is None:
            raise DataError(f"{name} is empty: it has not even names of columns.")
        if wrong := undecoded.get(header.first, header.bad):
            raise DataError(f"{name}, line {header.first}: {wrong}.")
        names = header.cells
        if by_number(names, DataSettings(text_column=self.text_column)):
            names = [str(i + 1) for i in range(len(names))]
            records = chain([header], records)
        self.columns = _unique(names, name)
        cure = header_cure(header, separator) or (
            " If the file has no header, count the columns instead: "
            f"{setting('text_column', '1')}."
        )
        text = find_text(names, self.text_column, source=name, cure=cure)
        for record in records:
            bad = _wrong(record, undecoded) if undecoded else record.bad
            if bad is None and len(record.cells) != len(names):
                bad = wrong_width(record, len(names), separator)
            if bad is not None:
                yield Entry(record.first, "", {}, bad)
                continue
            cells = record.cells
            values = dict(zip(names, cells, strict=True))
            yield Entry(record.first, cells[text], values)

    def _lines(self, undecoded: dict[int, BadRow]) -> Iterator[str]:
        encoding = self.source.line_encoding
        for number, line in enumerate(self.source.lines(), 1):
            text = decode(line, encoding)
            if isinstance(text, BadRow):
                undecoded[number] = text
                # Its commas and quotes still part it, and those beside it.
                text = line.decode(encoding, errors="replace")
            yield text + "\n"

    def _rows_of_parquet(self) -> Iterator[Entry]:
        name = self.source.name
        # A column is read piece by piece, not a whole group of rows at once.
        options = {"pre_buffer": False, "buffer_size": 1 << 16}
        with (
            self.source.seekable() as stream,
            parquet_file(stream, source=name, **options) as file,
        ):
            self.schema = file.schema_arrow
            self.n_rows = file.metadata.num_rows
            self.columns = _unique(self.schema.names, name)
            key = self.columns[find_text(self.columns, self.text_column, source=name)]
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH):
                for values in batch.to_pylist():
                    number += 1
                    yield _entry(number, values, key)


def _entry(number: int, values: dict[str, Any], key: str) -> Entry:
    if key not in values:
        return Entry(number, "", values, missing_key(values, key))
    try:
        return Entry(number, any_text(values[key]), values)
    except BadRow as bad:
        return Entry(number, "", values, bad)


def _wrong(record: Record, undecoded: dict[int, BadRow]) -> BadRow | None:
    lines = range(record.first, record.last + 1)
    found = [undecoded.pop(line) for line in lines if line in undecoded]
    return found[0] if found else record.bad


def _unique(names: Sequence[str], source: str) -> list[str]:
    ((name, count),) = Counter(names).most_common(1) or [("", 0)]
    if count > 1:
        raise DataError(f"{source} has {count} columns {name!r}. Rename one of them.")
    return list(names)
