"""A scikit-learn classifier of raw texts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from numbers import Real
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
from emoclf.text.validation import as_texts, check_list
from emoclf.workflow.train import train_classifier

# Parameters that are not names of settings.
_OTHER_PARAMETERS = ("settings", "validation_fraction", "random_state", "verbose")


class EmotionClassifier(ClassifierMixin, BaseEstimator):
    """A small neural classifier of raw texts.

    A validation set is held out of the training texts to choose the best epoch;
    duplicates and near-duplicates of a text are kept together.

    Parameters
    ----------
    architecture : str, optional
        Name in ``emoclf.models.ARCHITECTURES``; default: that of ``settings``, or
        "text_cnn".
    vectors : path, optional
        File of word vectors; without one the embedding is random.
    embedding : {"random", "static", "non-static", "two-channel"}, optional
        Kind of embedding; default: "non-static" with vectors, "random" without.
    filters, kernel_sizes, dropout
        Settings of :class:`emoclf.models.text_cnn.TextCNNSettings`; None: the default
        of the architecture.
    epochs, batch_size, learning_rate, patience, monitor, class_weight
        Settings of :class:`emoclf.settings.TrainSettings`.
    tokenizer, lowercase, min_count, max_length
        Settings of :class:`emoclf.settings.TextSettings`.
    settings : RunSettings or mapping, optional
        All other settings. Parameters that are not None override it.
    validation_fraction : float, default=0.15
        Share of the training texts that chooses the epoch.
    random_state : int, RandomState or None, default=None
        Seed; an int gives the same model every time. None: the seed of ``settings``
        if they are RunSettings, or else a random one.
    verbose : {0, 1}, default=0
        Whether :meth:`fit` shows its progress.

    Attributes
    ----------
    classes_ : ndarray of str, shape (n_classes,)
        Classes, in the order of the columns of :meth:`predict_proba`.
    predictor_ : Predictor
    history_ : dict of str to list of float
    n_iter_ : int
        Number of epochs that were trained.
    best_epoch_ : int
        Epoch, from 1, whose weights the classifier has.
    findings_ : tuple of Finding
        Problems of the training, certain or probable; the worst first.

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
        verbose: Any = 0,
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
        self.verbose = verbose

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
            Validation set; default: a share of ``X``.
        callbacks : iterable of keras.callbacks.Callback

        Raises
        ------
        DataError, SettingsError, VectorsError, TrainingError
        """
        check_list(y, "y")
        column = self._run_settings(0).data.text_column
        texts, labels = as_texts(X, column), np.asarray(y).ravel().tolist()
        _check_labels(texts, labels)
        # A column of objects gets the type of its values.
        classes = np.unique(np.asarray(labels))
        names = _class_names(classes)
        weights = _check_weights(sample_weight, len(texts))
        seed = self._seed()
        settings = self._run_settings(seed)
        dataset = _dataset(texts, labels, names, "X")
        if validation_data is not None:
            valid_labels = np.asarray(validation_data[1]).ravel().tolist()
            valid_texts = as_texts(validation_data[0], column)
            valid = _dataset(valid_texts, valid_labels, names, "validation_data")
            rest = np.arange(len(dataset))
        else:
            rest, held_out = hold_out(
                dataset,
                self.validation_fraction,
                seed=seed,
                near_duplicates=settings.data.near_duplicates,
            )
            valid = dataset.take(held_out)
        trained = train_classifier(
            dataset.take(rest),
            valid,
            settings,
            sample_weight=None if weights is None else weights[rest],
            callbacks=list(callbacks),
            verbose=self.verbose,
        )
        label_kind = classes.dtype.kind.replace("u", "i").replace("O", "U")
        self._set_bundle(replace(trained.bundle, label_kind=label_kind), classes)
        return self

    def predict(self, X: Iterable[str]) -> np.ndarray:
        """Return the class of each text, shape (n_texts,)."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(1)]

    def predict_proba(self, X: Iterable[str]) -> np.ndarray:
        """Return probabilities, shape (n_texts, n_classes), in ``classes_`` order."""
        check_is_fitted(self)
        probabilities = self.predictor_.predict_proba(X).astype(np.float64)
        # scikit-learn's log loss needs rows that sum to one in double precision.
        return probabilities / probabilities.sum(1, keepdims=True)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save as a bundle, which ``emoclf predict`` and :meth:`load` read."""
        check_is_fitted(self)
        return self.predictor_.save(path, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Load a classifier from a bundle, whatever saved it."""
        bundle = load_bundle(path)
        if bundle.multilabel:
            raise DataError(
                f"{path} is a multilabel classifier, which EmotionClassifier does not "
                "support. Use emoclf.Predictor.load instead."
            )
        settings = bundle.settings
        loaded = cls(
            settings.architecture, settings=settings, random_state=settings.seed
        )
        loaded._set_bundle(bundle, _classes(bundle))
        return loaded

    def _seed(self) -> int:
        state = self.random_state
        if isinstance(state, int | np.integer) and not isinstance(state, bool):
            return int(state)
        if state is None and isinstance(self.settings, RunSettings):
            return self.settings.seed
        return int(check_random_state(state).randint(2**31 - 1))

    def _run_settings(self, seed: int) -> RunSettings:
        flat = {
            name: value
            for name, value in self.get_params(deep=False).items()
            if name not in _OTHER_PARAMETERS and value is not None
        }
        if "vectors" in flat:
            flat["vectors"] = os.fspath(flat["vectors"])
        return RunSettings.of(self.settings, {**flat, "seed": seed})

    def _set_bundle(self, bundle: Bundle, classes: np.ndarray) -> None:
        self.classes_ = classes
        self.predictor_ = Predictor(bundle)
        self.history_ = bundle.history
        self.n_iter_ = len(bundle.history.get("loss", []))
        self.best_epoch_ = bundle.metrics.get("best_epoch")
        findings = bundle.metrics.get("findings", [])
        self.findings_ = tuple(map(Finding.from_dict, findings))

    def __getstate__(self) -> dict[str, Any]:
        # The network is pickled as the plain values of a bundle: Keras objects cannot
        # be loaded by other versions of Keras.
        state = super().__getstate__()
        if "predictor_" in state:
            state = {**state, "predictor_": state["predictor_"].bundle.to_parts()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Older versions had no such parameter.
        state = {"verbose": 0, **state}
        if "predictor_" in state:
            state = {**state, "predictor_": Predictor(state["predictor_"].to_bundle())}
        super().__setstate__(state)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.non_deterministic = self.random_state is None
        return tags


def _check_labels(texts: list[str], labels: list[Any]) -> None:
    if len(texts) != len(labels):
        raise DataError(
            f"There must be one label for each text. Got {len(texts)} texts and "
            f"{len(labels)} labels."
        )
    for number, label in enumerate(labels):
        if is_missing(label):
            raise DataError(
                f"Label number {number} is missing. Got {label!r}; drop the text, or "
                "give it a label."
            )
    # A bool is a Real as well, so the order matters.
    kinds = {
        next((kind for kind in (str, bool, Real) if isinstance(label, kind)), None)
        for label in labels
    }
    if len(kinds) > 1 or None in kinds:
        raise DataError(
            "Labels must be all texts, or all numbers. Got "
            f"{', '.join(sorted({type(label).__name__ for label in labels}))}."
        )


def _class_names(classes: np.ndarray) -> list[str]:
    """Return a name for each class, as a file contains it."""
    names = [str(label).strip() for label in classes.tolist()]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(
            f"Several labels differ from {twice!r} only in white space at their ends. "
            "Strip the labels first."
        )
    return names


def _classes(bundle: Bundle) -> np.ndarray:
    """Return the classes of a loaded bundle in their original type."""
    names = np.asarray(bundle.label_names)
    if bundle.label_kind == "b":
        return names == "True"
    return names.astype({"i": np.int64, "f": np.float64}.get(bundle.label_kind, str))


def _check_weights(sample_weight: Any, n_texts: int) -> np.ndarray | None:
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, float)
    valid = weights.shape == (n_texts,) and np.isfinite(weights).all()
    if not valid or (weights < 0).any() or not weights.any():
        raise SettingsError(
            f"sample_weight must be {n_texts} numbers of at least 0, one for each text "
            f"and not all 0. Got an array of shape {weights.shape}"
            + (f" with a minimum of {weights.min():g}." if weights.size else ".")
        )
    return weights


def _dataset(
    texts: list[str], labels: list[Any], names: list[str], source: str
) -> Dataset:
    return Dataset.from_lists(
        texts,
        [str(label).strip() for label in labels],
        label_names=names,
        source=source,
    )
