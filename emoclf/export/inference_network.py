"""The network of a classifier without training parts, and its conversion to a file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from emoclf.errors import ExportError
from emoclf.models.build import build_model
from emoclf.models.embedding import embedding_shape
from emoclf.predictor import Predictor


def convert_network(
    predictor: Predictor,
    convert: Callable[[Any], bytes],
    *,
    export_format: str,
    errors: tuple[type[Exception], ...],
    batch_size: int | None = None,
) -> bytes:
    """Return a predictor's network in the file format of a converter.

    Parameters
    ----------
    predictor : Predictor
    convert : function
        From a tf.function to the bytes of a file. The function takes ``token_ids``,
        int32 of shape (batch, length), and returns a dict with ``probabilities``,
        float32 of shape (batch, n_classes).
    export_format : str
        Key of :data:`emoclf.export.formats.FORMATS`, for the message.
    errors : tuple of types
        Errors that the converter raises when it cannot convert a network.
    batch_size : int, optional
        Number of texts in a batch, where the file cannot leave it open.

    Raises
    ------
    ExportError
        If the network cannot be converted.
    """
    network = inference_network(predictor)

    def predict(token_ids: Any) -> dict[str, Any]:
        return {"probabilities": network(token_ids, training=False)}

    signature = [tf.TensorSpec((batch_size, None), tf.int32, "token_ids")]
    with conversion_errors(predictor.bundle.model.name, export_format, errors):
        return convert(tf.function(predict, input_signature=signature))


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
