"""A scikit-learn classifier of the polarity towards a term in a text."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from emoclf.aspects.aspect_checkpoints import AspectCheckpoints
from emoclf.aspects.aspect_vectors import settings_of, with_vectors
from emoclf.aspects.polarities.encoder_scores import EncoderScores
from emoclf.aspects.polarities.place_scores import fit_place_scores
from emoclf.aspects.polarities.polarity_baselines import baseline_scores
from emoclf.aspects.polarities.polarity_data import (
    Part,
    checked_targets,
    hold_out,
    polarity_tokenizer,
    with_tokens,
)
from emoclf.aspects.polarities.polarity_metrics import polarity_scores
from emoclf.aspects.polarities.polarity_model import PolarityModel
from emoclf.aspects.polarities.polarity_network import PolaritySettings, build_polarity
from emoclf.aspects.polarities.polarity_targets import (
    MARKERS,
    Target,
    as_targets,
    encode_targets,
    marked_windows,
)
from emoclf.aspects.polarities.sentiment_vectors import (
    covered_by_sentiment,
    sentiment_vectors,
)
from emoclf.aspects.terms.aspect_settings import AspectSettings
from emoclf.contextual.input_vectors import InputVectors
from emoclf.doctor.findings import Finding, first_findings
from emoclf.embeddings.matrix import first_words, pretrained_rows, random_matrix
from emoclf.embeddings.vector_objects import VectorSet, vector_sources, vectors_setting
from emoclf.errors import DataError
from emoclf.settings.sections import RANDOM_DIM
from emoclf.text.encoder import TextEncoder
from emoclf.text.vocabulary import Vocabulary, build_vocabulary
from emoclf.training.batches import Examples
from emoclf.training.fit import fit_model
from emoclf.training.progress import TrainingProgress

logger = logging.getLogger(__name__)

#: Difference between the seeds of two networks that are averaged.
MEMBER_STEP = 1000


@dataclass(kw_only=True, repr=False, eq=False)
class PolarityClassifier(ClassifierMixin, BaseEstimator):
    """Classify what a text says of a term: positive, negative, …

    Parameters
    ----------
    vectors : path, WordVectors, KeyedVectors, (words, array), mapping or list, optional
        Word vectors, as for :class:`AspectTagger`.
    encoder, members, units, dropout, epochs, batch_size, learning_rate, patience, \
valid_fraction
        See :class:`PolaritySettings`; None: its default, or the value of ``settings``.
    settings : PolaritySettings or mapping, optional
    random_state : int, RandomState or None, default=None
    verbose : {0, 1}, default=0

    Attributes
    ----------
    classes_ : ndarray of str
    model_ : PolarityModel
    history_ : list of dict of str to list of float
        Metrics of each epoch, for each network.
    validation_ : dict
        Accuracy and macro-F1 on the validation set, which also chose the epoch, of the
        network, of the majority class, and of TF-IDF and a linear SVM on a window
        around the target.
    findings_ : tuple of Finding
        Findings of the doctor on the training of the networks.

    Examples
    --------
    >>> from emoclf import PolarityClassifier
    >>> X = [("great food, slow staff", 6, 10), ("great food, slow staff", 17, 22)] * 20
    >>> y = ["positive", "negative"] * 20
    >>> PolarityClassifier(epochs=1, random_state=0).fit(X, y)  # doctest: +SKIP
    """

    vectors: Any = None
    encoder: str | None = None
    members: int | None = None
    units: int | None = None
    dropout: float | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    patience: int | None = None
    valid_fraction: float | None = None
    settings: PolaritySettings | Mapping[str, Any] | None = None
    random_state: Any = None
    verbose: Any = 0

    def fit(
        self,
        X: Iterable[Any],
        y: Iterable[str],
        *,
        validation_data: Any = None,
        checkpoints: AspectCheckpoints | None = None,
    ) -> Self:
        """Fit the classifier.

        Parameters
        ----------
        X : iterable of (text, start, stop)
        y : iterable of str
            Polarity of each target.
        validation_data : (X, y), optional
            Targets that choose the epoch; default: a share of ``X``, with all targets
            of a text, and of its near-duplicates, in the same set.
        checkpoints : AspectCheckpoints, optional
            Folder for the state of an unfinished training.

        Raises
        ------
        DataError, SettingsError, VectorsError, TrainingError, ResumeError
        """
        targets, labels = checked_targets(X, y)
        settings, sets = self._settings_for([target.text for target in targets])
        train, valid = self._divide(targets, labels, settings, validation_data)
        names = sorted({*train[1]})
        model, matrix = _untrained(train[0], names, settings, sets)
        settings = model.settings
        if settings.encoder is not None:
            # First, since its folder may be missing.
            ids = np.array([names.index(label) for label in train[1]])
            scores = EncoderScores.fit(
                settings.encoder, train[0], ids, len(names), seed=settings.seed
            )
            model = replace(model, encoder=scores)
        examples, valid_examples = (_examples(model, *x) for x in (train, valid))
        # Options of the command line; others are no cure there.
        options = AspectSettings.names()
        advised = {x: y for x, y in settings.to_dict().items() if x in options}
        results = []
        for number, network in enumerate(model.networks):
            result = fit_model(
                network,
                examples,
                valid_examples,
                settings.training,
                seed=settings.seed + MEMBER_STEP * number,
                label_names=names,
                run_settings=advised,
                callbacks=[TrainingProgress(settings.epochs)] if self.verbose else [],
                checkpoints=None
                if checkpoints is None
                else checkpoints.of(
                    f"polarity-{number}",
                    settings.to_dict(),
                    [train, valid],
                    network.weights,
                ),
                resume=bool(checkpoints and checkpoints.resume),
            )
            if checkpoints is not None and result.ended == "interrupted":
                # The other networks are left for the resumed run.
                raise KeyboardInterrupt
            results.append(result)
        if share := settings.linear_share:
            fit_place_scores(
                model.networks, examples, matrix, share, seed=settings.seed
            )
        self._set_model(
            model,
            [result.history for result in results],
            first_findings(x for result in results for x in result.findings),
        )
        tokenizer = model.text_encoder.tokenizer
        self.validation_ = {
            "network": self.evaluate(*valid),
            **baseline_scores(train, valid, tokenizer),
        }
        return self

    def check(
        self, X: Iterable[Any], y: Iterable[str], *, validation_data: Any = None
    ) -> None:
        """Raise what :meth:`fit` would raise about data and encoder, without fitting.

        Raises
        ------
        DataError, SettingsError, ModelError, MissingDependency
        """
        settings = settings_of(self, PolaritySettings)
        self._divide(*checked_targets(X, y), settings, validation_data)
        if settings.encoder is not None:
            InputVectors.of_encoder(settings.encoder, pooled=False)

    def _divide(
        self,
        targets: list[Target],
        labels: list[str],
        settings: PolaritySettings,
        validation_data: Any,
    ) -> tuple[Part, Part]:
        """Return the training and the validation set, without empty targets."""
        targets, labels = with_tokens(targets, labels, settings)
        if validation_data is None:
            train, valid = hold_out(targets, labels, settings)
        else:
            train = targets, labels
            X, y = validation_data
            checked = checked_targets(X, y, "The validation set: ")
            valid = with_tokens(*checked, settings)
        names = sorted({*train[1]})
        if len(names) < 2 or not {*valid[1]} <= {*names}:
            raise DataError(
                "A polarity classifier needs at least two labels in the training set, "
                f"and no other labels in the validation set. Got {names} and "
                f"{sorted({*valid[1]})}. Correct the labels, or leave out terms whose "
                "label is rare."
            )
        return train, valid

    def predict(self, X: Iterable[Any]) -> np.ndarray:
        """Return the polarity of each (text, start, stop), shape (n,)."""
        return self.classes_[self.predict_proba(X).argmax(1)]

    def predict_proba(self, X: Iterable[Any]) -> np.ndarray:
        """Return the probability of each class, in ``classes_`` order."""
        check_is_fitted(self)
        return self.model_.predict_proba(as_targets(X))

    def evaluate(self, X: Iterable[Any], y: Iterable[str]) -> dict[str, Any]:
        """Return accuracy, macro-F1, scores of each class, and the confusion.

        See :func:`emoclf.aspects.polarities.polarity_metrics.polarity_scores`.
        """
        targets, labels = checked_targets(X, y)
        check_is_fitted(self)
        predicted = list(map(str, self.predict(targets)))
        return polarity_scores(labels, predicted, self.model_.label_names)

    def _set_model(
        self,
        model: PolarityModel,
        history: list[dict[str, list[float]]],
        findings: Iterable[Finding],
    ) -> None:
        self.findings_ = tuple(findings)
        self.model_ = model
        self.classes_ = np.array(model.label_names)
        self.history_ = history

    @classmethod
    def from_model(
        cls,
        model: PolarityModel,
        history: list[dict[str, list[float]]],
        validation: dict[str, Any],
        findings: Iterable[Finding] = (),
    ) -> Self:
        """Return a fitted classifier of a model, such as one from a folder."""
        loaded = cls(settings=model.settings, random_state=model.settings.seed)
        loaded._set_model(model, history, findings)
        loaded.validation_ = validation
        return loaded

    def _settings_for(
        self, texts: list[str]
    ) -> tuple[PolaritySettings, tuple[VectorSet, ...]]:
        """Return the settings in force, and vectors that are objects."""
        settings = settings_of(self, PolaritySettings)
        lowercase = settings.lowercase
        settings, sets = with_vectors(
            settings, self.vectors, texts, lowercase=lowercase
        )
        vector_inputs = sets or settings.vector_paths
        use_sentiment = settings.sentiment_vectors and settings.embedding != "random"
        if use_sentiment and vector_inputs and covered_by_sentiment(texts, lowercase):
            sets = (*vector_inputs, sentiment_vectors())
            settings = replace(settings, vectors=vectors_setting(sets))
        return settings, sets

    def __getstate__(self) -> dict[str, Any]:
        # Keras objects cannot be loaded by other versions of Keras.
        from emoclf.aspects.polarities.polarity_folder import polarity_values

        state = dict(super().__getstate__())
        if "model_" in state:
            del state["model_"]
            state["values"] = polarity_values(self)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        from emoclf.aspects.polarities.polarity_folder import polarity_from_values

        state = dict(state)
        values = state.pop("values", None)
        super().__setstate__(state)
        if values is not None:
            self.model_ = polarity_from_values(values).model_


def _untrained(
    targets: list[Target],
    names: list[str],
    settings: PolaritySettings,
    sets: tuple[VectorSet, ...],
) -> tuple[PolarityModel, np.ndarray]:
    """Return a classifier before its training, and the matrix of its first network."""
    tokenizer = polarity_tokenizer(settings)
    windows = marked_windows(targets, tokenizer)
    counts = Counter(token for window in windows for token in window)
    for marker in MARKERS:
        del counts[marker]
    sources = vector_sources(
        list(sets or settings.vector_paths) or None, limit=settings.vectors_limit
    )
    words = first_words(sources, settings.vector_words)
    without_markers = build_vocabulary(
        counts,
        min_count=settings.min_count,
        extra=[word for word in words if tokenizer.tokens(word) == [word]],
    )
    vocabulary = Vocabulary([*MARKERS, *without_markers.tokens])
    rows = pretrained_rows(sources, vocabulary) if sources else None
    if rows is None:
        settings = replace(settings, linear_share=0.0)
    networks, matrices = [], []
    for number in range(settings.members):
        seed = settings.seed + MEMBER_STEP * number
        if rows is None:
            dim = settings.dim or RANDOM_DIM
            matrix = random_matrix(vocabulary, dim, seed=seed)
        else:
            matrix = rows.matrix(len(vocabulary), seed=seed)
        seeded = replace(settings, seed=seed)
        matrices.append(matrix)
        networks.append(
            build_polarity(seeded, len(names), shape=matrix.shape, matrix=matrix)
        )
    text_encoder = TextEncoder(tokenizer, vocabulary, max_length=2**31 - 1)
    model = PolarityModel(settings, text_encoder, tuple(names), tuple(networks))
    return model, matrices[0]


def _examples(
    model: PolarityModel, targets: list[Target], labels: list[str]
) -> Examples:
    ids = [model.label_names.index(label) for label in labels]
    encoded = encode_targets(targets, model.text_encoder)
    return Examples(encoded, np.array(ids, np.int32))
