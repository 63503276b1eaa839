"""The scikit-learn face: raw texts in, label names and probabilities out."""

from __future__ import annotations

import numbers
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from emoclf.bundle.bundle import Bundle
from emoclf.bundle.bundle_folder import load_bundle
from emoclf.datasets.cells import is_missing
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import hold_out
from emoclf.doctor.findings import Finding
from emoclf.errors import DataError, SettingsError
from emoclf.predictor import Predictor
from emoclf.settings import RunSettings
from emoclf.text.validation import as_texts
from emoclf.workflow.train import train_classifier

# What scikit-learn calls otherwise, or what belongs to a file and not to lists.
_OWN = ("settings", "validation_fraction", "random_state")


class EmotionClassifier(ClassifierMixin, BaseEstimator):
    """A small neural classifier of raw texts.

    A part of the training texts is held out to choose the best epoch; duplicates and
    near-duplicates of a text stay on one side.

    Parameters
    ----------
    architecture : str, optional
        A name of ``emoclf.models.ARCHITECTURES``; "text_cnn" unless ``settings`` name
        another.
    vectors : path, optional
        File of word vectors; without one the embedding is drawn at random.
    embedding : {"random", "static", "non-static", "two-channel"}, optional
        "non-static" when there are vectors, "random" when there are none.
    filters, kernel_sizes, dropout
        As in :class:`emoclf.models.text_cnn.TextCNNSettings`; None leaves the
        architecture's default.
    epochs, batch_size, learning_rate, patience, monitor, class_weight
        As in :class:`emoclf.settings.TrainSettings`.
    tokenizer, lowercase, min_count, max_length
        As in :class:`emoclf.settings.TextSettings`.
    settings : RunSettings or mapping, optional
        Every other setting. A keyword that is not None wins over it.
    validation_fraction : float, default=0.15
        Share of the training texts that chooses the epoch.
    random_state : int, RandomState or None, default=None
        An int gives the same model every time; None takes the seed of ``settings``,
        where they are RunSettings, or draws one.

    Attributes
    ----------
    classes_ : ndarray of str, shape (n_classes,)
        In the order of the columns of :meth:`predict_proba`.
    predictor_ : Predictor
    history_ : dict of str to list of float
    n_iter_ : int
        Number of epochs that were trained.
    best_epoch_ : int
        The epoch, from 1, that gave the weights.
    findings_ : tuple of Finding
        What is wrong, or probably wrong, with the network; the worst first.

    Examples
    --------
    >>> from emoclf import EmotionClassifier, load_sample
    >>> data = load_sample()
    >>> classifier = EmotionClassifier(epochs=1, random_state=0)
    >>> classifier.fit(data.texts, data.labels).predict(["What a day!"]).shape
    (1,)
    """

    def __init__(
        self,
        architecture: str | None = None,
        *,
        vectors: str | os.PathLike[str] | None = None,
        embedding: str | None = None,
        filters: int | None = None,
        kernel_sizes: Iterable[int] | None = None,
        dropout: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        patience: int | None = None,
        monitor: str | None = None,
        class_weight: str | Mapping[str, float] | None = None,
        tokenizer: str | None = None,
        lowercase: bool | None = None,
        min_count: int | None = None,
        max_length: int | None = None,
        settings: RunSettings | Mapping[str, Any] | None = None,
        validation_fraction: float = 0.15,
        random_state: Any = None,
    ) -> None:
        self.architecture = architecture
        self.vectors = vectors
        self.embedding = embedding
        self.filters = filters
        self.kernel_sizes = kernel_sizes
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.patience = patience
        self.monitor = monitor
        self.class_weight = class_weight
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.min_count = min_count
        self.max_length = max_length
        self.settings = settings
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(
        self,
        X: Iterable[str],
        y: Iterable[Any],
        sample_weight: Any = None,
        *,
        validation_data: tuple[Iterable[str], Iterable[Any]] | None = None,
        callbacks: Iterable[Any] = (),
    ) -> Self:
        """Fit the classifier.

        Parameters
        ----------
        X : iterable of str
            Raw texts.
        y : iterable of str or int
            One label for each text.
        sample_weight : array of float >= 0, shape (n_texts,), optional
        validation_data : (texts, labels), optional
            Chooses the epoch in place of a part of ``X``.
        callbacks : iterable of keras.callbacks.Callback

        Raises
        ------
        DataError, SettingsError, VectorsError, TrainingError
        """
        texts, labels = as_texts(X), np.asarray(y).ravel()
        _check_labels(texts, labels)
        # Of a column of objects, too, the kind of its values counts.
        classes = np.unique(np.asarray(labels.tolist()))
        names = _class_names(classes)
        weight = _checked_weights(sample_weight, len(texts))
        seed = self._seed()
        settings = self._run_settings(seed)
        dataset = _dataset(texts, labels, names, "X")
        if validation_data is not None:
            valid = _dataset(
                as_texts(validation_data[0]),
                np.asarray(validation_data[1]).ravel(),
                names,
                "validation_data",
            )
            kept = np.arange(len(dataset))
        else:
            kept, held = hold_out(
                dataset,
                self.validation_fraction,
                seed=seed,
                near_duplicates=settings.data.near_duplicates,
            )
            valid = dataset.take(held)
        trained = train_classifier(
            dataset.take(kept),
            valid,
            settings,
            sample_weight=None if weight is None else weight[kept],
            callbacks=list(callbacks),
        )
        kind = classes.dtype.kind.replace("u", "i").replace("O", "U")
        self._take_up(replace(trained.bundle, label_kind=kind), classes)
        return self

    def predict(self, X: Iterable[str]) -> np.ndarray:
        """Return the class of each text, shape (n_texts,)."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(1)]

    def predict_proba(self, X: Iterable[str]) -> np.ndarray:
        """Return probabilities, shape (n_texts, n_classes), as ``classes_`` goes."""
        check_is_fitted(self)
        probabilities = self.predictor_.predict_proba(X).astype(np.float64)
        # scikit-learn's log loss wants rows that sum to one in double precision.
        return probabilities / probabilities.sum(1, keepdims=True)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save as a bundle; ``emoclf predict`` and :meth:`load` read it."""
        check_is_fitted(self)
        return self.predictor_.save(path, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Load a classifier that was saved as a bundle, by whatever saved it."""
        bundle = load_bundle(path)
        if bundle.multilabel:
            raise DataError(
                f"{path} gives several labels per text, which classifiers of "
                "scikit-learn do not. Use emoclf.Predictor.load instead."
            )
        loaded = cls(
            bundle.settings.architecture,
            settings=bundle.settings,
            random_state=bundle.settings.seed,
        )
        loaded._take_up(bundle, _classes(bundle))
        return loaded

    def _seed(self) -> int:
        state = self.random_state
        if isinstance(state, int | np.integer) and not isinstance(state, bool):
            return int(state)
        if state is None and isinstance(self.settings, RunSettings):
            return self.settings.seed
        return int(check_random_state(state).randint(2**31 - 1))

    def _run_settings(self, seed: int) -> RunSettings:
        given = self.settings if self.settings is not None else {}
        if not isinstance(given, RunSettings | Mapping):
            raise SettingsError(
                "settings must be RunSettings or a mapping of names and values. "
                f"Got {given!r} instead."
            )
        flat = {
            name: value
            for name, value in self.get_params(deep=False).items()
            if name not in _OWN and value is not None
        }
        if "vectors" in flat:
            flat["vectors"] = os.fspath(flat["vectors"])
        if isinstance(given, RunSettings):
            return given.override(**flat, seed=seed)
        return RunSettings.from_dict(given, {**flat, "seed": seed})

    def _take_up(self, bundle: Bundle, classes: np.ndarray) -> None:
        self.classes_ = classes
        self.predictor_ = Predictor(bundle)
        self.history_ = bundle.history
        self.n_iter_ = len(bundle.history.get("loss", []))
        self.best_epoch_ = bundle.metrics.get("best_epoch")
        findings = bundle.metrics.get("findings", [])
        self.findings_ = tuple(map(Finding.from_dict, findings))

    def __getstate__(self) -> dict[str, Any]:
        # The network travels as a bundle's content, never as a Keras object.
        state = super().__getstate__()
        if "predictor_" in state:
            state = {**state, "predictor_": state["predictor_"].bundle.to_parts()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "predictor_" in state:
            state = {**state, "predictor_": Predictor(state["predictor_"].to_bundle())}
        super().__setstate__(state)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.non_deterministic = self.random_state is None
        return tags


def _check_labels(texts: list[str], labels: np.ndarray) -> None:
    if len(texts) != len(labels):
        raise DataError(
            f"There must be one label for each text. Got {len(texts)} texts and "
            f"{len(labels)} labels."
        )
    kinds = set()
    for number, label in enumerate(labels.tolist()):
        if is_missing(label):
            raise DataError(
                f"Label number {number} is missing. Got {label!r}; drop the text, or "
                "give it a label."
            )
        kinds.add(_kind(label))
    if len(kinds) > 1 or None in kinds:
        raise DataError(
            "Labels must be all texts, or all numbers. Got "
            f"{', '.join(sorted({type(label).__name__ for label in labels.tolist()}))}."
        )


def _kind(label: Any) -> str | None:
    for kind, name in ((str, "text"), (bool, "truth"), (numbers.Real, "number")):
        if isinstance(label, kind):
            return name
    return None


def _class_names(classes: np.ndarray) -> list[str]:
    """Return a name for each class, as a file would hold it."""
    names = [str(label).strip() for label in classes.tolist()]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(
            f"Several labels are written {twice!r} but for white space at an end. "
            "Strip the labels first."
        )
    return names


def _classes(bundle: Bundle) -> np.ndarray:
    """Return the classes of a loaded bundle in the kind in which they were given."""
    names = np.asarray(bundle.label_names)
    if bundle.label_kind == "b":
        return names == "True"
    return names.astype({"i": np.int64, "f": np.float64}.get(bundle.label_kind, str))


def _checked_weights(sample_weight: Any, n_texts: int) -> np.ndarray | None:
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, float)
    fine = weights.shape == (n_texts,) and np.isfinite(weights).all()
    if not fine or (weights < 0).any() or not weights.any():
        raise SettingsError(
            f"sample_weight must be {n_texts} numbers of at least 0, one for each text "
            f"and not all 0. Got an array of shape {weights.shape}"
            + (f" with a minimum of {weights.min():g}." if weights.size else ".")
        )
    return weights


def _dataset(
    texts: list[str], labels: np.ndarray, names: list[str], source: str
) -> Dataset:
    return Dataset.from_lists(
        texts,
        [str(label).strip() for label in labels.tolist()],
        label_names=names,
        source=source,
    )
