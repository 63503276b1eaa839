"""Export a classifier's network as a LiteRT (TensorFlow Lite) file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from tensorflow.lite.python.convert import ConverterError
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

from emoclf.export.inference_network import export_converted
from emoclf.optional import require
from emoclf.predictor import Predictor
from emoclf.serving.litert import MODEL


def export_litert(
    predictor: Predictor,
    path: str | os.PathLike[str],
    *,
    int8: bool = False,
    overwrite: bool = False,
) -> Path:
    """Export a classifier as a LiteRT file, tokenizer and vocabulary beside it.

    ``model.tflite`` takes ``token_ids`` (int32, [batch, length], 0 is padding, length
    at least 1) and returns ``probabilities`` (float32, [batch, n_classes]).
    ``resize_tensor_input`` sets batch and length; it needs no Select TF ops. Every
    architecture can be exported. The batch is 1 where a network has recurrent layers:
    LiteRT must know the shape of their state.

    Parameters
    ----------
    predictor : Predictor
    path : path
        A folder that does not exist yet.
    int8 : bool, default=False
        Store weights of 1,024 numbers and more as int8 ("dynamic range"): a quarter of
        the size. Probabilities change; at least 99 % of the labels must not.
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
        If ai-edge-litert is not installed.
    """
    require("ai_edge_litert.interpreter", extra="litert", needed_by="export_litert")

    def convert(function: Any) -> bytes:
        # Constants first: from Keras' variables the converter makes reads that come
        # before any write, and the file returns NaN (TensorFlow 2.21).
        frozen = convert_variables_to_constants_v2(
            function.get_concrete_function(), lower_control_flow=False
        )
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [frozen], tf.Module()
        )
        if int8:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        return converter.convert()

    recurrent = (keras.layers.RNN, keras.layers.Bidirectional)
    layers = predictor.bundle.model.layers
    return export_converted(
        predictor,
        path,
        convert,
        export_format="litert-int8" if int8 else "litert",
        file_name=MODEL,
        errors=(ConverterError, ValueError),
        batch_size=1 if any(isinstance(x, recurrent) for x in layers) else None,
        overwrite=overwrite,
    )
