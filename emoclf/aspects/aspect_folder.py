"""The folder of an aspect model: a tagger and, if there is one, a polarity classifier.

======================  ==========================================================
``aspects.json``        format, versions, tags, alphabet, tokenizer, parts
``settings.toml``       settings of the tagger
``vocabulary.json``     tokens in the order of their ids
``terms.json``          terms of the training set, for the recall of unseen ones
``tokenizer.npz``       tables of the tokenizer
``weights.npz``         weights of all networks
``history.json``        one number for each epoch and metric, for each network
``figures.json``        scores and the sets they were computed on
``polarity-….…``        settings, vocabulary, tokenizer and weights of the polarity
                        classifier, if there is one; its labels are in the first file
``sha256sums.txt``      checksums of all of these
======================  ==========================================================

It is written beside its target and renamed; nothing in it is ever executed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from emoclf._version import __version__
from emoclf.aspects.data.tags import is_tag_set
from emoclf.aspects.polarities.polarity_classifier import PolarityClassifier
from emoclf.aspects.polarities.polarity_folder import (
    POLARITY_FILES,
    polarity_from_values,
    polarity_values,
)
from emoclf.aspects.terms.aspect_settings import AspectSettings
from emoclf.aspects.terms.sentence_encoder import SentenceEncoder
from emoclf.aspects.terms.span_model import SpanModel
from emoclf.aspects.terms.tagger_network import TaggerNetwork, build_tagger
from emoclf.aspects.terms.train_tagger import TrainedSpans
from emoclf.bundle.bundle import installed_versions, stored_encoder
from emoclf.bundle.bundle_folder import read_part, write_part
from emoclf.bundle.described_folder import (
    FolderKind,
    readable_place,
    reading,
    write_sums,
)
from emoclf.bundle.json_values import JsonObject, check_texts
from emoclf.bundle.saved_networks import rebuild, weights_of
from emoclf.doctor.findings import Finding
from emoclf.errors import BundleError
from emoclf.models.embedding import embedding_shape, is_embedding
from emoclf.settings.run_settings import parse_toml

FILES = {
    "about": "aspects.json",
    "settings": "settings.toml",
    "tokens": "vocabulary.json",
    "terms": "terms.json",
    "tables": "tokenizer.npz",
    "weights": "weights.npz",
    "history": "history.json",
    "metrics": "figures.json",
}
ASPECTS = FolderKind(
    "an aspect model", FILES["about"], 1, "emoclf aspects train", "train again",
    BundleError, tuple(FILES.values()),
)  # fmt: skip


@dataclass(frozen=True)
class AspectParts(TrainedSpans):
    """Everything that is saved: a tagger and, if there is one, a polarity classifier.

    Parameters
    ----------
    model, terms, history, metrics, findings
        See :class:`TrainedSpans`.
    polarity : PolarityClassifier, optional
    """

    polarity: PolarityClassifier | None = None


def save_aspects(
    parts: AspectParts, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write an aspect model, completely or not at all.

    Raises
    ------
    BundleError
        If the target is something else, or the folder cannot be written.
    """
    values = to_values(parts)
    files = dict(FILES)
    if parts.polarity is not None:
        values |= polarity_values(parts.polarity)
        files |= POLARITY_FILES
    with ASPECTS.new_folder(path, overwrite=overwrite) as folder:
        for part, name in files.items():
            write_part(folder / name, values[part])
        write_sums(folder, files.values())
    return ASPECTS.place(path)


def to_values(parts: AspectParts) -> dict[str, Any]:
    """Return a tagger as plain values and arrays, by the names of ``FILES``."""
    import tomli_w  # Prediction writes no TOML.

    model = parts.model
    text, tokens, tables = model.encoder.encoder.to_state()
    return {
        "about": {
            "format": ASPECTS.format,
            "kind": "aspects",
            "emoclf": __version__,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": installed_versions(),
            "tags": list(model.tags),
            "alphabet": list(model.encoder.alphabet),
            "embedding_shape": list(embedding_shape(model.networks[0].emissions)),
            "text": text,
            "polarity": parts.polarity is not None,
        },
        "settings": tomli_w.dumps(model.settings.to_dict()),
        "tokens": list(tokens),
        "terms": sorted(parts.terms),
        "tables": tables,
        "weights": {
            f"{number}/{weight.path}": np.asarray(weight.numpy())
            for number, network in enumerate(model.networks)
            for weight in network.training.weights
        },
        "history": parts.history,
        "metrics": {
            **parts.metrics,
            "findings": [finding.to_dict() for finding in parts.findings],
        },
    }


def load_aspects(path: str | os.PathLike[str]) -> AspectParts:
    """Read an aspect model, and check all of its files.

    Raises
    ------
    BundleError
        If it is missing, incomplete, damaged, or newer than this emoclf.
    """
    source = readable_place(ASPECTS.place(path))
    about = JsonObject(ASPECTS.read_about(source))
    try:
        has_polarity = about.flag("polarity")
    except ValueError as error:
        raise ASPECTS.damaged(source / FILES["about"], error) from error
    files = FILES | (POLARITY_FILES if has_polarity else {})
    ASPECTS._replace(files=tuple(files.values())).check_sums(source)
    with reading(source, about.values):
        values = {part: read_part(source / name) for part, name in files.items()}
        parts = from_values(values)
        if has_polarity:
            parts = replace(parts, polarity=polarity_from_values(values))
        return parts


def from_values(values: Mapping[str, Any]) -> AspectParts:
    """Return the tagger of what :func:`to_values` returned, or files contain.

    Raises
    ------
    BundleError, ValueError
        If the values do not fit together.
    """
    model = _model(JsonObject(values["about"]), values)
    check_texts(values["terms"], "the terms")
    history = JsonObject({"history": values["history"]}).objects("history")
    metrics = dict(JsonObject(values["metrics"], "metrics").values)
    return AspectParts(
        model,
        frozenset(values["terms"]),
        [item.values for item in history],
        metrics,
        findings=tuple(map(Finding.from_dict, metrics.pop("findings", []))),
    )


def _model(about: JsonObject, values: Mapping[str, Any]) -> SpanModel:
    tags = about.texts("tags", at_least=2)
    settings = AspectSettings.from_dict(
        parse_toml(values["settings"], name="the model's settings")
    )
    if not is_tag_set(tags, [settings.scheme]):
        raise BundleError(f"The tags are not those of {settings.scheme}: {tags[:9]}.")
    encoder = SentenceEncoder(
        stored_encoder(about, values["tokens"], values["tables"]),
        about.texts("alphabet"),
    )
    shape = about.get("embedding_shape")
    weights = values["weights"]
    matrices = [
        list(value.shape)
        for path, value in weights.items()
        if is_embedding(path.partition("/")[2])
    ]
    n_ids = len(encoder.encoder.vocabulary)
    if shape not in matrices or shape[0] != n_ids:
        raise BundleError(
            f"The embedding matrix must have the shape {shape} and a row for each of "
            f"{n_ids} ids. Got {matrices}."
        )

    def build() -> TaggerNetwork:
        return build_tagger(
            settings, tags, shape=tuple(shape), n_characters=encoder.n_characters
        )

    networks = [
        rebuild(
            build, weights_of(weights, number), lambda network: network.training.weights
        )
        for number in range(settings.members)
    ]
    return SpanModel(settings, encoder, tuple(tags), tuple(networks))
