"""A trained classifier with everything that belongs to it, and its plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from emoclf._moved import RenamedAttribute
from emoclf._version import __version__
from emoclf.bundle.described_folder import BUNDLE
from emoclf.display import Described, short_names
from emoclf.errors import BundleError
from emoclf.runtime import import_tensorflow
from emoclf.settings import RunSettings
from emoclf.text.encoder import TextEncoder

if TYPE_CHECKING:
    import keras


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
        or truth values. An estimator predicts labels of the same kind.
    thresholds : tuple of float, or None
        Multilabel: probability from which on each label counts.
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

    several = RenamedAttribute("multilabel")
    figures = RenamedAttribute("metrics")

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
            "format": BUNDLE.format,
            "kind": "classifier",
            "emoclf": __version__,
            "created": self.created,
            "versions": self.versions,
            "architecture": self.settings.architecture,
            "label_names": list(self.label_names),
            "several": self.multilabel,
            "label_kind": self.label_kind,
            "thresholds": self.thresholds and list(self.thresholds),
            "embedding_shape": list(embedding_shape(self.model)),
            "text": text,
        }
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

    def to_bundle(self) -> Bundle:
        """Return the classifier, with its network built and its weights set.

        Raises
        ------
        BundleError
            If weights are missing or do not fit the settings.
        """
        about = self.about
        settings = RunSettings.from_toml(self.settings, name="the bundle's settings")
        encoder = TextEncoder.from_state(about["text"], self.tokens, self.tables)
        return Bundle(
            model=_rebuild(settings, about, self.weights, len(encoder.vocabulary)),
            encoder=encoder,
            label_names=tuple(about["label_names"]),
            multilabel=bool(about["several"]),
            settings=settings,
            history=self.history,
            metrics=self.metrics,
            versions=dict(about["versions"]),
            created=str(about["created"]),
            label_kind=str(about.get("label_kind", "U")),
            thresholds=_thresholds(about),
        )


def _thresholds(about: Mapping[str, Any]) -> tuple[float, ...] | None:
    values = about.get("thresholds")
    if values is None:
        return None
    if len(values) != len(about["label_names"]):
        raise BundleError(
            f"The bundle has {len(values)} thresholds for "
            f"{len(about['label_names'])} labels."
        )
    return tuple(map(float, values))


def installed_versions() -> dict[str, str]:
    """Return the versions of the packages on which a classifier's numbers depend."""
    names = ("tensorflow", "keras", "numpy", "gensim", "scikit-learn")
    return {"emoclf": __version__, **{name: version(name) for name in names}}


def _rebuild(
    settings: RunSettings,
    about: Mapping[str, Any],
    weights: Mapping[str, np.ndarray],
    vocabulary_size: int,
) -> keras.Model:
    # Keras loads here, so that reading about bundles stays cheap.
    import_tensorflow()
    from emoclf.models.build import build_model

    size, dim = about["embedding_shape"]
    if size != vocabulary_size:
        raise BundleError(
            f"The vocabulary has {vocabulary_size} ids, and the embedding matrix "
            f"{size} rows."
        )
    model = build_model(
        settings,
        n_classes=len(about["label_names"]),
        multilabel=bool(about["several"]),
        shape=(size, dim),
    )
    for variable in model.weights:
        value = weights.get(variable.path)
        if value is None or tuple(variable.shape) != value.shape:
            shape = "no weights" if value is None else value.shape
            raise BundleError(
                f"The weights of {variable.path} must have the shape "
                f"{tuple(variable.shape)}. Got {shape}."
            )
        variable.assign(value)
    return model
