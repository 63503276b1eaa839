"""A tagger and a polarity classifier together: what texts speak of, and how."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

from emoclf.aspects.aspect_folder import load_aspects, save_aspects
from emoclf.aspects.aspect_settings import AspectSettings
from emoclf.aspects.polarity import PolarityClassifier, baseline_scores
from emoclf.aspects.polarity_model import Target, labelled_targets
from emoclf.aspects.polarity_network import PolaritySettings
from emoclf.aspects.sentences import CONFLICT, POLARITIES, AspectData
from emoclf.aspects.tagger import AspectTagger
from emoclf.aspects.term_dictionary import TermDictionary
from emoclf.aspects.term_summary import TermSummary
from emoclf.aspects.train_tagger import compare
from emoclf.display import short_names
from emoclf.errors import BundleError, SettingsError, setting
from emoclf.text.validation import as_texts

logger = logging.getLogger(__name__)


class Opinion(NamedTuple):
    """A term in a text, and what the text says of it.

    Parameters
    ----------
    term : str
        The characters of the term.
    polarity : str or None
        Polarity, or the label of the tags of a typed tagger.
    start, stop : int
        Offsets: ``text[start:stop]``.
    confidence : float
        Probability of exactly these borders.
    polarity_confidence : float or None
        Probability of the polarity, given the term.
    """

    term: str
    polarity: str | None
    start: int
    stop: int
    confidence: float
    polarity_confidence: float | None


@dataclass
class AspectModel:
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
            negative, neutral and conflict.
        seed : int
        verbose : {0, 1}, default=0

        Raises
        ------
        DataError, SettingsError, VectorsError, TrainingError
        """
        common = {"vectors": vectors, "random_state": seed, "verbose": verbose}
        found = AspectTagger(**common, settings=tagger)
        if learn_polarity is None:
            learn_polarity = _has_polarities(data, AspectSettings.of(tagger).typed)
        encoder = PolaritySettings.of(polarity).encoder
        if encoder is not None and not learn_polarity:
            raise SettingsError(
                f"{setting('encoder', encoder)} is for the polarities of terms, and no "
                f"polarity classifier is trained on {data.source}. Leave it out, or "
                f"give {setting('learn_polarity', True)}."
            )
        if not learn_polarity:
            return cls(found.fit(data, validation_data=valid))
        classifier = PolarityClassifier(**common, settings=polarity)
        targets, labels = labelled_targets(data)
        held = None if valid is None else labelled_targets(valid)
        # Wrong labels are refused before the tagger is fitted, which takes long.
        classifier.check(targets, labels, validation_data=held)
        found.fit(data, validation_data=valid)
        return cls(found, classifier.fit(targets, labels, validation_data=held))

    def predict(self, texts: Iterable[str]) -> list[list[Opinion]]:
        """Return the terms of each text and what is said of them."""
        texts = as_texts(texts)
        found = self.tagger.predict_spans(texts)
        targets = [
            Target(text, term.start, term.stop)
            for text, terms in zip(texts, found, strict=True)
            for term in terms
        ]
        answers: Any = iter([(None, None)] * len(targets))
        if self.polarity is not None and targets:
            probabilities = self.polarity.predict_proba(targets)
            names = self.polarity.classes_[probabilities.argmax(1)]
            shares = probabilities.max(1).tolist()
            answers = iter(zip(map(str, names), shares, strict=True))
        opinions = []
        for terms in found:
            row = []
            for term in terms:
                polarity, share = next(answers)
                polarity = polarity or term.label
                place = (term.start, term.stop)
                row.append(Opinion(term.term, polarity, *place, term.confidence, share))
            opinions.append(row)
        return opinions

    def summary(self, texts: Iterable[str]) -> TermSummary:
        """Return the terms most spoken of, and what is said of them."""
        summary = TermSummary()
        for opinions in self.predict(texts):
            summary.add(opinions)
        return summary

    def evaluate(self, data: AspectData) -> dict[str, Any]:
        """Return the scores of terms, of polarities, and of both together.

        Returns
        -------
        scores : dict
            ``terms``: SpanScores; and, with a polarity classifier and labelled terms,
            ``polarity``: see :meth:`PolarityClassifier.evaluate`, on the true terms;
            ``both``: SpanScores in which a term counts with its polarity only. There a
            true term without a label, or with the label "conflict", is never right.
        """
        spans = [
            [(x.start, x.stop, x.polarity) for x in row]
            for row in self.predict(data.texts)
        ]
        typed = self.tagger.model_.settings.typed
        seen = self.tagger.terms_
        scores: dict[str, Any] = {"terms": compare(data, spans, typed=typed, seen=seen)}
        targets, labels = labelled_targets(data)
        if self.polarity is not None and targets:
            scores["polarity"] = self.polarity.evaluate(targets, labels)
            scores["both"] = compare(data, spans, typed=True)
        return scores

    def baselines(self, train: AspectData, test: AspectData) -> dict[str, Any]:
        """Return the scores of baselines, fitted on ``train``, on a test set.

        Returns
        -------
        scores : dict
            ``terms``: SpanScores of a dictionary of the training terms; ``polarity``:
            accuracy and macro-F1 of each baseline, by its name, if there is a polarity
            classifier.
        """
        tokenizer = self.tagger.model_.encoder.encoder.tokenizer
        found = TermDictionary(tokenizer).fit(train).predict(test.texts)
        scores: dict[str, Any] = {
            "terms": compare(test, found, seen=self.tagger.terms_)
        }
        parts = labelled_targets(train), labelled_targets(test)
        if self.polarity is not None and parts[1][0]:
            scores["polarity"] = baseline_scores(*parts, self.polarity.model_.tokenizer)
        return scores

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
            Place of the transformer encoder of the polarity classifier, if it is not
            where it was in training.

        Raises
        ------
        BundleError
        """
        parts = load_aspects(path)
        if encoder is not None:
            if parts.polarity is None or parts.polarity.model_.encoder is None:
                raise BundleError(
                    f"{setting('encoder', os.fspath(encoder))} is the place of a "
                    f"transformer encoder, but {path} has none. Leave it out."
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
            "%s has labels that are no polarities: %s; so no polarity classifier is "
            "trained. If they are kinds of terms, %s learns to tell them apart; if "
            "they are polarities, give %s.",
            data.source,
            short_names(kinds),
            setting("typed", True),
            setting("learn_polarity", True),
        )
    return not typed and not kinds and len({*labels} - {CONFLICT}) > 1
