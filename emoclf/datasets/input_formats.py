"""The table of file formats that can be read, for training and for prediction.

A new format is one row here and one file with its reader, a function that takes a
:class:`emoclf.datasets.source.Source` and returns a
:class:`emoclf.datasets.records.Table`. The table loads nothing: readers are named, and
imported when they are used.
"""

from __future__ import annotations

from typing import NamedTuple


class InputFormat(NamedTuple):
    """A file format and its reader.

    Parameters
    ----------
    endings : tuple of str
        Endings of file names, in lower case. A format without any is used only where
        the user names it.
    reader : str
        ``module:function``.
    unit : str
        What error messages count: "line", "row", …
    """

    endings: tuple[str, ...]
    reader: str
    unit: str = "line"


PLAIN_LINES = "lines"

READERS = {
    PLAIN_LINES: InputFormat((), "emoclf.datasets.plain_lines:read_plain_lines"),
    "csv": InputFormat((".csv",), "emoclf.datasets.delimited:read_csv"),
    "tsv": InputFormat((".tsv",), "emoclf.datasets.delimited:read_tsv"),
    "jsonl": InputFormat(
        (".jsonl", ".ndjson"), "emoclf.datasets.json_lines:read_json_lines"
    ),
    "json": InputFormat((".json",), "emoclf.datasets.json_lines:read_json"),
    "fasttext": InputFormat((), "emoclf.datasets.fasttext_lines:read_fasttext"),
    "parquet": InputFormat(
        (".parquet",), "emoclf.datasets.parquet:read_parquet", unit="row"
    ),
    "numpy": InputFormat(
        (".npz", ".npy"), "emoclf.datasets.numpy_arrays:read_numpy", unit="sample"
    ),
}


def input_endings() -> dict[str, str]:
    """Return the format of each ending that can be read.

    Examples
    --------
    >>> input_endings()[".ndjson"]
    'jsonl'
    """
    return {ending: name for name in READERS for ending in READERS[name].endings}
