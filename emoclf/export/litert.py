"""Exporting a classifier's network as a LiteRT (TensorFlow Lite) file."""

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

from emoclf.export.network_export import export_network
from emoclf.export.parity import BOUND
from emoclf.optional import require
from emoclf.predictor import Predictor
from emoclf.serving.litert import MODEL, LiteRTClassifier


def export_litert(
    predictor: Predictor,
    path: str | os.PathLike[str],
    *,
    int8: bool = False,
    overwrite: bool = False,
) -> Path:
    """Export a classifier as a LiteRT file, tokenizer and vocabulary beside it.

    ``model.tflite`` takes ``token_ids`` (int32, [batch, length], 0 is padding, length
    at least 1) and answers with ``probabilities`` (float32, [batch, n_classes]).
    ``resize_tensor_input`` sets batch and length; it needs no Select TF ops. Every
    architecture has this form. Where a network has recurrent layers the batch is 1:
    LiteRT must know the shape of a state that goes from word to word.

    Parameters
    ----------
    predictor : Predictor
    path : path
        A folder that does not exist yet.
    int8 : bool, default=False
        Store weights of 1,024 numbers and more as int8 ("dynamic range"): a quarter of
        the size. Probabilities move; at least 99 % of the labels must stay.
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
        If ai-edge-litert is not installed.
    """
    require("ai_edge_litert.interpreter", extra="litert", needed_by="export_litert")

    def convert(function: Any) -> bytes:
        return _to_litert(function, int8=int8)

    return export_network(
        predictor,
        path,
        form="litert-int8" if int8 else "litert",
        file=MODEL,
        convert=convert,
        load=LiteRTClassifier,
        failures=(ConverterError, ValueError),
        batch=1 if _is_recurrent(predictor.bundle.model) else None,
        bound=None if int8 else BOUND,
        overwrite=overwrite,
    )


def _to_litert(function: Any, *, int8: bool) -> bytes:
    # Frozen here: what the converter makes of Keras' variables reads them before
    # anything was written to them, and answers NaN (TensorFlow 2.21).
    frozen = convert_variables_to_constants_v2(
        function.get_concrete_function(), lower_control_flow=False
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], tf.Module())
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()


def _is_recurrent(model: keras.Model) -> bool:
    kinds = (keras.layers.RNN, keras.layers.Bidirectional)
    return any(isinstance(layer, kinds) for layer in model.layers)
