"""Entries in chunks, and what is done with bad records."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from emoclf.errors import DataError, SettingsError, did_you_mean, setting

if TYPE_CHECKING:
    from emoclf.bulk.entries import Entries, Entry

logger = logging.getLogger(__name__)

#: What can be done with a bad record. The command line lists it without NumPy.
ON_ERROR = ("stop", "skip", "null")
# Limit of the memory for long texts.
_CHUNK_LETTERS = 1 << 22


class Chunks:
    """Chunks of entries.

    Parameters
    ----------
    entries : Entries
    on_error : {"stop", "skip", "null"}
        Raise at a bad record, leave it out, or keep it without a prediction.
    at_once : bool
        Yield the entries that have arrived while the next line has not been written.

    Attributes
    ----------
    n_bad : int
        Number of bad records so far.

    Raises
    ------
    SettingsError
        If ``on_error`` is something else.
    """

    def __init__(
        self, entries: Entries, *, on_error: str = "stop", at_once: bool = False
    ) -> None:
        if on_error not in ON_ERROR:
            raise SettingsError(
                f"{setting('on_error')} must be one of {', '.join(ON_ERROR)}. Got "
                f"{on_error!r}.{did_you_mean(on_error, ON_ERROR)}"
            )
        self.entries = entries
        self.n_bad = 0
        self._on_error = on_error
        self._at_once = at_once

    @property
    def waits(self) -> bool:
        """Whether predictions are wanted before the next line is written."""
        return self._at_once and self.entries.source.waits

    def __iter__(self) -> Iterator[list[Entry]]:
        """Yield chunks.

        Raises
        ------
        DataError
            With ``on_error="stop"``, at the first bad record, after the chunk of those
            before it.
        """
        from emoclf.classifier import CHUNK_TEXTS  # NumPy

        source = self.entries.source
        chunk: list[Entry] = []
        letters = 0
        for entry in self.entries:
            if entry.bad is not None:
                message = f"{source.name}, {source.unit} {entry.number}: {entry.bad}"
                if self._on_error == "stop":
                    if chunk:
                        yield chunk
                    raise DataError(
                        f"{message}, or go on without such {source.unit}s: "
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
