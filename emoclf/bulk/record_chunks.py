"""Records in chunks, and what is done with those that cannot be answered."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from emoclf.bulk.choices import ON_ERROR
from emoclf.bulk.record_reader import Entries, Entry
from emoclf.classifier import CHUNK_TEXTS
from emoclf.errors import DataError, SettingsError, did_you_mean, setting

logger = logging.getLogger(__name__)

# Letters in a chunk, so that long texts do not fill the memory.
_MOST_LETTERS = 1 << 22


class Chunks:
    """Cut records into chunks; stop at a bad one, leave it out, or keep it unanswered.

    Parameters
    ----------
    entries : Entries
    on_error : {"stop", "skip", "null"}
    at_once : bool
        Give what is there already while the next line has yet to come.

    Attributes
    ----------
    n_bad : int
        Records so far that could not be answered.

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
        """Whether somebody is yet to write what comes next, and may want answers."""
        return self._at_once and self.entries.source.waits

    def __iter__(self) -> Iterator[list[Entry]]:
        """Yield chunks.

        Raises
        ------
        DataError
            With ``on_error="stop"``, at the first bad record; those before it are
            given out.
        """
        chunk: list[Entry] = []
        letters = 0
        for entry in self.entries:
            if entry.bad is not None and self._on_error == "stop":
                if chunk:
                    yield chunk
                raise DataError(
                    f"{self._where(entry)}, or go on without such {self._unit}s: "
                    f"{setting('on_error', 'skip')}."
                )
            if entry.bad is not None:
                self.n_bad += 1
                logger.warning("%s.", self._where(entry))
            if entry.bad is None or self._on_error == "null":
                chunk.append(entry)
                letters += len(entry.text)
            if chunk and (
                len(chunk) == CHUNK_TEXTS or letters >= _MOST_LETTERS or self.waits
            ):
                yield chunk
                chunk, letters = [], 0
        if chunk:
            yield chunk

    @property
    def _unit(self) -> str:
        return self.entries.source.unit

    def _where(self, entry: Entry) -> str:
        name = self.entries.source.name
        return f"{name}, {self._unit} {entry.number}: {entry.bad}"
