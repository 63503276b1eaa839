"""The table of formats in which predictions can be written.

A format that can be read is listed in :mod:`emoclf.datasets.input_formats`; it can be
written only if it is listed here as well. The table loads nothing: writers are named,
and imported when they are used.
"""

from __future__ import annotations

from typing import NamedTuple

#: What can be done with a bad record. The command line lists it without NumPy.
ON_ERROR = ("stop", "skip", "null")


class OutputFormat(NamedTuple):
    """A format of predictions and its writer.

    Parameters
    ----------
    endings : tuple of str
        Endings of output files; a format without any is for open streams only.
    writer : str
        ``module:class`` of a :class:`emoclf.bulk.writers.Writer`.
    is_text : bool
        Written as text: to an open stream, or to a file that may be gzipped.
    """

    endings: tuple[str, ...]
    writer: str
    is_text: bool = True


WRITERS = {
    "labels": OutputFormat((), "emoclf.bulk.writers:LabelWriter"),
    "probabilities": OutputFormat((), "emoclf.bulk.writers:ProbabilityWriter"),
    "csv": OutputFormat((".csv",), "emoclf.bulk.writers:CsvWriter"),
    "tsv": OutputFormat((".tsv",), "emoclf.bulk.writers:TsvWriter"),
    "jsonl": OutputFormat((".jsonl", ".ndjson"), "emoclf.bulk.writers:JsonWriter"),
    "parquet": OutputFormat(
        (".parquet",), "emoclf.bulk.parquet_writer:ParquetWriter", is_text=False
    ),
}


def output_endings() -> dict[str, str]:
    """Return the format of each ending that can be written.

    Examples
    --------
    >>> output_endings()[".ndjson"]
    'jsonl'
    """
    return {ending: name for name in WRITERS for ending in WRITERS[name].endings}
