"""Baselines of an aspect model, and what they predict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emoclf.aspects.data.sentences import AspectData, Term
from emoclf.aspects.polarities.polarity_baselines import baseline_polarities
from emoclf.aspects.polarities.polarity_metrics import accuracy_and_f1
from emoclf.aspects.polarities.polarity_targets import labelled_targets
from emoclf.aspects.terms.span_metrics import compare
from emoclf.aspects.terms.term_dictionary import TermDictionary

if TYPE_CHECKING:
    from emoclf.aspects.aspect_model import AspectModel


@dataclass(frozen=True)
class AspectBaselines:
    """What baselines of a training set predict for other sentences.

    Parameters
    ----------
    spans : list of lists of Term
        Terms of each sentence, by a dictionary of the training terms.
    polarities : dict of str to list of str
        Polarities of the true terms, by the name of the baseline.
    """

    spans: list[list[Term]]
    polarities: dict[str, list[str]]

    @classmethod
    def of(
        cls, model: AspectModel, train: AspectData, test: AspectData
    ) -> AspectBaselines:
        """Fit the baselines of a model on ``train``, and predict ``test``."""
        tokenizer = model.tagger.model_.encoder.encoder.tokenizer
        spans = TermDictionary(tokenizer).fit(train).predict(test.texts)
        parts = labelled_targets(train), labelled_targets(test)
        if model.polarity is None or not parts[1][0]:
            return cls(spans, {})
        tokenizer = model.polarity.model_.text_encoder.tokenizer
        return cls(spans, baseline_polarities(*parts, tokenizer))

    def scores(self, test: AspectData, seen: frozenset[str]) -> dict[str, Any]:
        """Return ``terms`` (SpanScores), and ``polarity`` if it was predicted."""
        scores: dict[str, Any] = {"terms": compare(test, self.spans, seen=seen)}
        if self.polarities:
            labels = labelled_targets(test)[1]
            scores["polarity"] = {
                name: accuracy_and_f1(labels, predicted)
                for name, predicted in self.polarities.items()
            }
        return scores
