"""A scikit-learn classifier of raw texts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from inspect import signature
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from emoclf.bundle.bundle import Bundle
from emoclf.bundle.bundle_folder import load_bundle
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.given_vectors import are_vectors, checked_vectors
from emoclf.datasets.split import hold_out
from emoclf.doctor.findings import Finding
from emoclf.errors import DataError, SettingsError
from emoclf.estimator_labels import classes_of, labelled_dataset
from emoclf.predictor import Predictor
from emoclf.settings import DataSettings, RunSettings
from emoclf.text.validation import as_texts
from emoclf.workflow.train import train_classifier

# Parameters that are not names of settings.
_OTHER_PARAMETERS = (
    *("vectors", "settings", "validation_fraction", "random_state", "verbose"),
)


@dataclass(repr=False, eq=False)
class EmotionClassifier(ClassifierMixin, BaseEstimator):
    """A small neural classifier of raw texts.

    A validation set is held out of the training texts to choose the best epoch;
    duplicates and near-duplicates of a text are kept together.

    Parameters
    ----------
    architecture : str, optional
        Name in ``emoclf.models.ARCHITECTURES``; default: that of ``settings``, or
        "text_cnn".
    vectors : path, WordVectors, KeyedVectors, (words, array), mapping or list, optional
        Word vectors; "none": a random embedding; default: the starter vectors of the
        package, if they cover the texts. Give a path where estimators
        are cloned or sent to other processes: each of them copies an object of gensim.
    embedding : {"random", "static", "non-static", "two-channel"}, optional
        Kind of embedding; default: "non-static" with vectors, "random" without.
    encoder : str or path, optional
        Folder of a transformer encoder, or its name on the Hugging Face Hub, whose
        vectors take the place of word vectors (extra ``transformers``).
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
    classes_ : ndarray of the type of y, shape (n_classes,)
        Classes, in the order of the columns of :meth:`predict_proba`; after a fit on a
        matrix, the numbers or names of its columns.
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

    architecture: str | None = None
    _: KW_ONLY
    vectors: Any = None
    embedding: str | None = None
    encoder: str | os.PathLike[str] | None = None
    filters: int | None = None
    kernel_sizes: Iterable[int] | None = None
    dropout: float | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    patience: int | None = None
    monitor: str | None = None
    class_weight: str | Mapping[str, float] | None = None
    tokenizer: str | None = None
    lowercase: bool | None = None
    min_count: int | None = None
    max_length: int | None = None
    settings: RunSettings | Mapping[str, Any] | None = None
    validation_fraction: float = 0.15
    random_state: Any = None
    verbose: Any = 0

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
            Raw texts. Or vectors of texts from elsewhere: an array of shape (n_texts,
            length, dim), or a list of arrays of shape (length, dim).
        y : iterable of str or int
            One label for each text. Multilabel: lists of labels, or a matrix of shape
            (n_texts, n_classes) with a 0 or a 1 for each class, as in scikit-learn;
            the columns of a DataFrame are names of classes.
        sample_weight : array of float >= 0, shape (n_texts,), optional
        validation_data : (texts, labels), optional
            Validation set; default: a share of ``X``.
        callbacks : iterable of keras.callbacks.Callback

        Raises
        ------
        DataError, SettingsError, VectorsError, TrainingError
        """
        seed = self._seed()
        settings = self._run_settings(seed)
        data = settings.data
        dataset, classes, kind = _dataset_of(X, y, data)
        weights = _check_weights(sample_weight, len(dataset))
        if validation_data is not None:
            valid_texts, valid_y = validation_data
            if not are_vectors(valid_texts):
                valid_texts = as_texts(valid_texts, data.text_column)
            if not list(valid_texts):
                raise DataError(
                    "validation_data has no texts, but it chooses the epoch. Give "
                    "some, or leave it out: validation_fraction of X is taken then."
                )
            valid, _, _ = _dataset_of(
                valid_texts,
                valid_y,
                data,
                source="validation_data",
                label_names=dataset.label_names,
            )
            rest = np.arange(len(dataset))
        else:
            rest, held_out = hold_out(
                dataset,
                self.validation_fraction,
                seed=seed,
                near_duplicates=data.near_duplicates,
            )
            valid = dataset.take(held_out)
        trained = train_classifier(
            dataset.take(rest),
            valid,
            settings,
            vectors=self.vectors,
            sample_weight=None if weights is None else weights[rest],
            callbacks=list(callbacks),
            verbose=self.verbose,
        )
        self._set_bundle(replace(trained.bundle, label_kind=kind), classes)
        return self

    def predict(self, X: Iterable[str]) -> np.ndarray:
        """Return the class of each text, shape (n_texts,).

        A multilabel classifier returns a 0 or a 1 for each class, shape (n_texts,
        n_classes), as scikit-learn's do, even if it was fitted on lists of labels;
        ``predictor_.predict`` returns their names. A label applies from its threshold
        on, which was chosen on the validation set (``predictor_.thresholds``).
        """
        probabilities = self.predict_proba(X)
        if not self.predictor_.multilabel:
            return self.classes_[probabilities.argmax(1)]
        types = {"b": np.bool_, "f": np.float64}
        kind = types.get(self.predictor_.bundle.label_kind, np.int64)
        return (probabilities >= self.predictor_.thresholds).astype(kind)

    def predict_proba(self, X: Iterable[str]) -> np.ndarray:
        """Return probabilities, shape (n_texts, n_classes), in ``classes_`` order.

        Those of a multilabel classifier do not sum to 1.
        """
        check_is_fitted(self)
        probabilities = self.predictor_.predict_proba(X).astype(np.float64)
        if self.predictor_.multilabel:
            return probabilities
        # scikit-learn's log loss needs rows that sum to one in double precision.
        return probabilities / probabilities.sum(1, keepdims=True)

    def score(self, X: Iterable[str], y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy; multilabel: the share of texts with all labels right."""
        check_is_fitted(self)
        if self.predictor_.multilabel:
            data = self.predictor_.bundle.settings.data
            column = self.predictor_.text_column
            dataset, _, _ = _dataset_of(
                X,
                y,
                replace(data, text_column=column),
                label_names=self.predictor_.label_names,
            )
            y = dataset.label_ids
        return super().score(X, y, sample_weight)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save as a bundle, which ``emoclf predict`` and :meth:`load` read."""
        check_is_fitted(self)
        return self.predictor_.save(path, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Load a classifier from a bundle, whatever saved it."""
        bundle = load_bundle(path)
        settings = bundle.settings
        loaded = cls(
            settings.architecture, settings=settings, random_state=settings.seed
        )
        loaded._set_bundle(bundle, classes_of(bundle))
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
        # Older versions had fewer parameters.
        parameters = signature(type(self)).parameters
        state = {**{name: x.default for name, x in parameters.items()}, **state}
        if "predictor_" in state:
            state = {**state, "predictor_": Predictor(state["predictor_"].to_bundle())}
        super().__setstate__(state)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.non_deterministic = self.random_state is None
        return tags


def _dataset_of(
    X: Any, y: Any, settings: DataSettings, **options: Any
) -> tuple[Dataset, np.ndarray, str]:
    """Return the dataset of X and y, their classes, and the kind of the labels."""
    options["separator"] = settings.label_separator
    if not are_vectors(X):
        texts = as_texts(X, settings.text_column)
        return labelled_dataset(texts, y, **options)
    vectors = checked_vectors(X, source=options.get("source", "X"))
    names = [f"sample {number}" for number in range(len(vectors))]
    dataset, classes, kind = labelled_dataset(names, y, **options)
    return replace(dataset, vectors=vectors, has_texts=False), classes, kind


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
