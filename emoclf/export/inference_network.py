"""The network of a classifier without training parts, and its conversion to a file."""

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


def export_converted(
    predictor: Predictor,
    path: str | os.PathLike[str],
    convert: Callable[[Any], bytes],
    *,
    export_format: str,
    file_name: str,
    errors: tuple[type[Exception], ...],
    batch_size: int | None = None,
    overwrite: bool,
) -> Path:
    """Export a network as a converter's file, tokenizer and vocabulary beside it.

    Parameters
    ----------
    predictor : Predictor
    path : path
        A folder that does not exist yet.
    convert : function
        From a tf.function to the bytes of a file. The function takes ``token_ids``,
        int32 of shape (batch, length), and returns a dict with ``probabilities``,
        float32 of shape (batch, n_classes).
    export_format : str
        Key of :data:`emoclf.export.formats.FORMATS`.
    file_name : str
    errors : tuple of types
        Errors that the converter raises when it cannot convert a network.
    batch_size : int, optional
        Number of texts in a batch, where the file cannot leave it open.
    overwrite : bool
        Replace an existing export.

    Raises
    ------
    ExportError
        As in :func:`emoclf.export_classifier`.
    """

    def write_files(folder: Path) -> dict[str, Any]:
        network = inference_network(predictor)

        def predict(token_ids: Any) -> dict[str, Any]:
            return {"probabilities": network(token_ids, training=False)}

        signature = [tf.TensorSpec((batch_size, None), tf.int32, "token_ids")]
        with conversion_errors(predictor.bundle.model.name, export_format, errors):
            traced = tf.function(predict, input_signature=signature, autograph=False)
            data = convert(traced)
        (folder / file_name).write_bytes(data)
        text = write_text_encoder(predictor.bundle.encoder, folder)
        return {**text, "network": {"batch": batch_size}}

    return write_export(
        predictor,
        path,
        export_format=export_format,
        write_files=write_files,
        overwrite=overwrite,
    )


@contextmanager
def conversion_errors(
    name: str, export_format: str, errors: tuple[type[Exception], ...]
) -> Iterator[None]:
    """Turn the errors of a converter into an ExportError.

    Parameters
    ----------
    name : str
        Name of the network.
    export_format : str
    errors : tuple of types
    """
    try:
        yield
    except errors as error:
        # A converter's message may have hundreds of lines.
        first_line = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        raise ExportError(
            f"A network of the architecture {name!r} cannot be converted to "
            f"{export_format}: {first_line.rstrip('.!')}. Export it to saved-model, "
            "which holds any network."
        ) from error


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
