"""Entries of a source in chunks: texts, or the reason why one cannot be predicted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from emoclf.bulk.output_formats import ON_ERROR
from emoclf.classifier import CHUNK_TEXTS
from emoclf.datasets.cells import BadRow, any_text
from emoclf.datasets.columns import find_column, find_text
from emoclf.datasets.input_formats import PLAIN_LINES
from emoclf.datasets.records import Table, missing_key
from emoclf.datasets.source import Source
from emoclf.errors import DataError, SettingsError, did_you_mean, setting
from emoclf.settings import DataSettings

logger = logging.getLogger(__name__)

# Limit of the memory for long texts.
_CHUNK_LETTERS = 1 << 22


class Entry(NamedTuple):
    """One text with its record and, later, its prediction.

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
    label : str or tuple of str, optional
    probabilities : list of float, optional
    withheld : str, optional
        Why the label is withheld.
    prediction : object, optional
        Prediction that is no label, as the columns of its kind read it.
    """

    number: int
    text: str
    values: dict[str, Any]
    bad: BadRow | None = None
    label: str | tuple[str, ...] | None = None
    probabilities: list[float] | None = None
    withheld: str | None = None
    prediction: Any = None


class Entries:
    """The entries of a source, in order and in chunks.

    Parameters
    ----------
    source : Source
    text_column : str, optional
        Column or key of the texts; by default the one with a usual name.
    on_error : {"stop", "skip", "null"}
        Raise at a bad record, leave it out, or keep it without a prediction.
    at_once : bool
        Yield the entries that have arrived while the next line has not been written.

    Attributes
    ----------
    table : Table
        Columns of the source; known after the first chunk was read.
    n_bad : int
        Number of bad records so far.

    Raises
    ------
    SettingsError
        If a text column is named for plain lines, or ``on_error`` is unknown.
    """

    def __init__(
        self,
        source: Source,
        text_column: str | None = None,
        *,
        on_error: str = "stop",
        at_once: bool = False,
    ) -> None:
        if source.format == PLAIN_LINES and text_column is not None:
            raise SettingsError(
                f"{setting('text_column', text_column)} is for files with columns, and "
                f"{source.name} is read as one text a line. Name its format with "
                f"{setting('format', 'csv')} or another format."
            )
        if on_error not in ON_ERROR:
            raise SettingsError(
                f"{setting('on_error')} must be one of {', '.join(ON_ERROR)}. Got "
                f"{on_error!r}.{did_you_mean(on_error, ON_ERROR)}"
            )
        self.source = source
        self.table = Table(None, ())
        self.n_bad = 0
        self._text_column = text_column
        self._on_error = on_error
        self._at_once = at_once

    @property
    def waits(self) -> bool:
        """Whether predictions are wanted before the next line is written."""
        return self._at_once and self.source.waits

    def place(self, entry: Entry) -> str:
        """Return the place of an entry, such as ``in.csv, line 3``."""
        return f"{self.source.name}, {self.source.unit} {entry.number}"

    def chunks(self) -> Iterator[list[Entry]]:
        """Yield chunks.

        Raises
        ------
        DataError
            With ``on_error="stop"``, at the first bad record, after the chunk of those
            before it.
        """
        chunk: list[Entry] = []
        letters = 0
        for entry in self._entries():
            if entry.bad is not None:
                message = f"{self.place(entry)}: {entry.bad}"
                if self._on_error == "stop" and not entry.bad.left_out:
                    if chunk:
                        yield chunk
                    raise DataError(
                        f"{message}, or go on without such {self.source.unit}s: "
                        f"{setting('on_error', 'skip')}."
                    )
                self.n_bad += 1
                logger.warning("%s.", message)
            if entry.bad is None or self._on_error == "null":
                chunk.append(entry)
                letters += len(entry.text)
            if chunk and (
                len(chunk) == CHUNK_TEXTS or letters >= _CHUNK_LETTERS or self.waits
            ):
                yield chunk
                chunk, letters = [], 0
        if chunk:
            yield chunk

    def _entries(self) -> Iterator[Entry]:
        source, key = self.source, self._text_column
        self.table = table = source.read()
        if (columns := table.columns) is not None:
            for name in columns:
                find_column(columns, name, source=source.name)  # raise for repetitions
            key = find_text(columns, key, source=source.name, advice=table.advice)
        for number, values, bad, last_line in table.records:
            if undecodable := source.bad_line(number, last_line):
                values, bad = {}, undecodable
            text = ""
            if bad is None:
                if key is None:
                    location = f"{source.name}, {source.unit} {number},"
                    key = find_text(list(values), None, source=location)
                try:
                    text = any_text(values[key])
                except KeyError:
                    bad = missing_key(values, key)
                except BadRow as reason:
                    bad = reason
            yield Entry(number, text, values, bad)


@contextmanager
def read_texts(path: str, settings: DataSettings) -> Iterator[Iterator[str]]:
    """Yield the texts of a file, in constant memory; bad records are logged.

    Parameters
    ----------
    path : path
    settings : DataSettings
        Format, columns and encoding.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    with Source(path, settings) as source:
        entries = Entries(source, settings.text_column, on_error="skip")
        yield (entry.text for chunk in entries.chunks() for entry in chunk)
