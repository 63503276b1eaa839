"""An aspect model as files of ONNX: token ids in, tags and confidences out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from emoclf.aspects.aspect_model import AspectModel
from emoclf.aspects.exports.exported_aspects import POLARITY, TAGGER_OUTPUTS
from emoclf.aspects.polarities.polarity_graph import mean_probabilities
from emoclf.export.inference_network import conversion_errors
from emoclf.export.onnx import ERRORS, check_packages, to_onnx
from emoclf.export.write_export import write_text_encoder
from emoclf.serving.onnx import INPUT, MODEL, OUTPUT


def write_onnx(model: AspectModel, folder: Path) -> dict[str, Any]:
    """Write the networks with their tokenizers, and return their entries.

    ``model.onnx`` takes ``token_ids`` (int32, [batch, length], 0 is padding, length at
    least 1) and, if the tagger reads characters, ``characters`` (int32, [batch, length,
    16]); it returns ``tags`` (int32, [batch, length]), ids of the tags in
    ``emoclf.json``, and ``confidence`` (float32, [batch, length]), at the first token
    of each term the probability of exactly its borders, else 0. ``polarity/model.onnx``
    takes ``token_ids`` of the tokens around a target and returns ``probabilities``.
    """
    check_packages("export_aspects")
    tagger = model.tagger.model_

    def tag(*inputs: Any) -> dict[str, Any]:
        outputs = tagger.graph(*inputs)
        return {name: outputs[name] for name in TAGGER_OUTPUTS}

    _convert(tag, tagger.graph.signature, folder / MODEL, name="tagger")
    entries: dict[str, Any] = write_text_encoder(tagger.encoder.encoder, folder)
    if model.polarity is not None:
        classifier = model.polarity.model_
        part = folder / POLARITY
        part.mkdir()
        signature = [tf.TensorSpec((None, None), tf.int32, INPUT)]
        _convert(
            lambda x: {OUTPUT: mean_probabilities(classifier.networks, x)},
            signature,
            part / MODEL,
            name="polarity",
        )
        entries[POLARITY] = write_text_encoder(classifier.text_encoder, part)
    return entries


def _convert(function: Any, signature: list[Any], path: Path, *, name: str) -> None:
    traced = tf.function(function, input_signature=signature)
    with conversion_errors(name, "onnx", ERRORS):
        path.write_bytes(to_onnx(traced))
