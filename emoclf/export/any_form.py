"""One door to every form that a classifier can be exported to."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from emoclf.errors import ExportError, did_you_mean
from emoclf.predictor import Predictor

#: What writes each form: module, function, and what that is told.
WRITERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "saved-model": ("emoclf.export.saved_model", "export_saved_model", {}),
    "onnx": ("emoclf.export.onnx", "export_onnx", {}),
    "litert": ("emoclf.export.litert", "export_litert", {}),
    "litert-int8": ("emoclf.export.litert", "export_litert", {"int8": True}),
    "folded": ("emoclf.export.folded", "export_folded", {}),
    "folded-int8": ("emoclf.export.folded", "export_folded", {"int8": True}),
}


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
    to : {"saved-model", "onnx", "litert", "litert-int8", "folded", "folded-int8"}
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
    if to not in WRITERS:
        raise ExportError(
            f"There is no form {to!r}.{did_you_mean(to, WRITERS)} "
            f"Known: {', '.join(WRITERS)}."
        )
    module, name, own = WRITERS[to]
    # TensorFlow and converters load here, each when its form is asked for.
    write = getattr(import_module(module), name)
    return write(predictor, path, overwrite=overwrite, **own, **options)
