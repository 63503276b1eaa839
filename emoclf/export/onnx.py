"""Export a classifier's network as an ONNX file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from emoclf.export.inference_network import export_converted, quiet_logger
from emoclf.optional import require
from emoclf.predictor import Predictor
from emoclf.serving.onnx import MODEL, OUTPUT

# onnxruntime runs it since 1.14, and it is the newest that tf2onnx 1.17 writes.
OPSET = 18
#: Names of the open axes of all inputs and outputs; probabilities have the first.
AXES = ("batch", "length")
#: Errors of tf2onnx when it cannot convert a network.
ERRORS = (ValueError, RuntimeError, NotImplementedError)


def export_onnx(
    predictor: Predictor,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> Path:
    """Export a classifier as an ONNX file, with the tokenizer and vocabulary beside it.

    ``model.onnx`` takes ``token_ids`` (int32, [batch, length], 0 is padding, length at
    least 1) and returns ``probabilities`` (float32, [batch, n_classes]). Every
    architecture can be exported. :func:`emoclf.load_exported` predicts from raw texts
    with it, without TensorFlow.

    Parameters
    ----------
    predictor : Predictor
    path : path
        A folder that does not exist yet.
    overwrite : bool, default=False
        Replace an existing export.

    Returns
    -------
    path : Path

    Raises
    ------
    ExportError
        As in :func:`emoclf.export_classifier`.
    MissingDependency
        If tf2onnx, onnx or onnxruntime is not installed.
    """
    check_packages("export_onnx")
    return export_converted(
        predictor,
        path,
        to_onnx,
        export_format="onnx",
        file_name=MODEL,
        errors=ERRORS,
        overwrite=overwrite,
    )


def check_packages(needed_by: str) -> None:
    """Raise MissingDependency if a package that writes or runs ONNX is missing."""
    for package in ("onnx", "onnxruntime", "tf2onnx"):
        require(package, extra="onnx", needed_by=needed_by)


def to_onnx(function: Any) -> bytes:
    """Convert a traced function of token ids, and name the axes that are open."""
    tf2onnx = require("tf2onnx", extra="onnx", needed_by="export_onnx")
    with quiet_logger("tf2onnx"), quiet_logger("tensorflow"):
        model, _ = tf2onnx.convert.from_function(
            function, input_signature=function.input_signature, opset=OPSET
        )
    for value in (*model.graph.input, *model.graph.output):
        axes = AXES[:1] if value.name == OUTPUT else AXES
        for axis, name in zip(value.type.tensor_type.shape.dim, axes, strict=False):
            axis.dim_param = name
    return model.SerializeToString()
