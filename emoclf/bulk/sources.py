"""What is to be answered: a file or standard input, its format, how far it is read."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO, Self, cast

from emoclf.bulk.choices import INPUT_FORMATS
from emoclf.bulk.lines import Lines, Recoded, line_groups
from emoclf.datasets.data_files import (
    FORMATS,
    GZIP,
    check_file,
    check_head,
    codec_name,
    ending_of,
    reading,
)
from emoclf.errors import DataError, SettingsError, did_you_mean, setting

# Endings of files whose lines are no texts, so that they are not taken for texts.
OTHERS = (
    *(".json", ".xlsx", ".xls", ".ods", ".xml", ".html", ".pdf", ".docx"),
    *(".zip", ".bz2", ".xz", ".zst", ".7z", ".tar", ".tgz"),
    *(".feather", ".arrow", ".orc", ".avro", ".npy", ".pkl"),
)
STANDARD_INPUT = "standard input"


class Source:
    """A file or standard input, opened when it is read.

    Parameters
    ----------
    place : path, or "-"
    format : str, optional
        One of ``INPUT_FORMATS``. By default the ending says it; what has none of the
        known endings holds one text a line, as standard input does.
    encoding : str, default="utf-8"

    Raises
    ------
    DataError
        If there is no such file, or its format is none that is read.
    SettingsError
        If there is no such format or encoding.
    """

    def __init__(
        self,
        place: str | os.PathLike[str],
        format: str | None = None,
        encoding: str = "utf-8",
    ) -> None:
        self.path = None if place == "-" else check_file(place)
        self.name = STANDARD_INPUT if self.path is None else str(self.path)
        self.encoding = codec_name(encoding)
        wide = self.encoding.startswith(("utf-16", "utf-32"))
        # What lines are in when they arrive: those with wide letters are recoded first.
        self.line_encoding = "utf-8" if wide else self.encoding
        ending, self.compressed = ending_of(self.path) if self.path else ("", False)
        self.format = format or _format(self.name, ending)
        if self.format not in INPUT_FORMATS:
            raise SettingsError(
                f"format must be one of {', '.join(INPUT_FORMATS)}. Got {format!r} "
                f"instead.{did_you_mean(self.format, INPUT_FORMATS)}"
            )
        self.unit = "row" if self.format == "parquet" else "line"
        self.size = os.path.getsize(self.path) if self.path else None
        self._raw: BinaryIO | None = None
        self._lines: Lines | None = None
        # A reader that is left half-way must not keep files open.
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    @property
    def position(self) -> int:
        """Bytes of the file that were read."""
        if self._raw is None or self._raw.closed:
            return 0
        return self._raw.tell()

    @property
    def waits(self) -> bool:
        """Whether somebody is yet to write what comes next."""
        return self._lines is not None and self._lines.waits

    def lines(self) -> Lines:
        """Return the lines, as bytes without their ends."""
        # Only what arrives now and then can keep anybody waiting.
        stream = sys.stdin.buffer if self.path is None else None
        self._lines = Lines(self._groups(), stream)
        return self._lines

    def _groups(self) -> Iterator[list[bytes]]:
        # Within a generator, so that no error but those of reading is caught here.
        with reading(self.name):
            stream = self._open()
            check_head(self.name, _peek(stream, 4096), self.encoding)
            recode = self.encoding != self.line_encoding
            source: Any = Recoded(stream, self.encoding) if recode else stream
            try:
                yield from line_groups(source)
            except UnicodeError as error:
                raise DataError(
                    f"{self.name} is not {self.encoding} ({error}). Save it as UTF-8."
                ) from None

    @contextmanager
    def seekable(self) -> Iterator[BinaryIO]:
        """Give a stream that can be read from its end; on disk, not in memory."""
        with reading(self.name):
            stream = self._open()
            if self.path is None or self.compressed:
                spooled = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the rest
                self._opened.enter_context(spooled)
                shutil.copyfileobj(stream, spooled)
                spooled.seek(0)
                stream = cast(BinaryIO, spooled)
            yield stream

    def _open(self) -> BinaryIO:
        if self.path is None:
            self._raw = sys.stdin.buffer
            packed = _peek(self._raw) == GZIP
        else:
            self._raw = open(self.path, "rb")  # noqa: SIM115 - closed with the rest
            self._opened.enter_context(self._raw)
            packed = self.compressed
            if not packed and _peek(self._raw) == GZIP:
                raise DataError(
                    f"{self.path} is compressed with gzip. Rename it to "
                    f"{self.path.name}.gz."
                )
        if not packed:
            return self._raw
        unpacked = self._opened.enter_context(gzip.GzipFile(fileobj=self._raw))
        return cast(BinaryIO, unpacked)


def _peek(stream: Any, size: int = 2) -> bytes:
    return stream.peek(size)[:size]


def _format(name: str, ending: str) -> str:
    if ending in OTHERS:
        raise DataError(
            f"{name} ends in {ending}, which is not read. Save it as "
            f"{', '.join(FORMATS)}, or say what it holds with "
            f"{setting('format', 'lines')} or another format."
        )
    return FORMATS.get(ending, "lines")
