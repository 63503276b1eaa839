"""Export the network alone as one file that takes token ids: ONNX and LiteRT.

The tokenizer and the vocabulary are written beside it; Python runs them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from emoclf.errors import ExportError
from emoclf.export.write_export import write_export, write_text_encoder
from emoclf.models.build import build_model
from emoclf.models.embedding import embedding_shape
from emoclf.predictor import Predictor


def export_network_file(
    predictor: Predictor,
    path: str | os.PathLike[str],
    *,
    export_format: str,
    file_name: str,
    convert: Callable[[Any], bytes],
    converter_errors: tuple[type[Exception], ...],
    batch_size: int | None = None,
    overwrite: bool = False,
) -> Path:
    """Convert the network to a file, and write it with the tokenizer and vocabulary.

    Parameters
    ----------
    predictor : Predictor
    path : path
    export_format : str
        Key of :data:`emoclf.export.formats.FORMATS`.
    file_name : str
        Name of the file that holds the network.
    convert : function
        From a traced function, as :func:`trace_network` returns it, to the file's
        bytes.
    converter_errors : tuple of types
        Errors that the converter raises when it cannot convert a network.
    batch_size : int, optional
        Number of texts in a batch, where the file cannot leave it open.
    overwrite : bool, default=False

    Returns
    -------
    path : Path

    Raises
    ------
    ExportError
        If the network cannot be converted, the target cannot be written, or the export
        does not predict what the predictor predicts; nothing is left behind.
    """

    def write_files(folder: Path) -> dict[str, Any]:
        network = inference_network(predictor)
        try:
            data = convert(trace_network(network, batch_size))
        except converter_errors as error:
            raise ExportError(
                f"A network of the architecture {predictor.bundle.model.name!r} cannot "
                f"be converted to {export_format}: {_first_line(error)} Export it to "
                "saved-model, which holds any network."
            ) from error
        (folder / file_name).write_bytes(data)
        text = write_text_encoder(predictor, folder)
        return {**text, "network": {"batch": batch_size}}

    return write_export(
        predictor,
        path,
        export_format=export_format,
        write_files=write_files,
        overwrite=overwrite,
    )


def inference_network(predictor: Predictor) -> keras.Model:
    """Return the network without the parts that training alone needs.

    Keras draws masks for ``recurrent_dropout`` even where it uses none, from a random
    state that a converter cannot handle; the network is built again without it.
    """
    bundle = predictor.bundle
    if not getattr(bundle.settings.model, "recurrent_dropout", 0.0):
        return bundle.model
    model = build_model(
        bundle.settings.override(recurrent_dropout=0.0),
        n_classes=len(bundle.label_names),
        multilabel=bundle.multilabel,
        shape=embedding_shape(bundle.model),
    )
    trained = {weight.path: weight for weight in bundle.model.weights}
    for weight in model.weights:
        weight.assign(trained[weight.path])
    return model


def trace_network(model: keras.Model, batch_size: int | None = None) -> Any:
    """Return the network as a traced function.

    Returns
    -------
    function : tf.function
        ``token_ids`` of int32, shape (batch, length) → ``probabilities`` of float32,
        shape (batch, n_classes).
    """
    signature = [tf.TensorSpec((batch_size, None), tf.int32, "token_ids")]

    def predict(token_ids: Any) -> dict[str, Any]:
        return {"probabilities": model(token_ids, training=False)}

    return tf.function(predict, input_signature=signature)


@contextmanager
def quiet_logger(name: str) -> Iterator[None]:
    """Show only the errors of a logger; a user can do nothing about its warnings."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _first_line(error: Exception) -> str:
    """Return the first line of a converter's message, which may have hundreds."""
    lines = str(error).strip().splitlines()
    line = lines[0][:200] if lines else type(error).__name__
    return line if line.endswith((".", "!")) else f"{line}."
