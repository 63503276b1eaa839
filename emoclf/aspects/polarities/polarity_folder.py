"""The files of a polarity classifier in the folder of an aspect model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from emoclf.aspects.polarities.encoder_scores import EncoderScores
from emoclf.aspects.polarities.place_scores import PLACE_SCORES
from emoclf.aspects.polarities.polarity_classifier import PolarityClassifier
from emoclf.aspects.polarities.polarity_model import PolarityModel
from emoclf.aspects.polarities.polarity_network import PolaritySettings, build_polarity
from emoclf.aspects.polarities.polarity_targets import MARKERS
from emoclf.bundle.json_values import JsonObject, check_texts
from emoclf.bundle.saved_networks import rebuild, weights_of
from emoclf.doctor.findings import Finding
from emoclf.errors import BundleError
from emoclf.models.embedding import embedding_shape
from emoclf.settings.run_settings import parse_toml
from emoclf.text.encoder import TextEncoder

POLARITY_FILES = {
    "polarity_about": "polarity.json",
    "polarity_settings": "polarity-settings.toml",
    "polarity_tokens": "polarity-vocabulary.json",
    "polarity_tables": "polarity-tokenizer.npz",
    "polarity_weights": "polarity-weights.npz",
}


def polarity_values(classifier: PolarityClassifier) -> dict[str, Any]:
    """Return a classifier as plain values and arrays, by the names of the table."""
    import tomli_w  # Prediction writes no TOML.

    model = classifier.model_
    text = model.text_encoder
    tokenizer, tables = text.tokenizer.to_state()
    encoder, arrays = model.encoder.to_values() if model.encoder else (None, {})
    return {
        "polarity_about": {
            "label_names": list(model.label_names),
            "embedding_shape": list(embedding_shape(model.networks[0])),
            "tokenizer": tokenizer,
            "encoder": encoder,
            "history": classifier.history_,
            "validation": classifier.validation_,
            "findings": [finding.to_dict() for finding in classifier.findings_],
        },
        "polarity_settings": tomli_w.dumps(model.settings.to_dict()),
        "polarity_tokens": list(text.vocabulary.tokens),
        "polarity_tables": tables,
        "polarity_weights": {
            f"{number}/{weight.path}": np.asarray(weight.numpy())
            for number, network in enumerate(model.networks)
            for weight in network.weights
        }
        | arrays,
    }


def polarity_from_values(values: Mapping[str, Any]) -> PolarityClassifier:
    """Return the classifier of what :func:`polarity_values` returned.

    Raises
    ------
    BundleError, ValueError
        If the values do not fit together.
    """
    about = JsonObject(values["polarity_about"], "polarity")
    names = about.texts("label_names", at_least=2)
    about.object("tokenizer").texts("emoticons")
    tokens = values["polarity_tokens"]
    check_texts(tokens, "the vocabulary of the polarity classifier", at_least=2)
    weights = values["polarity_weights"]
    shape = about.get("embedding_shape")
    shapes = [list(x.shape) for x in weights.values()]
    if shape not in shapes or shape[0] != len(tokens) + 2 or tokens[:2] != [*MARKERS]:
        raise BundleError(
            f"The polarity classifier has {len(tokens)} tokens, beginning with "
            f"{tokens[:2]}, and an embedding matrix of the shape {shape}."
        )
    settings = PolaritySettings.from_dict(
        parse_toml(values["polarity_settings"], name="the polarity settings")
    )
    if not any(f"/{PLACE_SCORES}/" in path for path in weights):
        # Folders written before the linear part existed have no weights of it.
        settings = replace(settings, linear_share=0.0)
    networks = [
        rebuild(
            lambda: build_polarity(settings, len(names), shape=tuple(shape)),
            weights_of(weights, number),
            lambda network: network.weights,
        )
        for number in range(settings.members)
    ]
    encoder = None
    if settings.encoder is not None:
        described = about.object("encoder").values
        encoder = EncoderScores.from_values(described, weights, len(names))
    text = {
        "tokenizer": about.object("tokenizer").values,
        "max_length": 2**31 - 1,
        "stop_words": (),
    }
    text_encoder = TextEncoder.from_state(text, tokens, values["polarity_tables"])
    return PolarityClassifier.from_model(
        PolarityModel(settings, text_encoder, tuple(names), tuple(networks), encoder),
        [item.values for item in about.objects("history")],
        about.object("validation").values,
        # 0.7 had none.
        map(Finding.from_dict, about.values.get("findings", [])),
    )
