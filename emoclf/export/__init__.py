"""Exporting classifiers; each export is checked against the bundle before it is kept.

The table of formats is :data:`emoclf.export.formats.FORMATS`.
"""

from __future__ import annotations

import os
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from emoclf.errors import ExportError, did_you_mean
from emoclf.export.formats import FORMATS
from emoclf.runtime import import_tensorflow


def export_classifier(
    predictor: Any,
    path: str | os.PathLike[str],
    *,
    to: str,
    overwrite: bool = False,
    **options: Any,
) -> Path:
    """Export a classifier to any format; :func:`emoclf.load_exported` reads it.

    Parameters
    ----------
    predictor : Predictor, TrainedClassifier, EmotionClassifier or SearchResult
    path : path
        A folder that does not exist yet; for a SavedModel the parent of its versions.
    to : str
        Export format: a key of :data:`emoclf.export.formats.FORMATS`.
    overwrite : bool, default=False
        Replace an existing export.
    **options
        Options of the format; see for instance
        :func:`emoclf.export.saved_model.export_saved_model`.

    Returns
    -------
    path : Path
        The folder of the export.

    Raises
    ------
    ExportError
        If there is no such format, it cannot hold the network (the message says why),
        the target cannot be written, or the export does not predict what the predictor
        predicts. Nothing is left behind.
    MissingDependency
        If a package that writes or runs the format is not installed.
    """
    if to not in FORMATS:
        raise ExportError(
            f"There is no export format {to!r}.{did_you_mean(to, FORMATS)} "
            f"Export formats: {', '.join(FORMATS)}."
        )
    export_format = FORMATS[to]
    # TensorFlow and converters load here, each when its format is asked for.
    import_tensorflow()
    from emoclf.predictor import as_predictor

    predictor = as_predictor(predictor)
    write = resolve_name(export_format.writer)
    options |= export_format.writer_options
    return write(predictor, path, overwrite=overwrite, **options)
