"""A tagger and a polarity classifier together: what texts speak of, and how."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from emoclf.aspects.aspect_baselines import AspectBaselines
from emoclf.aspects.aspect_checkpoints import AspectCheckpoints
from emoclf.aspects.aspect_evaluation import AspectEvaluation
from emoclf.aspects.aspect_folder import load_aspects, save_aspects
from emoclf.aspects.data.sentences import CONFLICT, POLARITIES, AspectData
from emoclf.aspects.opinions import AspectPredictor
from emoclf.aspects.polarities.polarity_classifier import PolarityClassifier
from emoclf.aspects.polarities.polarity_network import PolaritySettings
from emoclf.aspects.polarities.polarity_targets import Target, labelled_targets
from emoclf.aspects.tagger import AspectTagger
from emoclf.aspects.terms.aspect_settings import AspectSettings
from emoclf.aspects.terms.found_terms import FoundTerm
from emoclf.display import short_names
from emoclf.errors import BundleError, SettingsError, setting

logger = logging.getLogger(__name__)


@dataclass
class AspectModel(AspectPredictor):
    """Find terms and their polarity.

    Parameters
    ----------
    tagger : AspectTagger
    polarity : PolarityClassifier, optional
    """

    tagger: AspectTagger
    polarity: PolarityClassifier | None = None

    @classmethod
    def train(
        cls,
        data: AspectData,
        *,
        valid: AspectData | None = None,
        vectors: Any = None,
        tagger: AspectSettings | Mapping[str, Any] | None = None,
        polarity: PolaritySettings | Mapping[str, Any] | None = None,
        learn_polarity: bool | None = None,
        seed: int = 0,
        verbose: Any = 0,
        checkpoints: AspectCheckpoints | None = None,
    ) -> Self:
        """Fit a tagger and, if terms have polarities, a polarity classifier.

        Parameters
        ----------
        data : AspectData
        valid : AspectData, optional
            Sentences that choose the epochs; default: a share of ``data``.
        vectors : object, optional
            Word vectors of both; see :class:`AspectTagger`.
        tagger : AspectSettings or mapping, optional
        polarity : PolaritySettings or mapping, optional
        learn_polarity : bool, optional
            Fit a polarity classifier of the labels; default: if the tagger is not
            typed, and there are two labels or more, all of them among positive,
            negative, neutral and conflict. It excludes a typed tagger.
        seed : int
        verbose : {0, 1}, default=0
        checkpoints : AspectCheckpoints, optional
            Folder for the state of an unfinished training.

        Raises
        ------
        DataError, SettingsError, VectorsError, TrainingError, ResumeError
        """
        typed = AspectSettings.of(tagger).typed
        if typed and learn_polarity:
            raise SettingsError(
                f"{setting('typed', True)} learns the labels of terms as kinds of "
                f"terms, and {setting('learn_polarity', True)} as polarities. Give "
                "only one of them."
            )
        common = {"vectors": vectors, "random_state": seed, "verbose": verbose}
        aspect_tagger = AspectTagger(**common, settings=tagger)
        if learn_polarity is None:
            learn_polarity = _has_polarities(data, typed)
        encoder = PolaritySettings.of(polarity).encoder
        if encoder is not None and not learn_polarity:
            raise SettingsError(
                f"{setting('encoder', encoder)} is for polarity classifiers, but none "
                f"is trained on {data.source}. Leave it out, or give "
                f"{setting('learn_polarity', True)}."
            )
        if checkpoints is not None and not checkpoints.resume:
            checkpoints.remove()
        if not learn_polarity:
            return cls(
                aspect_tagger.fit(data, validation_data=valid, checkpoints=checkpoints)
            )
        classifier = PolarityClassifier(**common, settings=polarity)
        targets, labels = labelled_targets(data)
        valid_targets = None if valid is None else labelled_targets(valid)
        # Wrong labels are refused before the tagger is fitted, which takes long.
        classifier.check(targets, labels, validation_data=valid_targets)
        aspect_tagger.fit(data, validation_data=valid, checkpoints=checkpoints)
        classifier.fit(
            targets, labels, validation_data=valid_targets, checkpoints=checkpoints
        )
        return cls(aspect_tagger, classifier)

    @property
    def typed(self) -> bool:
        """Whether the tags contain the labels of terms."""
        return self.tagger.model_.settings.typed

    @property
    def training_terms(self) -> frozenset[str]:
        """Terms of the training set in lower case."""
        return self.tagger.terms_

    @property
    def polarity_names(self) -> tuple[str, ...]:
        """Labels of the polarity classifier; empty if there is none."""
        return self.polarity.model_.label_names if self.polarity is not None else ()

    def find_terms(self, texts: list[str]) -> list[list[FoundTerm]]:
        """Return the terms of each text, in the order of their offsets."""
        return self.tagger.predict_spans(texts)

    def _predict_polarity(self, targets: Sequence[Target]) -> np.ndarray:
        assert self.polarity is not None
        return self.polarity.model_.predict_proba(targets)

    def evaluate(
        self, data: AspectData, *, train: AspectData | None = None
    ) -> AspectEvaluation:
        """Return the scores of terms, of polarities, and of both together.

        Parameters
        ----------
        data : AspectData
        train : AspectData, optional
            Training set, on which baselines are fitted for a comparison.
        """
        baselines = None if train is None else AspectBaselines.of(self, train, data)
        return AspectEvaluation(self, data, self.predict(data.texts), baselines)

    def baselines(self, train: AspectData, test: AspectData) -> dict[str, Any]:
        """Return the scores of baselines, fitted on ``train``, on a test set.

        Returns
        -------
        scores : dict
            ``terms``: SpanScores of a dictionary of the training terms; ``polarity``:
            accuracy and macro-F1 of each baseline, by its name, if there is a polarity
            classifier.
        """
        baselines = AspectBaselines.of(self, train, test)
        return baselines.scores(test, self.training_terms)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save both as one folder, which :meth:`load` and the commands read."""
        parts = replace(self.tagger.parts_, polarity=self.polarity)
        return save_aspects(parts, path, overwrite=overwrite)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        encoder: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Load what ``emoclf aspects train`` or :meth:`save` wrote.

        Parameters
        ----------
        path : path
        encoder : path, optional
            Path of the transformer encoder of the polarity classifier, if it has moved
            since the training.

        Raises
        ------
        BundleError
        """
        parts = load_aspects(path)
        if encoder is not None:
            if parts.polarity is None or parts.polarity.model_.encoder is None:
                raise BundleError(
                    f"{setting('encoder', os.fspath(encoder))} is for models that were "
                    f"trained with a transformer encoder, but {path} was not. Leave it "
                    "out."
                )
            model = parts.polarity.model_
            moved = parts.polarity.model_.encoder.at(os.fspath(encoder))
            parts.polarity.model_ = replace(model, encoder=moved)
        return cls(AspectTagger.from_parts(parts), parts.polarity)


def _has_polarities(data: AspectData, typed: bool) -> bool:
    """Say whether the labels of terms are polarities, and warn if they are kinds."""
    labels = data.label_counts()
    kinds = [label for label in labels if label not in POLARITIES]
    if kinds and not typed:
        logger.warning(
            "%s has labels that are not known as polarities: %s. No polarity "
            "classifier is trained. If they are kinds of terms, %s learns them; if "
            "they are polarities, give %s.",
            data.source,
            short_names(kinds),
            setting("typed", True),
            setting("learn_polarity", True),
        )
    return not typed and not kinds and len({*labels} - {CONFLICT}) > 1
