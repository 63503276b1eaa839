"""Scores on labelled sentences, with the predictions that they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from emoclf.aspects.data.sentences import AspectData
from emoclf.aspects.opinions import AspectPredictor, Opinions
from emoclf.aspects.polarities.polarity_metrics import polarity_scores
from emoclf.aspects.polarities.polarity_targets import Target, labelled_targets
from emoclf.aspects.sentence_bootstrap import macro_f1_draws, span_draws
from emoclf.aspects.terms.span_metrics import SpanScores, compare
from emoclf.display import HtmlLines, align, wrap_lines
from emoclf.errors import setting
from emoclf.evaluation.bootstrap import interval
from emoclf.evaluation.paired_comparison import Comparison

if TYPE_CHECKING:
    from emoclf.aspects.aspect_baselines import AspectBaselines

DICTIONARY = "dictionary of the training terms"


class SpanComparison(Comparison):
    """Comparison of a tagger with a baseline by the exact-span F1."""

    @property
    def label(self) -> str:
        """Name of the metric in reports."""
        return "F1"


class TruePolarity(NamedTuple):
    """A true term with its label, and the polarity that is predicted for it."""

    target: Target
    label: str
    predicted: str
    confidence: float


class AspectEvaluation(HtmlLines, dict[str, Any]):
    """Scores of a model on labelled sentences; :meth:`AspectModel.evaluate` makes it.

    It is a dict: ``terms`` (SpanScores); and, with a polarity classifier and
    labelled terms, ``polarity``, on the true terms (see
    :func:`emoclf.aspects.polarities.polarity_metrics.polarity_scores`), and ``both``,
    SpanScores in which a term counts with its polarity only. There a true term without
    a label, or with the label "conflict", is never right.

    Parameters
    ----------
    model : AspectPredictor
    data : AspectData
    opinions : Opinions
        Terms that were found, and their polarities.
    baselines : AspectBaselines, optional

    Attributes
    ----------
    true_polarities : list of TruePolarity
        The true terms that have a polarity, with the predicted one.
    """

    def __init__(
        self,
        model: AspectPredictor,
        data: AspectData,
        opinions: Opinions,
        baselines: AspectBaselines | None = None,
    ) -> None:
        self.model = model
        self.data = data
        self.opinions = opinions
        self.baselines = baselines
        spans = self.spans
        terms = compare(data, spans, typed=model.typed, seen=model.training_terms)
        super().__init__(terms=terms)
        self.true_polarities = _true_polarities(model, data)
        if rows := self.true_polarities:
            labels, predicted = [x.label for x in rows], [x.predicted for x in rows]
            names = model.polarity_names
            self["polarity"] = polarity_scores(labels, predicted, names)
            self["both"] = compare(data, spans, typed=True)

    @property
    def spans(self) -> list[list[tuple[int, int, str | None]]]:
        """The terms that were found, as (start, stop, polarity)."""
        return [[(x.start, x.stop, x.polarity) for x in row] for row in self.opinions]

    @cached_property
    def baseline_scores(self) -> dict[str, Any]:
        """Scores of the baselines, as :meth:`AspectBaselines.scores` returns them."""
        if self.baselines is None:
            return {}
        return self.baselines.scores(self.data, self.model.training_terms)

    @cached_property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % bootstrap intervals of the scores of terms, over sentences."""
        return {name: interval(draws) for name, draws in self._draws.items()}

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Comparisons with the baselines on the same resampled sentences."""
        if self.baselines is None or not len(self.data):
            return ()
        source, scores = self.data.source, self.baseline_scores
        difference = self["terms"].f1 - scores["terms"].f1
        draws = self._draws["f1"] - span_draws(self._parts(self.baselines.spans))["f1"]
        comparisons: list[Comparison] = [
            SpanComparison(DICTIONARY, source, "f1", difference, *interval(draws))
        ]
        for name, predicted in self.baselines.polarities.items():
            metric = "macro_f1"
            difference = self["polarity"][metric] - scores["polarity"][name][metric]
            draws = self._polarity_draws(None) - self._polarity_draws(predicted)
            ends = interval(draws)
            comparisons.append(Comparison(name, source, metric, difference, *ends))
        return tuple(comparisons)

    def verdict(self) -> list[str]:
        """Return the result in sentences; proposals begin with "Try: "."""
        if not len(self.data):
            return ["There are no sentences to evaluate."]
        terms = self["terms"]
        low, high = self.intervals["f1"]
        lines = [
            f"The tagger finds {terms.recall:.0%} of {terms.n_gold:,} terms in "
            f"{terms.n_sentences:,} sentences with their exact borders, and "
            f"{terms.precision:.0%} of the terms that it finds are correct: F1 "
            f"{terms.f1:.3f} (95 % interval {low:.3f} to {high:.3f})."
        ]
        spans = [x for x in self.comparisons if isinstance(x, SpanComparison)]
        lines += [f"The tagger {x.relation} a {x.baseline}: {x.points}." for x in spans]
        if terms.unseen_recall is not None:
            lines.append(
                f"It finds {terms.unseen_recall:.0%} of the {terms.n_unseen:,} terms "
                "that are not in the training set."
            )
        if "polarity" in self:
            polarity = self["polarity"]
            lines.append(
                f"The polarity of {polarity['accuracy']:.0%} of {polarity['n']:,} true "
                f"terms is right (macro-F1 {polarity['macro_f1']:.3f}). "
                f"{self['both'].recall:.0%} of all terms are found with their borders "
                "and their polarity."
            )
        best = min(
            (x for x in self.comparisons if x not in spans),
            key=lambda x: (x.difference, x.baseline),
            default=None,
        )
        if best is not None:
            lines.append(
                f"The polarity classifier {best.relation} its best baseline, "
                f"{best.baseline}: {best.points}."
            )
        if self.baselines is None:
            lines.append("Evaluated without baselines, since there is no training set.")
        beaten = [x.beaten for x in (*spans, best) if x is not None]
        return lines if all(beaten) else [*lines, *map("Try: {}".format, _advice())]

    def lines(self) -> list[str]:
        """Return the scores as tables, and the verdict."""
        lines = list(self["terms"].lines())
        if "polarity" in self:
            lines += ["", *self._polarity_lines()]
        if baselines := self.baseline_scores:
            lines += ["", f"terms, {DICTIONARY}: F1 {baselines['terms'].f1:.3f}"]
        lines += [
            f"polarity, {name}: accuracy {scores['accuracy']:.3f}, macro-F1 "
            f"{scores['macro_f1']:.3f}"
            for name, scores in baselines.get("polarity", {}).items()
        ]
        return [*lines, "", *wrap_lines(self.verdict())]

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as plain values for JSON."""
        return plain_scores(self)

    def _facts(self) -> dict[str, object]:
        facts: dict[str, object] = {"F1": f"{self['terms'].f1:.3f}"}
        if "polarity" in self:
            facts["macro-F1 of polarities"] = f"{self['polarity']['macro_f1']:.3f}"
        return {**facts, "sentences": f"{len(self.data):,}"}

    def _polarity_lines(self) -> list[str]:
        polarity, both = self["polarity"], self["both"]
        names = list(polarity["classes"])
        rows = [["polarity", "precision", "recall", "F1", "terms"]]
        rows[0] += [f"as {name}" for name in names]
        for name, row in polarity["classes"].items():
            shares = [f"{row[x]:.3f}" for x in ("precision", "recall", "f1")]
            counts = [f"{polarity['confusion'][name][other]:,}" for other in names]
            rows.append([name, *shares, f"{row['n']:,}", *counts])
        return [
            f"terms with the right polarity: precision {both.precision:.3f}, recall "
            f"{both.recall:.3f}, F1 {both.f1:.3f}",
            f"polarity of {polarity['n']:,} true terms: accuracy "
            f"{polarity['accuracy']:.3f}, macro-F1 {polarity['macro_f1']:.3f}",
            *align(rows),
        ]

    @cached_property
    def _draws(self) -> dict[str, np.ndarray]:
        return span_draws(self._parts(self.spans, typed=self.model.typed))

    def _parts(
        self, spans: Sequence[Sequence[Any]], *, typed: bool = False
    ) -> list[SpanScores]:
        """Return the scores of each sentence by itself."""
        training_terms = self.model.training_terms
        return [
            compare(
                self.data.take([number]),
                [sentence_spans],
                typed=typed,
                seen=training_terms,
            )
            for number, sentence_spans in enumerate(spans)
        ]

    def _polarity_draws(self, predicted: list[str] | None) -> np.ndarray:
        """Return the resampled macro-F1 of a baseline, or of the model."""
        rows = self.true_polarities
        return macro_f1_draws(
            [row.target.text for row in rows],
            [row.label for row in rows],
            predicted or [row.predicted for row in rows],
        )


def _true_polarities(model: AspectPredictor, data: AspectData) -> list[TruePolarity]:
    targets, labels = labelled_targets(data)
    if not (model.polarity_names and targets):
        return []
    probabilities = model.predict_polarity(targets)
    names = [model.polarity_names[i] for i in probabilities.argmax(1)]
    shares = probabilities.max(1).tolist()
    return list(map(TruePolarity, targets, labels, names, shares))


def plain_scores(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Return scores as plain values for JSON."""
    return {
        name: value.to_dict() if hasattr(value, "to_dict") else value
        for name, value in scores.items()
    }


def _advice() -> list[str]:
    return [
        "more labelled sentences, which help most.",
        "word vectors of texts like these beside those of the package "
        f"({setting('vectors')}).",
        f"the mean of several networks ({setting('members', 3)}).",
    ]
