"""Files of NumPy: vectors of texts from elsewhere, with labels and perhaps the texts.

``.npy``    an array of float, shape (n_texts, length, dim); mapped into memory
``.npz``    that array, and perhaps ``mask`` of bool, shape (n_texts, length); arrays of
            shape (n_texts,) are columns, such as ``label``, ``text`` and ``split``

Without a mask, rows of zeros at the end of a text are padding.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np

from emoclf.datasets.columns import TEXT_NAMES
from emoclf.datasets.given_vectors import checked_vectors
from emoclf.datasets.records import Record, Table
from emoclf.datasets.source import Source
from emoclf.errors import DataError, setting

MASK = "mask"
#: Column of the names of texts that are not in the file.
NAMES = "text"


def read_numpy(source: Source) -> Table:
    """Return the columns of a file of arrays, and the vectors of its texts.

    Raises
    ------
    DataError
        If the file is damaged, contains Python objects, or has no array of vectors, or
        arrays of different lengths.
    """
    arrays = _load(source)
    mask = arrays.pop(MASK, None)
    vector_names = [name for name, array in arrays.items() if array.ndim == 3]
    if len(vector_names) != 1:
        shapes = ", ".join(f"{name}: {x.shape}" for name, x in arrays.items())
        raise DataError(
            f"{source.name} must contain one array of vectors, shape (n_texts, length, "
            f"dim). Got {shapes or 'no arrays'}."
        )
    vectors = checked_vectors(arrays.pop(vector_names[0]), mask, source=source.name)
    columns = {}
    for name, array in arrays.items():
        if array.shape[:1] != (len(vectors),) or array.ndim > 2:
            raise DataError(
                f"{source.name}: the array {name!r} must have one value for each of "
                f"{len(vectors):,} texts. Got the shape {array.shape}."
            )
        columns[name] = array.tolist()
    text_column = source.settings.text_column
    has_texts = any(name in columns for name in (text_column, *TEXT_NAMES))
    if not has_texts:
        columns[NAMES] = [f"sample {number}" for number in range(1, len(vectors) + 1)]
    cells = zip(*columns.values(), strict=True)
    rows = (dict(zip(columns, row, strict=True)) for row in cells)
    return Table(
        list(columns),
        map(Record, count(1), rows),
        advice=" Labels may be in a file of their own: "
        f"{setting('labels_file', 'labels.txt')}.",
        n_records=len(vectors),
        vectors=vectors,
        has_texts=has_texts,
    )


def _load(source: Source) -> dict[str, np.ndarray]:
    stream: Any = source.seekable()
    is_archive = stream.read(2) == b"PK"
    stream.seek(0)
    mode: Any = None
    if not is_archive and source.path is not None and not source.compressed:
        stream, mode = source.path, "r"
    try:
        # Arrays of Python objects are pickles, which run code when they are read.
        loaded = np.load(stream, mmap_mode=mode, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"vectors": loaded}
        return {name: loaded[name] for name in loaded.files}
    except Exception as error:  # damaged archives raise almost anything
        raise DataError(
            f"{source.name} cannot be read as arrays of NumPy: {error}. Write it with "
            "numpy.savez(file, vectors=…, label=…), without Python objects."
        ) from error
