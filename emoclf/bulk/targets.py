"""Where answers go: a file that is there whole or not at all, or an open stream."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from emoclf.bulk.choices import STREAM_FORMATS
from emoclf.bulk.parquet_writer import ParquetWriter
from emoclf.bulk.writers import Added, DelimitedWriter, JsonWriter, PlainWriter, Writer
from emoclf.datasets.cells import SURROGATE
from emoclf.datasets.data_files import FORMATS, ending_of
from emoclf.datasets.parquet import require_parquet
from emoclf.errors import DataError, SettingsError, did_you_mean, setting
from emoclf.files import check_writable, new_file


class FileTarget:
    """A file, in the format that its ending says.

    Parameters
    ----------
    place : path
        Ends in .jsonl, .csv, .tsv (also with .gz) or .parquet.
    overwrite : bool
        Replace a file that stands there.

    Raises
    ------
    DataError
        If the ending says no format, something stands there, or nothing can be written
        there.
    MissingDependency
        If Parquet is to be written and pyarrow is not installed.
    """

    #: Nobody reads along.
    at_once = False

    def __init__(
        self, place: str | os.PathLike[str], *, overwrite: bool = False
    ) -> None:
        self.path = Path(place)
        ending, self.compressed = ending_of(self.path)
        self.format = FORMATS.get(ending, "")
        if not self.format or (self.format == "parquet" and self.compressed):
            raise DataError(
                f"{self.path} must end in {', '.join(FORMATS)}; all but the last also "
                "with .gz. The ending says in which format answers are written."
            )
        if self.format == "parquet":
            require_parquet("writing Parquet")
        with self._writing():
            if self.path.is_dir():
                raise DataError(f"{self.path} is a directory. Name a file in it.")
            if self.path.exists() and not overwrite:
                raise DataError(
                    f"{self.path} is there already. Name another file, or replace it "
                    f"with {setting('overwrite', True)}."
                )
            check_writable(self.path.parent)

    @contextmanager
    def open(self, added: Added) -> Iterator[Writer]:
        """Give a writer; the file is in place when the block ends without an error."""
        with self._writing(), new_file(self.path) as stream:
            if not self.compressed:
                yield from self._fill(stream, added)
                return
            # No name and no time: the same answers make the same file.
            with gzip.GzipFile("", "wb", fileobj=stream, mtime=0) as packed:
                yield from self._fill(cast(BinaryIO, packed), added)

    def _fill(self, stream: BinaryIO, added: Added) -> Iterator[Writer]:
        if self.format == "parquet":
            writer: Writer = ParquetWriter(stream, added)
        else:
            encode = in_json if self.format == "jsonl" else in_cells
            writer = text_writer(
                lambda text: stream.write(encode(text)), added, self.format
            )
        try:
            yield writer
            writer.finish()
        except BaseException:
            writer.abandon()
            raise

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DataError(
                f"Cannot write {self.path}: {error.strerror or error}. What stood "
                "there before is unchanged."
            ) from error


class StreamTarget:
    """An open stream of text, such as standard output; somebody may be reading along.

    Parameters
    ----------
    stream : text stream
    format : str
        One of ``STREAM_FORMATS``.

    Raises
    ------
    SettingsError
        If there is no such format.
    """

    at_once = True

    def __init__(self, stream: TextIO, format: str = "labels") -> None:
        if format not in STREAM_FORMATS:
            raise SettingsError(
                f"output_format must be one of {', '.join(STREAM_FORMATS)}. Got "
                f"{format!r}.{did_you_mean(format, STREAM_FORMATS)}"
            )
        self.format = format
        self._stream = stream

    @contextmanager
    def open(self, added: Added) -> Iterator[Writer]:
        """Give a writer."""
        encoding = (getattr(self._stream, "encoding", None) or "").lower()
        plain = encoding.replace("-", "") != "utf8"
        writer = text_writer(self._write, added, self.format, ascii=plain)
        yield writer
        writer.finish()

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def text_writer(
    write: Callable[[str], Any], added: Added, format: str, *, ascii: bool = False
) -> Writer:
    """Return the writer of a format, other than Parquet."""
    if format == "jsonl":
        return JsonWriter(write, added, ascii=ascii)
    if format in ("csv", "tsv"):
        return DelimitedWriter(write, added, format)
    return PlainWriter(write, added, every=format == "probabilities")


def in_json(text: str) -> bytes:
    """Encode lines of JSON; a lone surrogate becomes its escape, as JSON has it."""
    return text.encode("utf-8", "backslashreplace")


def in_cells(text: str) -> bytes:
    """Encode rows; a lone surrogate, which no file can hold, becomes U+FFFD."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return SURROGATE.sub("\ufffd", text).encode("utf-8")
