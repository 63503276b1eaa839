"""Everything that is known of one trained classifier, and its plain form."""

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
from emoclf.errors import BundleError
from emoclf.settings import RunSettings
from emoclf.text.encoder import TextEncoder

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Bundle:
    """Everything that is known of one trained classifier.

    Parameters
    ----------
    model : keras.Model
        token_ids (batch, length) → probabilities (batch, n_classes).
    encoder : TextEncoder
        The one road from texts to token ids.
    label_names : tuple of str
        In the order of the columns of the probabilities.
    multilabel : bool
        A text may have several labels.
    settings : RunSettings
    history, metrics : dict
        Plain values, as JSON knows them.
    versions : dict of str to str
        What it was made with.
    created : str
        Time of training, UTC, ISO 8601.
    label_kind : {"U", "i", "f", "b"}
        What the labels were before they got names: texts, whole numbers, numbers or
        truth values. An estimator answers in the same kind.
    thresholds : tuple of float, or None
        For several labels per text: from which probability on each counts.
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

    def to_parts(self) -> BundleParts:
        """Take the classifier apart into plain values and arrays.

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
                "be saved. Give every layer a name of its own."
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
    """A classifier as plain values and arrays: what files and pickles hold."""

    about: dict[str, Any]
    settings: str
    tokens: list[str]
    tables: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]
    history: dict[str, Any]
    metrics: dict[str, Any]

    def to_bundle(self) -> Bundle:
        """Build the classifier again.

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
    """Return the versions of what decides about a classifier's numbers."""
    names = ("tensorflow", "keras", "numpy", "gensim", "scikit-learn")
    return {"emoclf": __version__, **{name: version(name) for name in names}}


def _rebuild(
    settings: RunSettings,
    about: Mapping[str, Any],
    weights: Mapping[str, np.ndarray],
    known: int,
) -> keras.Model:
    # Keras loads here, so that reading about bundles stays cheap.
    from emoclf.models.build import build_model

    size, dim = about["embedding_shape"]
    if size != known:
        raise BundleError(
            f"The vocabulary has {known} ids, and the embedding matrix {size} rows."
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
            found = "no weights" if value is None else f"weights of shape {value.shape}"
            raise BundleError(
                f"The bundle has {found} for {variable.path}; its settings ask for "
                f"{tuple(variable.shape)}."
            )
        variable.assign(value)
    return model
