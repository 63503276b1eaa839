"""Exporting the network from token ids to probabilities; Python keeps the texts."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from emoclf.classifier import Classifier
from emoclf.errors import ExportError
from emoclf.export.parity import BOUND, check_parity
from emoclf.export.write_export import size_of, write_export, write_text
from emoclf.models.build import build_model
from emoclf.models.embedding import embedding_shape
from emoclf.predictor import Predictor
from emoclf.serving.export_folder import ExportFolder


def export_network(
    predictor: Predictor,
    path: str | os.PathLike[str],
    *,
    form: str,
    file: str,
    convert: Callable[[Any], bytes],
    load: Callable[[ExportFolder], Classifier],
    failures: tuple[type[Exception], ...],
    batch: int | None = None,
    bound: float | None = BOUND,
    overwrite: bool = False,
) -> Path:
    """Convert the network, and write it with the tokenizer and the vocabulary.

    Parameters
    ----------
    predictor : Predictor
    path : path
    form : str
    file : str
        Name of the file that holds the network.
    convert : function
        From a traced function, as :func:`trace_network` gives it, to the file's bytes.
    load : function
        From the folder to what answers from it.
    failures : tuple of types
        Errors by which the converter says that it cannot convert the network.
    batch : int, optional
        Texts in a batch, where the file cannot leave it open.
    bound : float or None
        As in :func:`emoclf.export.parity.check_parity`.
    overwrite : bool, default=False

    Returns
    -------
    path : Path

    Raises
    ------
    ExportError
        If the network cannot be converted, something stands in the way, or the export
        does not answer as the predictor does; nothing is left behind.
    """

    def fill(folder: Path) -> dict[str, Any]:
        try:
            data = convert(trace_network(inference_network(predictor), batch))
        except failures as error:
            raise ExportError(
                f"A network of the architecture {predictor.bundle.model.name!r} cannot "
                f"be converted to {form}: {_first_line(error)} Export it to "
                "saved-model, which holds any network."
            ) from error
        (folder / file).write_bytes(data)
        return {**write_text(predictor, folder), "network": {"batch": batch}}

    def check(folder: ExportFolder) -> dict[str, Any]:
        parity = check_parity(predictor, load(folder), what=f"{form} form", bound=bound)
        return {"bytes": size_of(folder.place), "float32": parity.to_dict()}

    return write_export(
        predictor, path, form=form, fill=fill, check=check, overwrite=overwrite
    )


def inference_network(predictor: Predictor) -> keras.Model:
    """Return the network without what training alone needs.

    Keras draws masks for ``recurrent_dropout`` even where it uses none, from a random
    state that a converter cannot carry; the network is built again without it.
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


def trace_network(model: keras.Model, batch: int | None = None) -> Any:
    """Return the network as a traced function.

    Returns
    -------
    function : tf.function
        ``token_ids`` of int32, shape (batch, length) → ``probabilities`` of float32,
        shape (batch, n_classes).
    """
    signature = [tf.TensorSpec((batch, None), tf.int32, "token_ids")]

    def answer(token_ids: Any) -> dict[str, Any]:
        return {"probabilities": model(token_ids, training=False)}

    return tf.function(answer, input_signature=signature)


@contextmanager
def quiet_logger(name: str) -> Iterator[None]:
    """Keep a logger to its errors: converters tell of what nobody can change."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _first_line(error: Exception) -> str:
    """Return what a converter says first; it may say a hundred lines more."""
    lines = str(error).strip().splitlines()
    line = lines[0][:200] if lines else type(error).__name__
    return line if line.endswith((".", "!")) else f"{line}."
