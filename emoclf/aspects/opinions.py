"""Terms of texts and what texts say of them, by whatever predicts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from emoclf.aspects.found_terms import FoundTerm
from emoclf.aspects.polarity_targets import Target, labelled_targets
from emoclf.aspects.sentences import AspectData
from emoclf.aspects.span_scores import compare
from emoclf.aspects.term_summary import TermSummary
from emoclf.text.validation import as_texts


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


class AspectPredictor(ABC):
    """What the folder of an aspect model and its exports have in common."""

    @property
    @abstractmethod
    def typed(self) -> bool:
        """Whether the tags contain the labels of terms."""

    @property
    @abstractmethod
    def training_terms(self) -> frozenset[str]:
        """Terms of the training set in lower case."""

    @property
    @abstractmethod
    def polarity_names(self) -> tuple[str, ...]:
        """Labels of the polarity classifier; empty if there is none."""

    @abstractmethod
    def find_terms(self, texts: list[str]) -> list[list[FoundTerm]]:
        """Return the terms of each text, in the order of their offsets."""

    @abstractmethod
    def predict_polarity(self, targets: Sequence[Target]) -> np.ndarray:
        """Return the probability of each polarity, shape (n_targets, n_polarities)."""

    def predict(self, texts: Iterable[str]) -> list[list[Opinion]]:
        """Return the terms of each text and what is said of them."""
        texts = as_texts(texts)
        found = self.find_terms(texts)
        targets = [
            Target(text, term.start, term.stop)
            for text, terms in zip(texts, found, strict=True)
            for term in terms
        ]
        answers: Any = iter([(None, None)] * len(targets))
        if self.polarity_names and targets:
            probabilities = self.predict_polarity(targets)
            names = [self.polarity_names[i] for i in probabilities.argmax(1)]
            answers = zip(names, probabilities.max(1).tolist(), strict=True)
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
            ``polarity``: see :func:`emoclf.aspects.polarity_scores.polarity_scores`, on
            the true terms; ``both``: SpanScores in which a term counts with its
            polarity only. There a true term without a label, or with the label
            "conflict", is never right.
        """
        spans = [
            [(x.start, x.stop, x.polarity) for x in row]
            for row in self.predict(data.texts)
        ]
        seen = self.training_terms
        scores: dict[str, Any] = {
            "terms": compare(data, spans, typed=self.typed, seen=seen)
        }
        targets, labels = labelled_targets(data)
        if self.polarity_names and targets:
            # scikit-learn takes a second to load, and predicting needs none of it.
            from emoclf.aspects.polarity_scores import polarity_scores

            best = self.predict_polarity(targets).argmax(1)
            names = [self.polarity_names[i] for i in best]
            scores["polarity"] = polarity_scores(labels, names, self.polarity_names)
            scores["both"] = compare(data, spans, typed=True)
        return scores
