"""Exporting a classifier's network as an ONNX file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from emoclf.export.network_export import export_network, quiet_logger
from emoclf.optional import require
from emoclf.predictor import Predictor
from emoclf.serving.onnx import INPUT, MODEL, OUTPUT, OnnxClassifier

# What onnxruntime has run since 1.14, and the newest that tf2onnx 1.17 writes.
OPSET = 18


def export_onnx(
    predictor: Predictor,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> Path:
    """Export a classifier as an ONNX file, tokenizer and vocabulary beside it.

    ``model.onnx`` takes ``token_ids`` (int32, [batch, length], 0 is padding, length at
    least 1) and answers with ``probabilities`` (float32, [batch, n_classes]). Every
    architecture has this form. :func:`emoclf.load_exported` answers raw texts with it,
    without TensorFlow.

    Parameters
    ----------
    predictor : Predictor
    path : path
        A folder that does not exist yet.
    overwrite : bool, default=False
        Replace an export that stands there.

    Returns
    -------
    path : Path

    Raises
    ------
    ExportError
        If the network cannot be converted, something stands in the way, or the export
        does not answer as the predictor does; nothing is left behind.
    MissingDependency
        If tf2onnx, onnx or onnxruntime is not installed.
    """
    for package in ("onnx", "onnxruntime", "tf2onnx"):
        require(package, extra="onnx", needed_by="export_onnx")
    return export_network(
        predictor,
        path,
        form="onnx",
        file=MODEL,
        convert=_to_onnx,
        load=OnnxClassifier,
        failures=(ValueError, RuntimeError, NotImplementedError),
        overwrite=overwrite,
    )


def _to_onnx(function: Any) -> bytes:
    """Convert a traced function, and name the axes that are open."""
    converter = require("tf2onnx", extra="onnx", needed_by="export_onnx")
    with quiet_logger("tf2onnx"):
        model, _ = converter.convert.from_function(
            function, input_signature=function.input_signature, opset=OPSET
        )
    axes = {INPUT: ("batch", "length"), OUTPUT: ("batch",)}
    for value in (*model.graph.input, *model.graph.output):
        for axis, name in zip(
            value.type.tensor_type.shape.dim, axes[value.name], strict=False
        ):
            axis.dim_param = name
    return model.SerializeToString()
