"""Outputs: a file that is complete or absent, or an open stream."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from pkgutil import resolve_name
from typing import BinaryIO, TextIO, cast

from emoclf.bulk.new_columns import NewColumns
from emoclf.bulk.output_formats import WRITERS, OutputFormat, output_endings
from emoclf.bulk.writers import TextWriter, Writer
from emoclf.datasets.data_files import ending_of
from emoclf.datasets.input_formats import input_endings
from emoclf.errors import DataError, SettingsError, did_you_mean
from emoclf.files import check_new_file, exists_already, new_file


class FileTarget:
    """A file, in the format of its ending.

    Parameters
    ----------
    path : path
        Its ending is .jsonl, .csv, .tsv (also with .gz) or .parquet.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    DataError
        If the ending has no format, the file exists, or it cannot be written.
    MissingDependency
        If the format is Parquet and pyarrow is not installed.
    """

    #: Predictions are written chunk by chunk, because nobody reads them meanwhile.
    at_once = False

    def __init__(
        self, path: str | os.PathLike[str], *, overwrite: bool = False
    ) -> None:
        self.path = Path(path)
        self.overwrite = overwrite
        ending, self.compressed = ending_of(self.path)
        self.format = output_endings().get(ending, "")
        format = WRITERS.get(self.format)
        if format is None or (self.compressed and not format.is_text):
            raise DataError(_ending_message(self.path, ending))
        self._writer_class: type[Writer] = resolve_name(format.writer)
        self._writer_class.check_packages()
        check_new_file(self.path, overwrite=overwrite)

    def is_file(self, path: Path) -> bool:
        """Return whether a path is the file that will be replaced."""
        return self.path.exists() and self.path.samefile(path)

    @contextmanager
    def open(self, new: NewColumns) -> Iterator[Writer]:
        """Yield a writer; the file appears when the block ends without an error."""
        try:
            with (
                new_file(self.path, overwrite=self.overwrite) as stream,
                ExitStack() as stack,
            ):
                if self.compressed:
                    # No name and no time: equal predictions make equal files.
                    packed = gzip.GzipFile("", "wb", fileobj=stream, mtime=0)
                    stream = cast(BinaryIO, stack.enter_context(packed))
                writer = self._writer_class.for_file(stream, new)
                try:
                    yield writer
                    writer.finish()
                except BaseException:
                    writer.abandon()
                    raise
        except FileExistsError as error:
            raise DataError(exists_already(self.path)) from error
        except OSError as error:
            raise DataError(
                f"Cannot write {self.path}: {error.strerror or error}. A file that was "
                "there before is unchanged."
            ) from error


class StreamTarget:
    """An open stream of text, such as standard output, which somebody may be reading.

    Parameters
    ----------
    stream : text stream
    format : str
        Name of a text format in ``writers``.
    writers : mapping of str to OutputFormat

    Raises
    ------
    SettingsError
        If there is no such format.
    """

    at_once = True

    def __init__(
        self,
        stream: TextIO,
        format: str = "labels",
        writers: Mapping[str, OutputFormat] = WRITERS,
    ) -> None:
        formats = [name for name in writers if writers[name].is_text]
        if format not in formats:
            raise SettingsError(
                f"output_format must be one of {', '.join(formats)}. Got {format!r}."
                f"{did_you_mean(format, formats)}"
            )
        self._writer_class: type[TextWriter] = resolve_name(writers[format].writer)
        self.format = format
        self._stream = stream

    def is_file(self, path: Path) -> bool:
        """Return False: a stream replaces nothing."""
        return False

    @contextmanager
    def open(self, new: NewColumns) -> Iterator[Writer]:
        """Yield a writer."""
        encoding = (getattr(self._stream, "encoding", None) or "").lower()
        ascii = encoding.replace("-", "") != "utf8"
        writer = self._writer_class(self._write, new, ascii=ascii)
        yield writer
        writer.finish()

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _ending_message(path: Path, ending: str) -> str:
    """Return the error message about an ending in which nothing can be written."""
    endings = output_endings()
    text_endings = [x for x in endings if WRITERS[endings[x]].is_text]
    binary_endings = [x for x in endings if x not in text_endings]
    reason = ""
    if ending in input_endings() and ending not in endings:
        reason = f"Files that end in {ending} can be read, but not written. "
    return (
        f"{reason}{path} must end in {', '.join(text_endings)}, also with .gz, or in "
        f"{', '.join(binary_endings)}. The ending is the format of the predictions."
    )
