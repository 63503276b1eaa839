"""What can be chosen, for the command line's help: it loads nothing."""

from __future__ import annotations

INPUT_FORMATS = ("lines", "csv", "tsv", "jsonl", "parquet")
STREAM_FORMATS = ("labels", "probabilities", "jsonl", "csv", "tsv")
ON_ERROR = ("stop", "skip", "null")
PRECISIONS = ("float32", "int16", "int8")
ENGINES = ("numpy", "numba")
