"""A trained classifier with everything that belongs to it, and its plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from emoclf._version import __version__
from emoclf.bundle.described_folder import BUNDLE
from emoclf.bundle.json_values import JsonObject, check_texts
from emoclf.contextual.input_vectors import InputVectors
from emoclf.contextual.sentence_pooling import MEAN, POOLINGS, are_poolings
from emoclf.display import Described, short_names
from emoclf.errors import BundleError
from emoclf.runtime import import_tensorflow
from emoclf.settings import RunSettings
from emoclf.settings.run_settings import parse_toml
from emoclf.text.encoder import TextEncoder

if TYPE_CHECKING:
    import keras

#: Format of bundles without ``inputs``, which emoclf reads since its first version.
PLAIN_FORMAT = 1


@dataclass(frozen=True, repr=False)
class Bundle(Described):
    """A trained classifier with everything that belongs to it.

    Parameters
    ----------
    model : keras.Model
        token_ids (batch, length) → probabilities (batch, n_classes).
    encoder : TextEncoder
        Texts to token ids.
    label_names : tuple of str
        Names of the classes, in the order of the columns of the probabilities.
    multilabel : bool
        A text may have several labels.
    settings : RunSettings
    history, metrics : dict
        Plain values that JSON can hold.
    versions : dict of str to str
        Versions of the packages that trained it.
    created : str
        Time of training, UTC, ISO 8601.
    label_kind : {"U", "i", "f", "b"}
        NumPy kind of the labels before they got names: texts, whole numbers, numbers
        or truth values. An estimator predicts labels of the same kind; multilabel, a
        matrix of that kind.
    thresholds : tuple of float, or None
        Multilabel: probability from which on each label counts.
    inputs : InputVectors, or None
        Vectors of texts that the network takes in the place of token ids.
    """

    model: keras.Model
    encoder: TextEncoder
    label_names: tuple[str, ...]
    multilabel: bool
    settings: RunSettings
    history: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=lambda: installed_versions())
    created: str = field(
        default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds")
    )
    label_kind: str = "U"
    thresholds: tuple[float, ...] | None = None
    inputs: InputVectors | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # Other versions of Keras cannot load a pickled network.
        return BundleParts.to_bundle, (self.to_parts(),)

    def _facts(self) -> dict[str, object]:
        return {
            "architecture": self.settings.architecture,
            "labels": short_names(self.label_names),
            "created": self.created,
            "emoclf": self.versions.get("emoclf", ""),
        }

    def to_parts(self) -> BundleParts:
        """Return the classifier as plain values and arrays.

        Raises
        ------
        BundleError
            If two variables of the model share a name.
        """
        # Keras loads here, so that reading about bundles stays cheap.
        from emoclf.models.embedding import embedding_shape

        text, tokens, tables = self.encoder.to_state()
        weights = {str(w.path): np.asarray(w.numpy()) for w in self.model.weights}
        if len(weights) != len(self.model.weights):
            raise BundleError(
                "Two variables of the model share one name, so that its weights cannot "
                "be saved. Give every layer a different name."
            )
        about = {
            "format": PLAIN_FORMAT if self.inputs is None else BUNDLE.format,
            "kind": "classifier",
            "emoclf": __version__,
            "created": self.created,
            "versions": self.versions,
            "architecture": self.settings.architecture,
            "label_names": list(self.label_names),
            "several": self.multilabel,
            "label_kind": self.label_kind,
            "thresholds": self.thresholds and list(self.thresholds),
            "text": text,
        }
        if self.inputs is None:
            about["embedding_shape"] = list(embedding_shape(self.model))
        else:
            about["inputs"] = self.inputs.to_dict()
        return BundleParts(
            about=about,
            settings=self.settings.to_toml(),
            tokens=list(tokens),
            tables=tables,
            weights=weights,
            history=self.history,
            metrics=self.metrics,
        )


@dataclass(frozen=True)
class BundleParts:
    """A classifier as plain values and arrays, for files and pickles."""

    about: dict[str, Any]
    settings: str
    tokens: list[str]
    tables: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]
    history: dict[str, Any]
    metrics: dict[str, Any]

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Pickles of 0.1 call the metrics figures, as files do.
        if "figures" in state:
            state = {**state, "metrics": state["figures"]}
            del state["figures"]
        self.__dict__.update(state)

    def to_bundle(self) -> Bundle:
        """Return the classifier, with its network built and its weights set.

        Raises
        ------
        BundleError
            If weights are missing or do not fit the settings.
        """
        about = JsonObject(self.about)
        label_names = about.texts("label_names", at_least=2)
        encoder = stored_encoder(about, self.tokens, self.tables)
        values = parse_toml(self.settings, name="the bundle's settings")
        settings = RunSettings.from_stored(values)
        # Bundles of the first versions have neither.
        optional = JsonObject({"label_kind": "U", "thresholds": None, **about.values})
        thresholds = optional.thresholds("thresholds", len(label_names))
        inputs = _inputs_of(about)
        return Bundle(
            model=_rebuild(
                settings, about, self.weights, len(encoder.vocabulary), inputs
            ),
            encoder=encoder,
            label_names=tuple(label_names),
            multilabel=about.flag("several"),
            settings=settings,
            history=JsonObject(self.history, "history").values,
            metrics=JsonObject(self.metrics, "metrics").values,
            versions=dict(about.object("versions").values),
            created=about.text("created"),
            label_kind=optional.text("label_kind", ("U", "i", "f", "b")),
            thresholds=None if thresholds is None else tuple(map(float, thresholds)),
            inputs=inputs,
        )


def stored_encoder(
    about: JsonObject, tokens: list[str], tables: dict[str, np.ndarray]
) -> TextEncoder:
    """Return the encoder that a folder describes.

    Raises
    ------
    ValueError
        If a value is missing, or has another type or range.
    """
    text = about.object("text")
    text.whole("max_length", 1)
    text.texts("stop_words")
    text.object("tokenizer").texts("emoticons")
    check_texts(tokens, "the vocabulary")
    return TextEncoder.from_state(text.values, tokens, tables)


def _inputs_of(about: JsonObject) -> InputVectors | None:
    if "inputs" not in about.values:
        return None
    values = about.object("inputs")
    encoder = None if values.get("encoder") is None else values.text("encoder")
    pooling = values.values.get("pooling", MEAN)
    if not are_poolings(pooling):
        raise ValueError(
            f"inputs.pooling must be names of {', '.join(POOLINGS)}. Got {pooling!r}"
        )
    return InputVectors(
        dim=values.whole("dim", 1, 1 << 16),
        encoder=encoder,
        digest=values.text("digest"),
        pooled=values.flag("pooled"),
        pooling=tuple(pooling),
    )


def installed_versions() -> dict[str, str]:
    """Return the versions of the packages on which a classifier's numbers depend."""
    names = ("tensorflow", "keras", "numpy", "gensim", "scikit-learn")
    return {"emoclf": __version__, **{name: version(name) for name in names}}


def _rebuild(
    settings: RunSettings,
    about: JsonObject,
    weights: Mapping[str, np.ndarray],
    vocabulary_size: int,
    inputs: InputVectors | None,
) -> keras.Model:
    # Keras loads here, so that reading about bundles stays cheap.
    import_tensorflow()
    from emoclf.bundle.saved_networks import rebuild
    from emoclf.models.build import build_model
    from emoclf.models.ngram_scores import BUCKETS, PAIRS

    # Before anything of the declared size is allocated.
    shape = None
    if inputs is None:
        shape = _checked_shape(about, weights, vocabulary_size)
    pairs = weights.get(PAIRS, np.empty(BUCKETS + 1))
    build = partial(
        build_model,
        settings,
        n_classes=len(about.texts("label_names")),
        multilabel=about.flag("several"),
        shape=shape,
        embedded_dim=None if inputs is None else inputs.dim,
        # Networks before emoclf 0.12 have fewer.
        ngram_buckets=max(len(np.atleast_1d(pairs)) - 1, 1),
    )
    return rebuild(build, weights, attrgetter("weights"))


def _checked_shape(
    about: JsonObject, weights: Mapping[str, np.ndarray], vocabulary_size: int
) -> tuple[int, int]:
    """Return the declared shape of the embedding matrix, which the weights have."""
    from emoclf.models.embedding import is_embedding

    shape = about.get("embedding_shape")
    matrices = [list(x.shape) for path, x in weights.items() if is_embedding(path)]
    if shape not in matrices:
        raise BundleError(
            f"The embedding matrix must have the shape {shape}. Got {matrices}."
        )
    if shape[0] != vocabulary_size:
        raise BundleError(
            f"The vocabulary has {vocabulary_size} ids, and the embedding matrix "
            f"{shape[0]} rows."
        )
    return shape[0], shape[1]
