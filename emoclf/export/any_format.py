"""One door to every form that a classifier can be exported to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from emoclf.errors import ExportError, did_you_mean
from emoclf.export.formats import FORMATS, load
from emoclf.predictor import Predictor


def export_classifier(
    predictor: Predictor,
    path: str | os.PathLike[str],
    *,
    to: str,
    overwrite: bool = False,
    **options: Any,
) -> Path:
    """Export a classifier; :func:`emoclf.load_exported` reads what comes out.

    Parameters
    ----------
    predictor : Predictor
    path : path
        A folder that does not exist yet; the parent of the versions of a SavedModel.
    to : str
        Export format: a key of :data:`emoclf.export.formats.FORMATS`.
    overwrite : bool, default=False
        Replace an export that stands there.
    **options
        Of the form; see for instance
        :func:`emoclf.export.saved_model.export_saved_model`.

    Returns
    -------
    path : Path
        The folder of the export.

    Raises
    ------
    ExportError
        If there is no such form, the network does not fit it (it says why), something
        stands in the way, or the export does not answer as the predictor does; nothing
        is left behind.
    MissingDependency
        If a package that writes or runs the form is not installed.
    """
    if to not in FORMATS:
        raise ExportError(
            f"There is no export format {to!r}.{did_you_mean(to, FORMATS)} "
            f"Known: {', '.join(FORMATS)}."
        )
    export_format = FORMATS[to]
    # TensorFlow and converters load here, each when its format is asked for.
    write = load(export_format.writer)
    options |= export_format.writer_options
    return write(predictor, path, overwrite=overwrite, **options)
