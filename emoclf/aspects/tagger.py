"""A scikit-learn estimator that finds aspect terms in raw texts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Any, Self

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from emoclf.aspects.aspect_checkpoints import AspectCheckpoints
from emoclf.aspects.aspect_folder import (
    AspectParts,
    from_values,
    load_aspects,
    save_aspects,
    to_values,
)
from emoclf.aspects.aspect_vectors import settings_of, with_vectors
from emoclf.aspects.data.aspect_split import divide
from emoclf.aspects.data.sentences import AspectData, as_aspect_data
from emoclf.aspects.polarities.polarity_folder import POLARITY_FILES
from emoclf.aspects.terms.aspect_settings import AspectSettings
from emoclf.aspects.terms.found_terms import FoundTerm
from emoclf.aspects.terms.span_metrics import SpanScores
from emoclf.aspects.terms.tagger_fit import TaggerProgress
from emoclf.aspects.terms.train_tagger import train_spans
from emoclf.errors import BundleError
from emoclf.text.validation import as_texts


@dataclass(repr=False, eq=False)
class AspectTagger(BaseEstimator):
    """Find the terms that texts speak of: a BiLSTM or a CNN, with a CRF.

    A validation set is held out of the training texts to choose the best epoch, by the
    exact-span F1; near-duplicates of a text are kept together.

    Parameters
    ----------
    network : {"bilstm", "cnn"}, optional
        None, here and below: the value of ``settings``, or the default of
        :class:`AspectSettings`.
    vectors : path, WordVectors, KeyedVectors, (words, array), mapping or list, optional
        Word vectors; several sets in a list are placed side by side; "none": a random
        embedding; default: the starter vectors of the package, if they cover the texts.
    scheme : {"BIO", "BIOES"}, optional
    typed : bool, optional
        Predict the labels of terms by their tags.
    crf, characters : bool, optional
    members : int, optional
        Number of networks whose scores are averaged.
    units, filters, dropout, epochs, batch_size, learning_rate, patience, valid_fraction
        See :class:`AspectSettings`.
    settings : AspectSettings or mapping, optional
        All other settings. Parameters that are not None override it.
    random_state : int, RandomState or None, default=None
        Seed; an int gives the same model every time.
    verbose : {0, 1}, default=0
        Whether :meth:`fit` shows its progress.

    Attributes
    ----------
    model_ : SpanModel
    history_ : list of dict of str to list of float
        Metrics of each epoch, for each network.
    validation_ : dict
        Scores on the validation set, which also chose the epochs, and of the baseline,
        a dictionary of the training terms.
    terms_ : frozenset of str
        Terms of the training set in lower case.
    findings_ : tuple of Finding
        Findings of the doctor on the training of the networks.

    Examples
    --------
    >>> from emoclf import AspectTagger, load_aspect_sample
    >>> data = load_aspect_sample()
    >>> tagger = AspectTagger(epochs=1, random_state=0).fit(data)
    >>> len(tagger.predict(["The battery is weak."]))
    1
    """

    network: str | None = None
    _: KW_ONLY
    vectors: Any = None
    scheme: str | None = None
    typed: bool | None = None
    crf: bool | None = None
    characters: bool | None = None
    members: int | None = None
    units: int | None = None
    filters: int | None = None
    dropout: float | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    patience: int | None = None
    valid_fraction: float | None = None
    settings: AspectSettings | Mapping[str, Any] | None = None
    random_state: Any = None
    verbose: Any = 0

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        validation_data: Any = None,
        checkpoints: AspectCheckpoints | None = None,
    ) -> Self:
        """Fit the tagger.

        Parameters
        ----------
        X : iterable of str, or AspectData
            Raw texts.
        y : iterable of lists of (start, stop) or (start, stop, label), optional
            Spans of each text; None if X is AspectData.
        validation_data : AspectData or (texts, spans), optional
            Sentences that choose the epoch; default: a share of ``X``.
        checkpoints : AspectCheckpoints, optional
            Folder for the state of an unfinished training.

        Raises
        ------
        DataError, SettingsError, VectorsError, TrainingError, ResumeError
        """
        data = as_aspect_data(X, y)
        settings = settings_of(self, AspectSettings)
        settings, sets = with_vectors(
            settings, self.vectors, data.texts, lowercase=settings.lowercase
        )
        if validation_data is not None:
            is_pair = isinstance(validation_data, tuple)
            pair = validation_data if is_pair else (validation_data,)
            train, valid = data, as_aspect_data(*pair)
        else:
            shares = (1 - settings.valid_fraction, settings.valid_fraction)
            parts = divide(
                data,
                shares,
                seed=settings.seed,
                near_duplicates=settings.near_duplicates,
            )
            train, valid = map(data.take, parts)
        trained = train_spans(
            train,
            valid,
            settings,
            vectors=sets,
            callbacks=lambda: [TaggerProgress(settings.epochs)] if self.verbose else [],
            checkpoints=checkpoints,
        )
        self._set_parts(AspectParts(**vars(trained)))
        return self

    def predict(self, X: Iterable[str]) -> list[list[tuple[int, int, str | None]]]:
        """Return the spans of each text, in the form of ``y``: (start, stop, label)."""
        return [[term[:3] for term in spans] for spans in self.predict_spans(X)]

    def predict_spans(self, X: Iterable[str]) -> list[list[FoundTerm]]:
        """Return the terms of each text with offsets, words and confidences."""
        check_is_fitted(self)
        texts = X.texts if isinstance(X, AspectData) else as_texts(X)
        return self.model_.predict(texts)

    def terms(self, X: Iterable[str] | str) -> list[str]:
        """Return the different terms of a text, or of several together.

        Terms that differ in case only are one, in the form that comes first.
        """
        texts = [X] if isinstance(X, str) else X
        forms: dict[str, str] = {}
        for spans in self.predict_spans(texts):
            for span in spans:
                forms.setdefault(span.term.lower(), span.term)
        return list(forms.values())

    def score(self, X: Any, y: Any = None) -> float:
        """Return the exact-span F1; of a typed tagger, labels must be right too."""
        return self.evaluate(X, y).f1

    def evaluate(self, X: Any, y: Any = None) -> SpanScores:
        """Return all scores of predictions on sentences with known terms."""
        check_is_fitted(self)
        return self.model_.evaluate(as_aspect_data(X, y), self.terms_)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save the tagger as a folder, which :meth:`load` reads.

        Raises
        ------
        BundleError
            If the folder cannot be written, or has a polarity classifier, which would
            be lost.
        """
        check_is_fitted(self)
        if (Path(path) / POLARITY_FILES["polarity_about"]).exists():
            raise BundleError(
                f"{path} has a polarity classifier too, which a tagger alone would "
                "delete. Save to another folder, or both with AspectModel.save."
            )
        return save_aspects(self.parts_, path, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Load a tagger, from whatever ``emoclf aspects train`` or ``save`` wrote."""
        return cls.from_parts(load_aspects(path))

    @classmethod
    def from_parts(cls, parts: AspectParts) -> Self:
        """Return a fitted tagger of the parts of a folder, without the polarity."""
        parts = replace(parts, polarity=None)
        settings = parts.model.settings
        loaded = cls(settings=settings, random_state=settings.seed)
        loaded._set_parts(parts)
        return loaded

    def _set_parts(self, parts: AspectParts) -> None:
        self.parts_ = parts
        self.model_ = parts.model
        self.history_ = parts.history
        self.terms_ = parts.terms
        self.validation_ = parts.metrics.get("validation", {})
        self.findings_ = parts.findings

    def __getstate__(self) -> dict[str, Any]:
        # Keras objects cannot be loaded by other versions of Keras.
        state = super().__getstate__()
        if "parts_" in state:
            state = {**state, "parts_": to_values(state["parts_"])}
            del state["model_"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        values = state.pop("parts_", None)
        super().__setstate__(state)
        if values is not None:
            self._set_parts(from_values(values))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.non_deterministic = self.random_state is None
        return tags
