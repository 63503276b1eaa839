"""A data file or standard input, opened when it is read."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from itertools import islice
from pkgutil import resolve_name
from typing import Any, BinaryIO, Self, TypeVar, cast

from emoclf.datasets.cells import BadRow
from emoclf.datasets.data_files import GZIP_MAGIC, check_file, ending_of, reading
from emoclf.datasets.encodings import (
    check_head,
    codec_name,
    is_wide,
    undecodable_file,
    undecodable_line,
)
from emoclf.datasets.input_formats import PLAIN_LINES, READERS, input_endings
from emoclf.datasets.line_blocks import Recoded, is_ready, line_blocks
from emoclf.datasets.recognition import HEAD_LINES, recognise_format
from emoclf.datasets.records import Table
from emoclf.datasets.separators import recognise_separator, separator_character
from emoclf.errors import DataError, SettingsError, did_you_mean, setting
from emoclf.settings import DataSettings
from emoclf.settings.sections import MAX_LINE_BYTES

T = TypeVar("T")

# Files with these endings are refused, because their lines are not texts.
BINARY_ENDINGS = (
    *(".xlsx", ".xls", ".ods", ".xml", ".html", ".pdf", ".docx"),
    *(".zip", ".bz2", ".xz", ".zst", ".7z", ".tar", ".tgz"),
    *(".feather", ".arrow", ".orc", ".avro", ".pkl"),
)
STANDARD_INPUT = "standard input"

HEAD_BYTES = 4096
# Part of a file in which the place of a wrong byte is looked for.
MAX_SEARCHED_BYTES = 1 << 28
# Stands for a line that is too long; an empty line would contain no row.
TOO_LONG_MARKER = "\ufffd"


class Source:
    """A file or standard input; a context manager closes what a reader has opened.

    Parameters
    ----------
    path : path, or "-"
    settings : DataSettings
        Format (by default the ending decides), encoding, separator, quoting, header,
        and the columns that the user has named. For prediction, a file with an unknown
        ending, and standard input, has one text on each line.
    labelled : bool
        Read for training: a byte that does not decode is an error for the whole file,
        and the ending must be known. Else it is an error for its line.

    Raises
    ------
    DataError
        If there is no such file, or its format cannot be read.
    SettingsError
        If there is no such format or encoding.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        settings: DataSettings,
        *,
        labelled: bool = False,
    ) -> None:
        is_stdin = isinstance(path, str) and path == "-" and not labelled
        self.path = None if is_stdin else check_file(path)
        self.name = STANDARD_INPUT if self.path is None else str(self.path)
        self.settings = settings
        self.separator = separator_character(settings.separator)
        names = (settings.text_column, settings.label_column, settings.split_column)
        self.named_columns = [
            name for name in (*names, *settings.label_columns) if name is not None
        ]
        ending, self.compressed = ending_of(self.path) if self.path else ("", False)
        # "" is recognised by the first lines, when the file is read.
        self.format = settings.format or self._format_of(ending, labelled=labelled)
        if self.format and self.format not in READERS:
            raise SettingsError(
                f"{setting('format')} must be one of {', '.join(READERS)}. Got "
                f"{self.format!r} instead.{did_you_mean(self.format, READERS)}"
            )
        self.encoding = codec_name(settings.encoding)
        self.encoding_errors = settings.encoding_errors
        self.unit = READERS[self.format].unit if self.format else "line"
        self.size = os.path.getsize(self.path) if self.path else None
        self.labelled = labelled
        self._raw: BinaryIO | None = None
        #: Bytes that do not decode, or the limit that a line exceeds, by line.
        self._bad_lines: dict[int, bytes | int] = {}
        self._at_last_line = False
        # A reader that is left half-way must not keep files open.
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    @property
    def position(self) -> int:
        """Number of bytes of the file that have been read."""
        if self.path is None or self._raw is None or self._raw.closed:
            return 0
        return self._raw.tell()

    @property
    def waits(self) -> bool:
        """Whether the next line of standard input has not been written yet."""
        return (
            self._at_last_line and self.path is None and not is_ready(sys.stdin.buffer)
        )

    def read(self) -> Table:
        """Return columns and records, by the reader of the format.

        Raises
        ------
        DataError
            If the format of a labelled file cannot be recognised.
        """
        if not self.format:
            head = self.head()
            self.format = recognise_format(head) or ""
            if self.format in ("csv", "tsv"):
                self.separator = recognise_separator(head)
            if not self.format:
                raise self._unknown_ending(
                    f", or its separator with {setting('separator', 'semicolon')}"
                )
        return resolve_name(READERS[self.format].reader)(self)

    def head(self) -> list[str]:
        """Return the first lines of a file, with their ends."""
        return list(islice(self.lines(keep_ends=True), HEAD_LINES))

    def lines(
        self, *, keep_ends: bool = False, max_bytes: int | None = None
    ) -> Iterator[str]:
        r"""Yield the lines as text; only ``\n`` ends a line.

        Bytes that do not decode become U+FFFD, unless they are an error;
        :meth:`bad_line` has the error for their line.

        Parameters
        ----------
        keep_ends : bool
            Yield the lines with their ends.
        max_bytes : int, optional
            Longest line; default: that of the settings. U+FFFD stands for a longer one.

        Raises
        ------
        DataError
            If the file is damaged; for training also if it is empty or does not
            decode: the message has the line, the byte and the cure.
        """
        # Within a generator, so that only errors of reading are caught here.
        with reading(self.name):
            stream = self._open()
            check_head(self.name, _peek(stream, HEAD_BYTES), self.encoding)
            limit = max_bytes or self.settings.max_line_bytes or MAX_LINE_BYTES
            lines = self._decoded_lines(stream, limit)
            if keep_ends:
                yield from lines
            else:
                yield from (line.removesuffix("\n") for line in lines)

    def bad_line(self, first: int, last: int | None = None) -> BadRow | None:
        """Return the first error of decoding in these lines, once."""
        if not self._bad_lines:
            return None
        lines = range(first, (last or first) + 1)
        errors = [self._bad_lines.pop(x) for x in lines if x in self._bad_lines]
        if not errors:
            return None
        if isinstance(errors[0], int):
            return BadRow(
                "too long a line",
                f"the line has more than {errors[0]:,} bytes. Correct it, or raise "
                f"{setting('max_line_bytes')}",
            )
        encoding = "utf-8" if is_wide(self.encoding) else self.encoding
        bad = undecodable_line(errors[0], encoding)
        bad.left_out = self.encoding_errors == "skip"
        return bad

    def replace_bytes(self) -> None:
        """Read bytes that do not decode as U+FFFD from here on, without errors."""
        self.encoding_errors = "replace"
        bad_lines = self._bad_lines.items()
        self._bad_lines = {x: y for x, y in bad_lines if not isinstance(y, bytes)}

    def seekable(self) -> BinaryIO:
        """Return a stream that can be read from its end; on disk, not in memory."""
        with reading(self.name):
            stream = self._open()
            if self.path is not None and not self.compressed:
                return stream
            copy = self.keep_open(tempfile.TemporaryFile())  # noqa: SIM115
            shutil.copyfileobj(stream, copy)
            copy.seek(0)
            return cast(BinaryIO, copy)

    def keep_open(self, resource: AbstractContextManager[T]) -> T:
        """Enter a context manager that is left when this source is closed."""
        return self._opened.enter_context(resource)

    def _format_of(self, ending: str, *, labelled: bool) -> str:
        endings = input_endings()
        if ending in endings:
            return endings[ending]
        if self.separator is not None:
            return "tsv" if self.separator == "\t" else "csv"
        if ending not in BINARY_ENDINGS:
            return "" if labelled and not self.settings.labels_file else PLAIN_LINES
        if labelled:
            raise self._unknown_ending()
        raise DataError(
            f"{self.name} ends in {ending}, which cannot be read. Save it as "
            f"{', '.join(endings)}, or name its format with "
            f"{setting('format', 'lines')} or another format."
        )

    def _unknown_ending(self, more: str = "") -> DataError:
        return DataError(
            f"{self.name} ends in none of {', '.join(input_endings())}, plain or with "
            f".gz. Rename it, or name its format, such as {setting('format', 'csv')}"
            f"{more}."
        )

    def _decoded_lines(self, stream: Any, limit: int) -> Iterator[str]:
        encoding = self.encoding
        if is_wide(encoding):
            errors = "replace" if self.encoding_errors == "replace" else "strict"
            stream, encoding = Recoded(stream, encoding, errors), "utf-8"
        number = 1
        try:
            for block in line_blocks(stream, limit):
                self._at_last_line = False
                lines = [f"{TOO_LONG_MARKER}\n"]
                if block is not None:
                    lines = self._decode(block, encoding, number)
                if block is None or max(map(len, lines)) > limit:
                    self._cut(lines, number, limit, missing=block is None)
                *lines, last = lines
                yield from lines
                self._at_last_line = True
                yield last
                number += len(lines) + 1
        except UnicodeError as error:
            if not self.labelled or self.path is None:
                raise DataError(
                    f"{self.name} is not {self.encoding} ({error}). Save it as UTF-8."
                ) from None
            open_again: Any = gzip.open if self.compressed else open
            with open_again(self.path, "rb") as again:
                head = again.read(MAX_SEARCHED_BYTES)
                message = undecodable_file(head, self.encoding, error)
            raise DataError(f"{self.path}, {message}") from None

    def _cut(self, lines: list[str], first: int, limit: int, *, missing: bool) -> None:
        """Record lines above the limit, and put U+FFFD in their place."""
        for index, line in enumerate(lines):
            if missing or len(line) > limit:
                self._bad_lines[first + index] = limit
                lines[index] = f"{TOO_LONG_MARKER}\n"

    def _decode(self, block: bytes, encoding: str, first: int) -> list[str]:
        """Return a block's lines, numbered from ``first``; record bad ones."""
        try:
            return list(io.StringIO(block.decode(encoding), newline="\n"))
        except UnicodeDecodeError:
            if self.labelled and self.encoding_errors == "strict":
                raise
        texts = []
        for number, line in enumerate(block.removesuffix(b"\n").split(b"\n"), first):
            try:
                text = line.decode(encoding)
            except UnicodeDecodeError:
                text = line.decode(encoding, errors="replace")
                if self.encoding_errors != "replace":
                    self._bad_lines[number] = line
            texts.append(text + "\n")
        return texts

    def _open(self) -> BinaryIO:
        if self.path is None:
            self._raw = sys.stdin.buffer
            compressed = _peek(self._raw, 2) == GZIP_MAGIC
        else:
            self._raw = self.keep_open(open(self.path, "rb"))  # noqa: SIM115
            compressed = self.compressed
            if not compressed and _peek(self._raw, 2) == GZIP_MAGIC:
                raise DataError(
                    f"{self.path} is compressed with gzip. Rename it to "
                    f"{self.path.name}.gz."
                )
        stream = self._raw
        if compressed:
            stream = cast(BinaryIO, self.keep_open(gzip.GzipFile(fileobj=self._raw)))
        if self.labelled and not _peek(stream, 1):
            raise DataError(f"{self.path} is empty.")
        return stream


def _peek(stream: Any, size: int) -> bytes:
    return stream.peek(size)[:size]
